/**
 * Notices steps of the wall clock: compares how far it has moved with how far the monotonic clock has.
 *
 * A step is a correction by NTP, by hand or by a hypervisor, and also a suspend, during which the monotonic clock of Linux stands still
 * (clock_gettime(2)). Slewing (at most 500 ppm, adjtimex(2)) stays below the threshold between two looks.
 */
import type { Clock } from "./clock.ts";
import { between, elapsed, later, minutes, ms, seconds, type Instant, type Ms, type Timestamp } from "./units.ts";

/** Smaller differences between two looks are slewing and the time between the two readings. */
const THRESHOLD = seconds(1);

/**
 * A clock that has run without a step for so long is taken for right: after a boot it may still be
 * corrected.
 */
export const SETTLED = minutes(60);

export interface ClockStep {
  /** What the wall clock would have read without the step. */
  readonly expected: Timestamp;
  readonly actual: Timestamp;
  /** Negative: the clock was set back. */
  readonly by: Ms;
}

/** Not shared: each look compares with the one before it. */
export class ClockWatch {
  readonly #clock: Clock;
  #last: { readonly now: Instant; readonly wall: Timestamp };
  #steadySince: Instant;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = { now: clock.now(), wall: clock.wall() };
    this.#steadySince = this.#last.now;
  }

  /** How long the wall clock has run without a step, as far as this process knows. */
  get steadyFor(): Ms {
    return between(this.#steadySince, this.#clock.now());
  }

  /** To be called about every second. @returns the step since the last call, if there was one. */
  look(): ClockStep | undefined {
    const { now: before, wall } = this.#last;
    const [now, actual] = [this.#clock.now(), this.#clock.wall()];
    this.#last = { now, wall: actual };
    const expected = later(wall, between(before, now));
    const by = ms(Math.round(elapsed(expected, actual)));
    if (Math.abs(by) < THRESHOLD) return undefined;
    this.#steadySince = now;
    return { expected, actual, by };
  }
}
