/** Every route of the admin API, once: what the edge lets through, what the API does, and the tests quantify over this table. */
import type { AdminRole } from "../base/adminkeys.ts";

export interface AdminRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** `anyone`: answered where it arrives. `login`: the key stands in the body. */
  readonly needs: AdminRole | "anyone" | "login" | "session";
  readonly does: string;
}

export const ROUTES = [
  { method: "GET", path: "/api/admin/health", needs: "anyone", does: "whether it serves and how full it is: for an outside monitor" },
  {
    method: "GET",
    path: "/api/admin/capacity",
    needs: "viewer",
    does: "how many are in, of how many, what limits it, and when it will be full",
  },
  { method: "GET", path: "/api/admin/stats", needs: "viewer", does: "workers, requests, cache, upstream, writes, alerts" },
  { method: "GET", path: "/api/admin/history", needs: "viewer", does: "the last minutes of the figures, and what has happened" },
  { method: "GET", path: "/api/admin/writes", needs: "viewer", does: "the oldest writes that Google has refused for good, and why" },
  { method: "GET", path: "/metrics", needs: "viewer", does: "the figures for Prometheus" },
  { method: "GET", path: "/api/admin/session", needs: "session", does: "whether this browser is logged in, and its CSRF token" },
  { method: "POST", path: "/api/admin/login", needs: "login", does: 'logs a browser in: {"token": …} or {"ticket": …}' },
  { method: "POST", path: "/api/admin/logout", needs: "viewer", does: "ends this browser's session" },
  { method: "POST", path: "/api/admin/reload", needs: "operator", does: "rolls a new generation, as SIGHUP does" },
  { method: "POST", path: "/api/admin/scale", needs: "operator", does: 'sets the number of workers: {"to": N}' },
  { method: "POST", path: "/api/admin/recycle", needs: "operator", does: 'replaces one worker, or all: {"slot": N}' },
  { method: "POST", path: "/api/admin/stack", needs: "operator", does: 'what a worker does now: {"slot": N}' },
  { method: "POST", path: "/api/admin/limits", needs: "operator", does: 'sets how many may be in: {"max_slots": N}' },
  { method: "POST", path: "/api/admin/cache/purge", needs: "operator", does: 'asks Google anew for one table, or all: {"table": NAME}' },
  { method: "POST", path: "/api/admin/slots/reap", needs: "operator", does: "frees the slots whose lease has run out" },
  {
    method: "POST",
    path: "/api/admin/slots/schedule",
    needs: "operator",
    does: 'holds the launch schedule, or lets it go on: {"do": "hold"} or {"do": "resume"}',
  },
  {
    method: "POST",
    path: "/api/admin/writes/retry",
    needs: "operator",
    does: 'tries writes again that Google has refused for good: {"ids": [ID, …]} or {"all": true}',
  },
  { method: "POST", path: "/api/admin/writes/discard", needs: "operator", does: "gives such writes up: the same body" },
  { method: "POST", path: "/api/admin/alerts/ack", needs: "operator", does: 'says that an alert is known: {"name": NAME}' },
] as const satisfies readonly AdminRoute[];

export type Route = (typeof ROUTES)[number];
export type RoutePath = Route["path"];

const BY_PATH: ReadonlyMap<string, AdminRoute> = new Map(ROUTES.map((route) => [route.path, route]));

export const routeAt = (path: string): AdminRoute | undefined => BY_PATH.get(path);

/** Whether a path is the admin's, known or not; `/admin` and what is below is the dashboard. */
export const isAdminPath = (path: string): boolean =>
  path === "/metrics" || path === "/admin" || path.startsWith("/admin/") || path.startsWith("/api/admin/");
