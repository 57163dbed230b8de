/**
 * Whether a spreadsheet is asked at all. After a failure there is a pause; after three in a row the breaker is open, and one call at a time, the probe, finds out whether it is well again.
 *
 *   closed ─ 3 failures in a row → open ─ pause over, asked for → half-open ─ answered → closed
 *                                   ↑                              └ failed ─┐
 *                                   └────────────────────────────────────────┘
 */
import { after, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import { backoff } from "./backoff.ts";
import { latest } from "./demand.ts";

export type BreakerState = "closed" | "open" | "half-open";

export interface Attempts {
  readonly last: Instant;
  readonly attempts: number;
}

const OPENS_AFTER = 3;
const SHORTEST = seconds(1);

export class Breaker {
  #failures = 0;
  #probing = false;
  /** No call before. */
  notBefore: Instant;

  constructor(now: Instant) {
    this.notBefore = now;
  }

  get failures(): number {
    return this.#failures;
  }

  get state(): BreakerState {
    if (this.#failures < OPENS_AFTER) return "closed";
    return this.#probing ? "half-open" : "open";
  }

  /** A call begins. */
  called(): void {
    this.#probing = true;
  }

  /** A call has ended in a way that says nothing of the spreadsheet. */
  ended(): void {
    this.#probing = false;
  }

  /** Google has answered about the spreadsheet. */
  answered(): void {
    this.#probing = false;
    this.#failures = 0;
  }

  /**
   * A call has failed. Attempts follow each other no faster than the pause, counted from their beginnings, so that one that took long
   * is followed at once.
   * @param last when the last attempt began. @param attempts that have failed. @param longest of the pause: Google is looked for as often as the rows' TTL asks.
   */
  failed({ last, attempts }: Attempts, now: Instant, longest: Ms, random: number): void {
    this.#probing = false;
    this.#failures += attempts;
    const pause = backoff(this.#failures, random, ms(Math.max(SHORTEST, longest)));
    this.notBefore = latest(now, after(last, pause));
  }
}
