/** Refuses what a page of another origin sends in its reader's name (CSRF), and logins that it makes for its reader. */
import type { FastifyInstance } from "fastify";
import { problem, sendProblem } from "../problem.ts";
import type { AppServices } from "../services.ts";
import { hasCookie } from "./cookie.ts";
import { foreignOrigin, isSafe } from "./origin.ts";

/** Besides requests with a cookie: who is logged in by a stranger would write in the stranger's name. */
const ALWAYS = /^\/api\/(?:login|logout)(?:\?|$)/;

/** Before a body is read, and whether the cookie is a good one or not. */
export function refuseForeign(fastify: FastifyInstance, { clients }: AppServices): void {
  fastify.addHook("onRequest", (request, reply, done) => {
    const { raw } = request;
    if (isSafe(raw) || !(hasCookie(raw, clients.isSecure(raw)) || ALWAYS.test(raw.url ?? ""))) return done();
    const why = foreignOrigin(raw);
    if (why === undefined) return done();
    sendProblem(request, reply, problem(403, "cross-site", `${why}: nothing was done`));
  });
}
