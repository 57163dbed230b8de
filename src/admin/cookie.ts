/** The cookie of a browser that is logged in. */
import type { Ms } from "../base/units.ts";

/** Behind HTTPS the prefix makes browsers insist on Secure, on the path / and on this very host (RFC 6265bis §4.1.3.2). */
const nameFor = (secure: boolean): string => (secure ? "__Host-drover-admin" : "drover-admin");

/** @returns the session's secret; of several cookies of that name, which no browser of ours sends, none. */
export function cookieIn(header: string | undefined, secure: boolean): string | undefined {
  const start = `${nameFor(secure)}=`;
  const found = (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(start));
  return found.length === 1 ? found[0]?.slice(start.length) : undefined;
}

/** @param within how long the browser keeps it; 0: it is to be forgotten. */
export function setCookie(value: string, secure: boolean, within: Ms): string {
  const seconds = Math.max(0, Math.floor(within / 1_000));
  return `${nameFor(secure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}
