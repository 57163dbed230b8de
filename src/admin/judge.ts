/**
 * Who asks, and may they? Pure: the same judgement is made where a request arrives, with the digests that were pushed there, and once more
 * in the master, which believes nobody.
 *
 *   path → Host → method → key in the address? → page's origin → key (Bearer, else cookie) → role → CSRF → body's type
 */
import { csrfOf, findKey, sameText, type AdminKey, type AdminKeys } from "../base/adminkeys.ts";
import type { Timestamp } from "../base/units.ts";
import { cookieIn } from "./cookie.ts";
import { hostAllowed, sameOrigin } from "./hosts.ts";
import { pathOf, queryOf, type AdminRequest, type Wrong } from "./request.ts";
import { routeAt, type AdminRoute } from "./routes.ts";

/** All that is judged by: the body is read afterwards. */
export type Asked = Pick<AdminRequest, "method" | "target" | "headers" | "secure">;

export interface JudgeFacts {
  readonly keys: AdminKeys;
  /** Names in Host beside localhost and addresses. */
  readonly hosts: readonly string[];
  readonly wall: Timestamp;
}

/** How somebody showed who he is. */
export interface Caller {
  readonly key: AdminKey;
  readonly by: "bearer" | "cookie";
  /** The cookie's or token's text: the master needs it to end or renew the session. */
  readonly secret: string;
}

export type Verdict =
  | { readonly is: "pass"; readonly route: AdminRoute; readonly caller: Caller | undefined }
  /** `counts`: it is a try that a guesser would make. */
  | { readonly is: "refused"; readonly wrong: Wrong; readonly counts: boolean };

const CSRF_HEADER = "x-drover-csrf";
/** Words in a query that would be a secret in somebody's log. */
const SECRETS = /^(?:token|access_token|ticket|key|api_key|apikey|auth|authorization|bearer|secret|password|login)$/i;

const refused = (wrong: Wrong, counts = true): Verdict => ({ is: "refused", wrong, counts });

export function judge(request: Asked, facts: JudgeFacts): Verdict {
  const { method, target, headers } = request;
  const route = routeAt(pathOf(target));
  const isPublic = route?.needs === "anyone"; // a monitor comes by whatever name the service has
  const hostIsOurs = hostAllowed(headers.host, facts.hosts);
  if (!isPublic && !hostIsOurs) return refused(FOREIGN_HOST);
  if (route === undefined) return refused(UNKNOWN, false);
  if (method !== route.method && !(method === "HEAD" && route.method === "GET")) return refused(otherMethod(route), false);
  if (isPublic) return { is: "pass", route, caller: hostIsOurs ? callerOf(request, facts) : undefined };
  if ([...queryOf(target).keys()].some((name) => SECRETS.test(name))) return refused(IN_QUERY);
  if (route.method === "POST" && !sameOrigin(headers)) return refused(FOREIGN_PAGE);
  if (route.needs === "login") return withType(route, request, undefined);
  return known(route, request, facts);
}

function known(route: AdminRoute, request: Asked, facts: JudgeFacts): Verdict {
  const caller = callerOf(request, facts);
  if (route.needs === "session") return { is: "pass", route, caller: caller?.by === "cookie" ? caller : undefined };
  if (caller === undefined) return refused(NOBODY);
  if (route.needs === "operator" && caller.key.role !== "operator") return refused(VIEWER, false);
  if (route.method === "POST" && caller.by === "cookie") {
    const sent = request.headers[CSRF_HEADER];
    if (typeof sent !== "string" || !sameText(sent, csrfOf(caller.secret))) return refused(NO_CSRF);
  }
  return withType(route, request, caller);
}

/** A form, which any page can send anywhere, is no JSON. */
function withType(route: AdminRoute, { headers }: Asked, caller: Caller | undefined): Verdict {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  const empty = type === undefined && (headers["content-length"] ?? "0") === "0" && headers["transfer-encoding"] === undefined;
  if (route.method === "POST" && type !== "application/json" && !empty) return refused(NO_JSON, false);
  return { is: "pass", route, caller };
}

/** A Bearer token counts before a cookie: who sends one means it. */
function callerOf({ headers, secure }: Asked, { keys, wall }: JudgeFacts): Caller | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const secret = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
    const key = secret === undefined ? undefined : findKey(keys.tokens, secret, wall);
    return key === undefined || secret === undefined ? undefined : { key, by: "bearer", secret };
  }
  const secret = cookieIn(headers.cookie, secure);
  if (secret === undefined || secret.length > 128) return undefined;
  const key = findKey(keys.sessions, secret, wall);
  return key === undefined ? undefined : { key, by: "cookie", secret };
}

export const FOREIGN_HOST: Wrong = {
  status: 421,
  code: "host",
  detail: "the administration does not answer to this name: use the address, localhost, or a name listed in DROVER_ADMIN_HOSTS",
};
const UNKNOWN: Wrong = { status: 404, code: "unknown-path", detail: "there is nothing here" };
const IN_QUERY: Wrong = {
  status: 401,
  code: "in-query",
  detail: "a key in the address ends up in logs and histories: send it in the header Authorization: Bearer",
};
const FOREIGN_PAGE: Wrong = { status: 403, code: "foreign-origin", detail: "a page of another origin made this request" };
export const NOBODY: Wrong = {
  status: 401,
  code: "no-key",
  detail: "this needs a token that is known and has not expired (Authorization: Bearer), or a browser that is logged in",
};
const VIEWER: Wrong = { status: 403, code: "viewer", detail: "this needs the role operator; this key is a viewer's" };
const NO_CSRF: Wrong = {
  status: 403,
  code: "csrf",
  detail: "a browser must send the session's CSRF token in X-Drover-CSRF (GET /api/admin/session has it)",
};
const NO_JSON: Wrong = { status: 415, code: "media-type", detail: "the body must be application/json" };
const otherMethod = ({ method, path }: AdminRoute): Wrong => ({
  status: 405,
  code: "method",
  detail: `${path} takes ${method}`,
  headers: { Allow: method === "GET" ? "GET, HEAD" : method },
});
