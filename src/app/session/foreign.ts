/** Refuses what a page of another origin sends in its reader's name (CSRF), or with its reader's address. */
import type { FastifyInstance } from "fastify";
import { problem, sendProblem } from "../problem.ts";
import { foreignOrigin, isSafe } from "./origin.ts";

/**
 * Before a body is read, and with a cookie or without: a login that a page makes for its reader is no better than a write in their name,
 * and who has no cookie may still be the only one who reaches this address. Nothing honest is lost: without CORS a page of another origin
 * can't send JSON, nor a method of its own.
 */
export function refuseForeign(fastify: FastifyInstance): void {
  fastify.addHook("onRequest", (request, reply, done) => {
    const why = isSafe(request.raw) ? undefined : foreignOrigin(request.raw);
    if (why === undefined) return done();
    sendProblem(request, reply, problem(403, "cross-site", `${why}: nothing was done`));
  });
}
