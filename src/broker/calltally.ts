import { Histogram } from "../base/histogram.ts";
import type { Ms } from "../base/units.ts";
import type { Pool } from "./answers.ts";

/** The calls to Google since this process started, by pool and outcome, and how long they took. */
export class CallTally {
  readonly counts: Record<string, number> = {};
  readonly times = new Histogram();

  add(pool: Pool, outcome: string, took: Ms): void {
    const name = `calls.${pool}.${outcome.toLowerCase()}`;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    this.times.record(took);
  }
}
