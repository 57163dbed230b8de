/** What a session that is not in is told. */
import type { IncomingHttpHeaders } from "node:http";
import { impossible } from "../../base/never.ts";
import { minutes } from "../../base/units.ts";
import type { Admission } from "../../sheets/ledger.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";
import { fullProblem } from "./full.ts";

/** A session elsewhere that nobody uses runs out within minutes. */
const LOOK_AGAIN = minutes(1);
/** RFC 9110 §11.6.1: a 401 names a scheme. One that no browser knows opens no password dialog. */
const CHALLENGE = { "WWW-Authenticate": 'Drover realm="tables"' };

/** @returns undefined for a session that is in. @param headers of the request: for the language. */
export function admissionProblem(admission: Admission, headers: IncomingHttpHeaders): Problem | undefined {
  switch (admission.is) {
    case "in":
      return undefined;
    case "full":
      return fullProblem(admission, headers);
    case "taken-over":
      return problem(401, "taken-over", "you have logged in somewhere else since: this session is over", {
        headers: { ...CHALLENGE, "X-Drover-Refused": "taken-over" },
      });
    case "revoked":
      return problem(401, "revoked", "this session is over: log in again", { headers: { ...CHALLENGE, "X-Drover-Refused": "revoked" } });
    case "refused": {
      const { most } = admission;
      const sessions = `${most} session${most === 1 ? "" : "s"}`;
      return problem(429, "sessions", `you are in already with ${sessions}, and no more are allowed: log out there first`, {
        headers: { ...retryAfter(LOOK_AGAIN), "X-Drover-Refused": "sessions" },
      });
    }
    case "away":
      return problem(503, "broker", "it can't be said now whether you are in: come again after the time in Retry-After", {
        headers: { ...retryAfter(admission.retryAfter), "X-Drover-Refused": "broker" },
      });
    default:
      return impossible(admission);
  }
}
