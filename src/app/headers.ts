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
