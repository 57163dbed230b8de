/** Every call to Google passes here: it is counted before it is made, and what came of it is remembered, and said when it changes. */
import type { Logger } from "../base/log.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Ledger } from "./quota.ts";
import type { Store } from "./store.ts";
import { GIVEN_UP, type Outcome } from "./upstream.ts";

export type State = Pick<UpstreamReport, "state" | "message">;

const STATES = {
  ok: "ok",
  denied: "denied",
  locked: "locked",
  unavailable: "down",
  malformed: "down",
  tooLarge: "ok", // asked again in smaller parts
  noRange: "ok", // asked again without the range
} as const satisfies Record<Outcome<never>["is"], UpstreamReport["state"]>;

/** The worst of several spreadsheets' comes first. */
const WORST: readonly UpstreamReport["state"][] = ["locked", "denied", "down", "never", "ok"];
const NEVER: State = { state: "never", message: "Google has not answered yet" };

export interface CallsPort {
  readonly quota: Ledger;
  readonly store: Pick<Store, "keepQuota">;
  readonly log: Logger;
}

/** What a call is for. */
export interface CallUse {
  readonly spreadsheetId: string;
  readonly use: "refresh" | "other";
  /** Whoever has made it does not want it any more: what comes of it says nothing. */
  readonly signal?: AbortSignal;
}

export class Calls {
  readonly #port: CallsPort;
  readonly #states = new Map<string, State>();
  /** For the beat. */
  readonly counters = { calls: 0, errors: 0 };

  constructor(port: CallsPort) {
    this.#port = port;
  }

  /** Makes a call; a refusal closes the ledger: in memory and on disk. */
  async make<T>({ spreadsheetId, use, signal }: CallUse, call: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const { quota, store } = this.#port;
    if (!(await quota.take(use, signal))) return GIVEN_UP;
    store.keepQuota(quota.state());
    this.counters.calls += 1;
    const outcome = await call();
    if (outcome.is !== "ok") this.counters.errors += 1;
    if (outcome.is === "locked") {
      quota.lock(outcome.until);
      store.keepQuota(quota.state());
    }
    if (outcome.is === "ok" || signal?.aborted !== true) this.#say(spreadsheetId, outcome);
    return outcome;
  }

  /** Of these spreadsheets, the worst. */
  state(spreadsheetIds: Iterable<string>): State {
    const states = [...spreadsheetIds].flatMap((id) => this.#states.get(id) ?? []);
    for (const worst of WORST) {
      const found = states.find(({ state }) => state === worst);
      if (found !== undefined) return found;
    }
    return NEVER;
  }

  /** Keeps a spreadsheet's state, and logs when it changes. */
  #say(spreadsheetId: string, outcome: Outcome<unknown>): void {
    const { log } = this.#port;
    const before = this.#states.get(spreadsheetId) ?? NEVER;
    const message = outcome.is === "ok" ? "" : outcome.message;
    const state = STATES[outcome.is];
    this.#states.set(spreadsheetId, { state, message: state === "ok" ? "" : message });
    if (outcome.is === "ok" && before.state !== "ok") log.info(before.state === "never" ? "Google answers" : "Google answers again");
    else if (outcome.is !== "ok" && before.message !== message) log.warn({ upstream: outcome.is }, `a call to Google failed: ${message}`);
  }
}
