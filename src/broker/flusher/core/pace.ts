/**
 * When the next write may be made, so that a burst never leaves a minute without any: a quarter of the ledger's limit may go
 * at once, the rest is spread over the minute. (GCRA, as ATM's "generic cell rate algorithm", ITU-T I.371.) In any window of 60 s
 * there are at most burst + 60 s ÷ spacing calls: the limit.
 */
import { after, minutes, ms, type Instant, type Ms } from "../../../base/units.ts";

export class Pace {
  readonly spacing: Ms;
  readonly #tolerance: Ms;
  #due: Instant | undefined;

  /** @param limit calls a minute, the reserve taken off. */
  constructor(limit: number) {
    const burst = limit < 4 ? 1 : Math.floor(limit / 4);
    this.spacing = ms(minutes(1) / Math.max(1, limit < 4 ? limit : limit - burst));
    this.#tolerance = ms(this.spacing * (burst - 1));
  }

  next(now: Instant): Instant {
    return this.#due === undefined ? now : (Math.max(now, this.#due - this.#tolerance) as Instant);
  }

  spend(now: Instant): void {
    this.#due = after(Math.max(now, this.#due ?? now) as Instant, this.spacing);
  }
}
