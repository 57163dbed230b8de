import type { Ms } from "../../base/units.ts";
import type { Exchange } from "../exchange.ts";

/** A request that is not let in: 403, 408, 429 or 503, with the reason in X-Drover-Refused. */
export interface Refusal {
  readonly status: number;
  /** One word: `queue`, `rate`, `slots` … */
  readonly reason: string;
  readonly detail: string;
  /** When to come again; sent in whole seconds, rounded up. */
  readonly retryAfter: Ms;
}

export type Verdict = undefined | Refusal | Promise<undefined | Refusal>;

/** One judge of a request on its way to the built-in service. */
export interface Stage {
  readonly name: "address" | "rate" | "body" | "class" | "slots" | "pipeline" | "queue" | "turn" | "unread";
  /** `everything`: prepared answers too, so it must cost next to nothing. `application`: what the application must work on. */
  readonly covers: "everything" | "application";
  /** @returns undefined to let it pass, at once or later. Never throws and never rejects. */
  admit(exchange: Exchange): Verdict;
}
