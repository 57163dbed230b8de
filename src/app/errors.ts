/** What a client is told of an error that no route foresaw: the class, never the inside. */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../base/log.ts";
import { ms } from "../base/units.ts";
import { COMMON } from "./headers.ts";
import { MAX_WRITE_BODY } from "./write/json.ts";
import { nameRequest, requestIdOf } from "./requestid.ts";
import { problem, retryAfter, sendProblem, type Problem } from "./problem.ts";

export const NOT_JSON = problem(415, "media-type", "this type of body is not understood here: expected application/json", {
  headers: { Accept: "application/json" },
});

/** Fastify's own refusals, in our words: its messages echo what was sent. */
const FRAMEWORK: Readonly<Record<string, Problem>> = {
  FST_ERR_BAD_URL: problem(400, "bad-path", "the path is not valid percent-encoded UTF-8"),
  FST_ERR_MAX_PARAM_LENGTH: problem(414, "uri-too-long", "a part of the path is too long"),
  FST_ERR_CTP_BODY_TOO_LARGE: problem(413, "body-too-large", `the body is over ${MAX_WRITE_BODY} bytes`),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: NOT_JSON,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: problem(400, "content-length", "the body is not as long as its Content-Length says"),
};
const INTERNAL = problem(500, "internal", "something failed here; the operator finds it in the log by the request id");

/** The pool of threads refuses work when its queue is full: a table is being asked more than this machine can answer. */
const BUSY = problem(503, "busy", "too many large queries are waiting already", {
  headers: { ...retryAfter(ms(1_000)), "X-Drover-Refused": "threads" },
});

/** @returns what to answer; `logged` says whether the operator must hear of it. */
export function problemOf(error: FastifyError): { readonly is: Problem; readonly logged: boolean } {
  const known = FRAMEWORK[error.code];
  if (known !== undefined) return { is: known, logged: false };
  if (error.code === "THREADS_BUSY") return { is: BUSY, logged: false };
  const { statusCode } = error;
  if (statusCode === 416) return { is: problem(416, "range", "the file has no such range", { headers: sizeOf(error) }), logged: false };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { is: problem(statusCode, "bad-request", "the request can't be understood"), logged: false };
  return { is: INTERNAL, logged: true };
}

/** How long the file is (RFC 9110 §15.5.17), as the library that streams files says with its error. */
function sizeOf({ headers }: FastifyError & { readonly headers?: unknown }): Record<string, string> {
  const { "Content-Range": range } = (headers ?? {}) as Record<string, unknown>;
  return typeof range === "string" ? { "Content-Range": range } : {};
}

/** The error handler of the whole application. A client that has gone away is answered into the void and not logged. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, log: Logger): FastifyReply {
  const { is, logged } = problemOf(error);
  if (logged && !request.raw.signal?.aborted)
    log.error({ err: error, requestId: requestIdOf(request, reply), path: request.routeOptions.url }, "a request failed");
  return sendProblem(request, reply, is);
}

/**
 * For Fastify's `frameworkErrors` option: errors before any hook has run. Only whoever makes the Fastify instance can
 * pass it, which is why the application exports `options`.
 */
export function frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  nameRequest(request, reply);
  void sendProblem(request, reply.headers(COMMON), problemOf(error).is);
}
