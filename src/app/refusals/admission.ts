/** What a session that is not in is told. */
import type { IncomingHttpHeaders } from "node:http";
import { impossible } from "../../base/never.ts";
import type { SlotNoun } from "../../base/slots.ts";
import { minutes, type Ms } from "../../base/units.ts";
import type { Entry } from "../../sheets/ledger.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";
import { fullProblem } from "./full.ts";
import { SCHEME, tooManyTries } from "./login.ts";

/** A session elsewhere that nobody uses runs out within minutes. */
const LOOK_AGAIN = minutes(1);

/** Whether somebody is in is the broker's to say, and it is away. */
export const awayProblem = (wait: Ms): Problem =>
  problem(503, "broker", "it can't be said now whether you are in: come again after the time in Retry-After", {
    headers: { ...retryAfter(wait), "X-Drover-Refused": "broker" },
  });

/** @param headers of the request: for the language. @param noun what holds a slot. */
export function admissionProblem(admission: Exclude<Entry, { is: "in" }>, headers: IncomingHttpHeaders, noun: SlotNoun): Problem {
  switch (admission.is) {
    case "full":
      return fullProblem(admission, headers, noun);
    case "taken-over":
      return problem(401, "taken-over", "you have logged in somewhere else since: this session is over", {
        headers: { ...SCHEME, "X-Drover-Refused": "taken-over" },
      });
    case "revoked":
      return problem(401, "revoked", "this session is over: log in again", { headers: { ...SCHEME, "X-Drover-Refused": "revoked" } });
    case "refused": {
      const { most } = admission;
      const sessions = `${most} session${most === 1 ? "" : "s"}`;
      return problem(429, "sessions", `you are in already with ${sessions}, and no more are allowed: log out there first`, {
        headers: { ...retryAfter(LOOK_AGAIN), "X-Drover-Refused": "sessions" },
      });
    }
    case "over":
      return tooManyTries(admission.retryAfter);
    case "away":
      return awayProblem(admission.retryAfter);
    default:
      return impossible(admission);
  }
}
