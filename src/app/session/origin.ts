/** Whether a request that changes something was made by a page of ours. */
import type { IncomingMessage } from "node:http";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
export const isSafe = ({ method }: IncomingMessage): boolean => SAFE.has(method ?? "");

/**
 * Browsers say where a request comes from: Sec-Fetch-Site (no page can set it) where they have it, else Origin, whose host must be the
 * one that was asked. Who says neither is no browser, and nobody else's cookie is in it.
 * @returns undefined when it is of this site, or why not.
 */
export function foreignOrigin({ headers }: IncomingMessage): string | undefined {
  const site = headers["sec-fetch-site"];
  if (site !== undefined)
    return site === "same-origin" || site === "none" ? undefined : "Sec-Fetch-Site says that a page of another origin made it";
  const { origin } = headers;
  if (origin === undefined) return undefined;
  const address = URL.parse(origin);
  const host = address?.protocol === "http:" || address?.protocol === "https:" ? address.host : "";
  return host !== "" && host === asked(headers.host, address?.protocol) ? undefined : "Origin says that a page of another origin made it";
}

/** The Host header as a URL spells it: in small letters, without the scheme's own port. */
const asked = (host: string | undefined, scheme = "http:"): string | undefined =>
  host === undefined ? undefined : URL.parse(`${scheme}//${host}`)?.host;
