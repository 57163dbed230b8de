import { ms, type Instant, type Ms } from "./units.ts";
import type { Counter } from "./window.ts";

/**
 * A token bucket: holds `room` tokens, gains `refill` of them in each `per`, and every counted deed takes one. Over any span of t it
 * admits at most `room + refill × t / per` (GCRA, ITU-T I.371). Amounts are kept in whole tokens × ms, so that nothing is rounded.
 */
export class Bucket implements Counter {
  readonly per: Ms;
  readonly refill: number;
  /** Tokens taken and not yet refilled, times `per`. */
  #debt = 0;
  #at = Number.NEGATIVE_INFINITY;

  constructor(per: Ms, refill: number) {
    this.per = per;
    this.refill = refill;
  }

  used(now: Instant): number {
    this.#turn(now);
    return this.#debt / this.per;
  }

  add(n: number, now: Instant): void {
    this.#turn(now);
    this.#debt += Math.round(n * this.per);
  }

  remove(n: number, now: Instant): void {
    this.#turn(now);
    this.#debt = Math.max(0, this.#debt - n * this.per);
  }

  resetIn(now: Instant): Ms {
    this.#turn(now);
    return ms(Math.ceil(this.#debt / this.refill));
  }

  waits(times: number, room: number, now: Instant): Ms {
    this.#turn(now);
    return ms(Math.ceil(Math.max(0, this.#debt + (times - room) * this.per) / this.refill));
  }

  /** One count of now: what is taken of a bucket has no age. */
  counts(now: Instant): readonly (readonly [ago: Ms, n: number])[] {
    const used = this.used(now);
    return used > 0 ? [[ms(0), used]] : [];
  }

  #turn(now: Instant): void {
    const at = Math.floor(now);
    if (at <= this.#at) return;
    if (this.#debt > 0) this.#debt = Math.max(0, this.#debt - (at - this.#at) * this.refill);
    this.#at = at;
  }
}
