/** The target of a request and the host it names: RFC 9112 §3.2. */
import type { IncomingMessage } from "node:http";

/** A host and port, and nothing that would end up in a URL's other parts (RFC 3986 §3.2.2 without its sub-delimiters). */
const HOST = /^[\w.~%-]+(?::\d*)?$|^\[[0-9a-f:.]+\](?::\d*)?$/i;
const ABSOLUTE = /^https?:\/\/([^/?#]+)([^#]*)$/i;
const SLASH = 47;

/** True for a host name or address, with or without a port: `[::1]:80`. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

/**
 * Rewrites absolute-form (`GET http://host/path`) to origin-form. The target's authority replaces the Host header (§3.2.2).
 * @returns false when the target has none of HTTP's forms.
 */
export function normaliseTarget(req: IncomingMessage): boolean {
  const { url = "", method } = req;
  if (url.charCodeAt(0) === SLASH || url === "*" || method === "CONNECT") return true;
  const [, authority = "", rest = ""] = ABSOLUTE.exec(url) ?? [];
  if (!isHost(authority)) return false;
  if (rest === "" && method === "OPTIONS") req.url = "*";
  else req.url = rest.startsWith("/") ? rest : `/${rest}`;
  setHost(req, authority);
  return true;
}

function setHost({ headers, rawHeaders }: IncomingMessage, host: string): void {
  headers.host = host;
  const at = rawHeaders.findIndex((name, nr) => nr % 2 === 0 && name.toLowerCase() === "host");
  if (at < 0) rawHeaders.push("Host", host);
  else rawHeaders[at + 1] = host;
}
