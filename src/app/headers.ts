/** Headers that every answer carries, and those of single kinds. Values are fixed at build: nothing of a request is echoed. */

/** For answers that no browser should ever interpret: JSON, problems. */
export const API_CSP = "default-src 'none'; frame-ancestors 'none'";
/** For the board that comes with drover: its own files and nothing else. */
export const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
/**
 * For an operator's own files: drover can't know what they load, so it only forbids what no client needs. A client that
 * wants more says so in its own <meta http-equiv>: policies add up.
 */
export const CLIENT_CSP = "base-uri 'self'; frame-ancestors 'self'; object-src 'none'";

export const JSON_TYPE = "application/json; charset=utf-8";
export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/**
 * Name → value of what stands on everything; a route may set its own Content-Security-Policy instead. Other sites are told no address.
 * Not `no-referrer`: over plain HTTP a browser then says `Origin: null` with our own page's form (Fetch, §3.2), which tells it from nobody's.
 */
export const COMMON = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Content-Security-Policy": API_CSP,
} as const;

/** What a route says of caching unless it says something else: what nobody thought of is kept by nobody. */
export const UNCACHED = { "Cache-Control": "no-store" } as const;

const STALE_IF_ERROR = 600;

/**
 * What everybody may keep, browsers and the caches on the way, and for how long. Caches subtract Age, so rows are fresh for one TTL
 * wherever they are kept. s-maxage forbids shared caches to answer with what is stale (RFC 9111 §5.2.2.10), which Cloudflare obeys and
 * others don't; CDN-Cache-Control (RFC 9213) allows it to those that read it.
 * @param ttl whole seconds.
 */
export function publicCaching(ttl: number): Readonly<Record<"Cache-Control" | "CDN-Cache-Control", string>> {
  const stale = `stale-while-revalidate=${Math.max(ttl, 30)}, stale-if-error=${STALE_IF_ERROR}`;
  return { "Cache-Control": `public, max-age=${ttl}, s-maxage=${ttl}, ${stale}`, "CDN-Cache-Control": `public, max-age=${ttl}, ${stale}` };
}
