/** The session's cookie in the headers. */
import type { IncomingMessage } from "node:http";
import type { Ms } from "../../base/units.ts";

/**
 * Behind HTTPS the name's prefix makes browsers insist on Secure, on the path / and on this very host (RFC 6265bis §4.1.3.2): no
 * neighbour on another subdomain or without encryption can plant one.
 */
const SECURE = "__Host-drover";
const PLAIN = "drover-session";
const nameFor = (secure: boolean): string => (secure ? SECURE : PLAIN);

/** @returns the session's cookie; of several of that name, which no browser of ours sends, none. */
export function cookieOf({ headers: { cookie } }: IncomingMessage, secure: boolean): string | undefined {
  if (cookie === undefined) return undefined;
  const start = `${nameFor(secure)}=`;
  let found: string | undefined;
  let at = 0;
  while (at < cookie.length) {
    let end = cookie.indexOf(";", at);
    if (end === -1) end = cookie.length;
    while (cookie[at] === " ") at += 1;
    if (cookie.startsWith(start, at)) {
      if (found !== undefined) return undefined;
      found = cookie.slice(at + start.length, end).trimEnd();
    }
    at = end + 1;
  }
  return found === "" ? undefined : found;
}

/** @param within how long the browser keeps it; 0: it is to be forgotten. */
export function setCookie(value: string, secure: boolean, within: Ms): string {
  const seconds = Math.max(0, Math.ceil(within / 1_000));
  return `${nameFor(secure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
