import { Bucket } from "./bucket.ts";
import { seconds, type Instant, type Ms } from "./units.ts";

/** So many a second, and after a pause so many at once. */
export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
}

/** One bucket of tokens. */
export class Throttle {
  readonly #burst: number;
  readonly #bucket: Bucket;

  constructor({ perSecond, burst }: Pace) {
    this.#burst = burst;
    this.#bucket = new Bucket(seconds(1), perSecond);
  }

  /** @returns 0: go on, it is counted. Else how long to wait. */
  take(now: Instant): Ms {
    const wait = this.#bucket.waits(1, this.#burst, now);
    if (wait === 0) this.#bucket.add(1, now);
    return wait;
  }
}
