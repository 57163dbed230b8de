import { ms, type Instant, type Ms } from "./units.ts";

/** So many a second, and after a pause so many at once. */
export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
}

/** A bucket of tokens: pure but for what it remembers. */
export class Throttle {
  readonly #pace: Pace;
  #left: number;
  #at: Instant | undefined;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#left = pace.burst;
  }

  /** @returns 0: go on, it is counted. Else how long to wait. */
  take(now: Instant): Ms {
    const { perSecond, burst } = this.#pace;
    this.#left = Math.min(burst, this.#left + ((now - (this.#at ?? now)) / 1_000) * perSecond);
    this.#at = now;
    if (this.#left >= 1) return ((this.#left -= 1), ms(0));
    return ms(Math.ceil(((1 - this.#left) / perSecond) * 1_000));
  }
}
