/** What status says of the writes: how many, and how long they took. */
import { Histogram } from "../../../base/histogram.ts";
import { elapsed, ms, type Ms, type Timestamp } from "../../../base/units.ts";

const KEPT = 1_000;

export class Stats {
  landed: number;
  parked: number;
  /** Rows that were written although their key had been changed by hand in the moments since it was read. */
  astray = 0;
  /** Writes that landed although the header row had been changed by hand in the moments since it was seen. */
  misplaced = 0;
  readonly times = new Histogram();
  readonly #times: Ms[] = [];
  #at = 0;

  constructor(landed: number, parked: number) {
    this.landed = landed;
    this.parked = parked;
  }

  /** @param accepted when it was accepted */
  land(accepted: Timestamp, at: Timestamp): void {
    this.landed += 1;
    const took = ms(Math.round(Math.max(0, elapsed(accepted, at))));
    this.times.record(took);
    this.#times[this.#at] = took;
    this.#at = (this.#at + 1) % KEPT;
  }

  /** @returns null while nothing has landed. */
  quantile(q: number): Ms | null {
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
  }
}
