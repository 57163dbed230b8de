import type { IncomingMessage } from "node:http";
import { isHost, normaliseTarget } from "../base/target.ts";

/** Why a request that Node.js lets through is not answered. */
export interface Malformed {
  readonly status: 400 | 431 | 505;
  readonly detail: string;
}

const VERSION: Malformed = { status: 505, detail: "expected HTTP/1.1 or HTTP/1.0" };
const ASTERISK: Malformed = { status: 400, detail: "the target * is for OPTIONS alone" };
const TARGET: Malformed = { status: 400, detail: "expected a target such as /path or http://host/path" };
const CODING: Malformed = { status: 400, detail: "Transfer-Encoding is not for HTTP/1.0" };
const UNBOUNDED: Malformed = { status: 400, detail: "expected chunked as the last Transfer-Encoding" };
const HOSTS: Malformed = { status: 400, detail: "expected one Host header with a host and perhaps a port" };

/** No honest client has a third of it. Node.js itself counts to 2,000 and drops the rest without a word. */
const MOST_HEADERS = 100;
const CHUNKED = /(?:^|,)[ \t]*chunked[ \t]*$/i;

/** The last Host that was found right: nearly all requests have the same. */
let known: string | undefined;

/**
 * What a server must refuse and node:http does not: other versions than 1.x, HTTP/1.0 in chunks (RFC 9112 §6.1), a body without an end
 * (§6.3), `*` in other methods (§3.2.4), headers without number, and a Host that is not one host (§3.2): two servers that each pick another
 * are how one gets what was meant for the other. What is well-formed has its target in origin-form afterwards.
 */
export function malformed(req: IncomingMessage, most = MOST_HEADERS): Malformed | undefined {
  const { rawHeaders } = req;
  if (req.httpVersionMajor !== 1) return VERSION;
  if (req.url === "*" && req.method !== "OPTIONS") return ASTERISK;
  const coding = req.headers["transfer-encoding"];
  if (coding !== undefined && req.httpVersionMinor === 0) return CODING;
  if (coding !== undefined && !CHUNKED.test(coding)) return UNBOUNDED;
  if (rawHeaders.length > 2 * most) return { status: 431, detail: `more than ${most} headers` };
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length !== 4 || (name !== "Host" && name.toLowerCase() !== "host")) continue;
    const host = rawHeaders[at + 1] as string;
    if (host !== known && !isHost(host)) return HOSTS;
    known = host;
    hosts += 1;
  }
  if (hosts > 1) return HOSTS;
  return normaliseTarget(req) ? undefined : TARGET;
}

/** What becomes of a header with an underscore in its name. */
export type Underscores = "drop" | "refuse";

const UNDERSCORE: Malformed = { status: 400, detail: "a header's name has an underscore" };

/**
 * `X_Forwarded_For` is a header of its own, but becomes `X-Forwarded-For` wherever headers become variables (CGI's rule, RFC 3875 §4.1.18):
 * a proxy in front that sets the one lets the other through. Nginx drops such headers, Gunicorn drops or refuses them.
 * @returns why the request is refused; undefined: the application sees none.
 */
export function underscored(req: IncomingMessage, rule: Underscores): Malformed | undefined {
  const { rawHeaders } = req;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!(rawHeaders[at] as string).includes("_")) continue;
    if (rule === "refuse") return UNDERSCORE;
    drop(req);
    return undefined;
  }
  return undefined;
}

/** `headers` and `headersDistinct` are made of `rawHeaders` when they are first asked for, by a count of their own: so first they are made. */
function drop(req: IncomingMessage): void {
  for (const headers of [req.headers, req.headersDistinct])
    for (const name of Object.keys(headers)) if (name.includes("_")) delete headers[name];
  const { rawHeaders } = req;
  req.rawHeaders = rawHeaders.filter((_, at) => !(rawHeaders[at & ~1] as string).includes("_"));
}
