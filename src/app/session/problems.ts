/** What is said to those who are not let in, or no longer. */
import { impossible } from "../../base/never.ts";
import { seconds } from "../../base/units.ts";
import type { Admission } from "../../sheets/ledger.ts";
import { languageOf } from "../page/language.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";

/** RFC 9110 §11.6.1: a 401 names a scheme. One that no browser knows opens no password dialog. */
export const SCHEME = { "WWW-Authenticate": 'Drover realm="tables"' } as const;
const login = (code: string, detail: string): Problem => problem(401, code, detail, { headers: SCHEME });

export const EXPIRED = login("expired", "this session is over, or its cookie was not made here: log in again");
export const REVOKED = login("revoked", "this session was ended: log in again");
export const TAKEN_OVER = login("taken-over", "you have logged in somewhere else since: this session is over");
export const NOT_SIGNED_IN = login("not-signed-in", "nobody is logged in: POST /api/login");
/** The same for an unknown name and a wrong secret. */
export const BAD_LOGIN = login("bad-login", "the name or the secret is wrong");
export const AWAY = problem(503, "broker", "who is in can't be told now: come back after the time in Retry-After", {
  headers: retryAfter(seconds(2)),
});
export const BUSY = (headers: ReturnType<typeof retryAfter>): Problem =>
  problem(503, "busy", "too many logins wait already: come back after the time in Retry-After", {
    headers: { ...headers, "X-Drover-Refused": "logins" },
  });
export const TOO_MANY_TRIES = (headers: ReturnType<typeof retryAfter>): Problem =>
  problem(429, "too-many-logins", "too many logins have failed: come back after the time in Retry-After", {
    headers: { ...headers, "X-Drover-Refused": "logins" },
  });

const FULL = {
  fr: (used: number, max: number): string => `Serveur complet (${used}/${max} …). Réessaie dans quelques minutes.`,
  en: (used: number, max: number): string => `Server full (${used}/${max} …). Try again in a few minutes.`,
} as const;

/** @returns what is said to a session that is not in. @param language the Accept-Language header. */
export function problemOfAdmission(admission: Exclude<Admission, { is: "in" }>, language: string | undefined): Problem {
  switch (admission.is) {
    case "full": {
      const { used, max, retryAfter: wait } = admission;
      const spoken = languageOf(language);
      const headers = { ...retryAfter(wait), "X-Drover-Refused": "full", "Content-Language": spoken, Vary: "Accept-Language" };
      return problem(503, "full", FULL[spoken](used, max), { headers });
    }
    case "taken-over":
      return TAKEN_OVER;
    case "revoked":
      return REVOKED;
    case "refused":
      return problem(429, "too-many-sessions", `this name is logged in already, and ${admission.most} is the most: log out there first`, {
        headers: { ...retryAfter(seconds(60)), "X-Drover-Refused": "sessions" },
      });
    case "away":
      return { ...AWAY, headers: retryAfter(admission.retryAfter) };
    default:
      return impossible(admission);
  }
}
