/** What is said to those who have not logged in, or can't. What is said to a session that is over stands in admission.ts. */
import type { Ms } from "../../base/units.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";

/** RFC 9110 §11.6.1: a 401 names a scheme. One that no browser knows opens no password dialog. */
export const SCHEME = { "WWW-Authenticate": 'Drover realm="tables"' } as const;
const login = (code: string, detail: string): Problem => problem(401, code, detail, { headers: SCHEME });

export const EXPIRED = login("expired", "this session is over, or its cookie was not made here: log in again");
export const NOT_SIGNED_IN = login("not-signed-in", "nobody is logged in: POST /api/login");
/** The same for an unknown name and a wrong secret. */
export const BAD_LOGIN = login("bad-login", "the name or the secret is wrong");

/** The broker is unavailable or its disk refuses: the logout is repeated until it is durable, but nothing is promised before. */
export const logoutPending = (wait: Ms): Problem =>
  problem(503, "broker", "the logout is not recorded yet, and the session may still be valid: repeat it after the time in Retry-After", {
    headers: { ...retryAfter(wait), "X-Drover-Refused": "broker" },
  });

const refused = (wait: Ms): Readonly<Record<string, string>> => ({ ...retryAfter(wait), "X-Drover-Refused": "logins" });

export const tooManyLogins = (wait: Ms): Problem =>
  problem(503, "busy", "too many logins wait already: come back after the time in Retry-After", { headers: refused(wait) });
export const tooManyTries = (wait: Ms): Problem =>
  problem(429, "too-many-logins", "too many logins in a minute: come back after the time in Retry-After", { headers: refused(wait) });
