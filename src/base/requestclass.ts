/** What kind of request this is, by its method and path alone: what is shed first, and what never. */
export type RequestClass = (typeof REQUEST_CLASSES)[number];
export const REQUEST_CLASSES = ["health", "admin", "login", "export", "write", "read"] as const;

const EXPORT = /^\/api\/tables\/[^/]+\/export$/;
const READS: readonly unknown[] = ["GET", "HEAD", "OPTIONS"];

/** @param target as in the request line: a path, and perhaps a query. Paths are compared as they are written, without decoding. */
export function classOf(method: string | undefined, target: string | undefined): RequestClass {
  const [path = ""] = (target ?? "").split("?", 1);
  if (path === "/healthz" || path === "/api/admin/health") return "health";
  if (path === "/admin" || path === "/metrics" || path.startsWith("/admin/") || path.startsWith("/api/admin/")) return "admin";
  if (path === "/api/login" || path === "/api/logout") return "login";
  if (!READS.includes(method)) return "write";
  return EXPORT.test(path) ? "export" : "read";
}
