/** What kind of request this is, by its method and path alone: what is shed first, and what never. */
export const REQUEST_CLASSES = ["read", "write", "export", "login", "health", "admin"] as const;
export type RequestClass = (typeof REQUEST_CLASSES)[number];

/** The counters of each class: how many were answered, refusals among them, and how many of those were refusals. */
export const CLASS_COUNTERS = {
  read: ["answeredRead", "refusedRead"],
  write: ["answeredWrite", "refusedWrite"],
  export: ["answeredExport", "refusedExport"],
  login: ["answeredLogin", "refusedLogin"],
  health: ["answeredHealth", "refusedHealth"],
  admin: ["answeredAdmin", "refusedAdmin"],
} as const satisfies Record<RequestClass, readonly [string, string]>;
export type ClassCounter = (typeof CLASS_COUNTERS)[RequestClass][number];
/** How many of each class are being answered now; classes without any are left out. */
export type ByClass = Readonly<Partial<Record<RequestClass, number>>>;

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
