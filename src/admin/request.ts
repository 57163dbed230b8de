/** A request to the admin API and its answer, as plain data: the same on every socket, and easy to make in a test. */
import type { IncomingHttpHeaders } from "node:http";

export interface AdminRequest {
  readonly method: string;
  /** As in the request line, with its query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whose it is: for counting and for the audit. */
  readonly client: string;
  readonly requestId: string;
  /** It came over HTTPS, to us or to a proxy that we trust. */
  readonly secure: boolean;
}

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Bytes of a request's body. */
export const LARGEST_BODY = 4_096;

export const pathOf = (target: string): string => target.split("?", 1)[0] ?? "";
/** Behind the question mark; empty when there is none. */
export const queryOf = (target: string): URLSearchParams => new URLSearchParams(target.slice(pathOf(target).length + 1));

/** On every answer, whatever it is: nothing of the admin's is kept, framed, sniffed or referred to. */
export const GUARD: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

const JSON_TYPE = "application/json; charset=utf-8";
const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): AdminAnswer {
  return { status, headers: { ...GUARD, "Content-Type": JSON_TYPE, ...headers }, body: `${JSON.stringify(body)}\n` };
}

export function text(status: number, body: string | Buffer, type: string): AdminAnswer {
  return { status, headers: { ...GUARD, "Content-Type": type }, body };
}

/** What is wrong with a request, and what else a program wants to know of it. */
export interface Wrong {
  readonly status: number;
  /** A word that stays the same: for programs. */
  readonly code: string;
  /** A sentence for people. */
  readonly detail: string;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** application/problem+json (RFC 9457), with the `success` that scripts look for. */
export function problem({ status, code, detail, more, headers }: Wrong): AdminAnswer {
  const body = { success: false, type: "about:blank", title: TITLES[status] ?? "Error", status, code, detail, ...more };
  const challenge = status === 401 ? { "WWW-Authenticate": 'Bearer realm="drover"' } : {};
  const refused = status === 429 ? { "X-Drover-Refused": "rate" } : {};
  return json(status, body, { ...challenge, ...refused, ...headers, "Content-Type": PROBLEM_TYPE });
}
