/** What a client is told when it gets no rows: application/problem+json (RFC 9457), for every error there is. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Ms } from "../base/units.ts";
import { PROBLEM_TYPE } from "./headers.ts";
import { quoted, type BadParameter } from "./query/model.ts";
import { PAGE_TYPE, refusalPage, wantsPage } from "./page/answer.ts";
import { explain } from "../worker/app.ts";
import { requestIdOf } from "./requestid.ts";

export interface Problem {
  readonly status: number;
  /** A word that stays the same: for programs. */
  readonly code: string;
  readonly title: string;
  /** A sentence for people: what was wrong and what was expected. */
  readonly detail: string;
  /** The query parameter or header that is wrong. */
  readonly parameter?: string;
  /** The column whose value is refused, and of several rows which one, from 0. */
  readonly column?: string;
  readonly row?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes of an unwanted body that are read and forgotten. */
const MAX_IGNORED = 65_536;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  507: "Insufficient Storage",
};

/** @param code a stable word for programs. */
export function problem(
  status: number,
  code: string,
  detail: string,
  more: Omit<Problem, "status" | "code" | "title" | "detail"> = {},
): Problem {
  return { status, code, title: TITLES[status] ?? "Error", detail, ...more };
}

/** A query parameter that is wrong. */
export function badParameter({ parameter, detail }: BadParameter): Problem {
  return problem(400, "bad-parameter", `${quoted(parameter)} ${detail}`, { parameter: parameter.slice(0, 300).toWellFormed() });
}

/** @param wait rounded up to whole seconds, at least 1: a client that obeys must not come too early. */
export function retryAfter(wait: Ms): { readonly "Retry-After": string } {
  return { "Retry-After": String(Math.max(1, Math.ceil(wait / 1_000))) };
}

/** The text of a problem; `requestId` is what the operator finds the request by. */
export function problemBody(is: Problem, requestId: string): string {
  const { status, code, title, detail, parameter, column, row } = is;
  return JSON.stringify({ type: "about:blank", title, status, code, detail, parameter, column, row, requestId }); // undefined is left out
}

/**
 * Answers with a problem; a browser's form gets a page. Never cached: the reason may be gone at the next request. A body that nobody will read ends
 * the connection, unless it is so small that Node has swallowed it sooner than the client could connect anew.
 */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, is: Problem): FastifyReply {
  const { headers } = request.raw;
  const unread = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > MAX_IGNORED;
  if (unread) reply.header("Connection", "close");
  explain(reply.raw, is.code);
  reply.code(is.status).headers({ ...is.headers, "Cache-Control": "no-store" });
  const id = requestIdOf(request, reply);
  if (request.raw.method === "POST" && wantsPage(request.raw))
    return reply.type(PAGE_TYPE).send(refusalPage(headers, is.detail, is.code, id));
  return reply.type(PROBLEM_TYPE).send(problemBody(is, id));
}
