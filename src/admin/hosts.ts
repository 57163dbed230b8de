/**
 * Which names the admin answers to. A page of a foreign site can make its own name lead to this machine (DNS rebinding), and its requests
 * are then "same origin"; but they carry that name in Host. An address can't be rebound, a name can: names must be listed.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

/** @param allowed names of DROVER_ADMIN_HOSTS, in small letters. */
export function hostAllowed(host: string | undefined, allowed: readonly string[]): boolean {
  const name = hostName(host);
  return name !== undefined && (name === "localhost" || isIP(name) !== 0 || allowed.includes(name));
}

/** @returns the name or address in a Host header, in small letters; undefined: it is none. */
export function hostName(host: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? "") ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed.toLowerCase() : undefined;
  return plain?.toLowerCase().replace(/\.$/, "");
}

/**
 * Whether a request that changes something was made by a page of ours, or by no page at all. Browsers say where a request comes from:
 * Sec-Fetch-Site, which no page can set, or Origin.
 */
export function sameOrigin(headers: Pick<IncomingHttpHeaders, "host" | "origin" | "sec-fetch-site">): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  if (headers.origin === undefined) return true;
  const origin = URL.parse(headers.origin);
  if (origin === null || !/^https?:$/.test(origin.protocol)) return false;
  return URL.parse(`${origin.protocol}//${headers.host ?? ""}`)?.host === origin.host;
}
