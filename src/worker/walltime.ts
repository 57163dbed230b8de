import type { Clock } from "../base/clock.ts";
import type { Instant } from "../base/units.ts";

interface Reading {
  readonly readAt: number;
  /** The wall clock less the steady one, ms. */
  readonly ahead: number;
  /** As the Date header has it. */
  readonly date: string;
}

/** The wall clock and what the Date header makes of it, read when they are half a second old. */
export class WallTime {
  readonly #clock: Clock;
  #last: Reading = { readAt: -Infinity, ahead: 0, date: "" };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  at(now: Instant): Reading {
    if (now - this.#last.readAt < 500) return this.#last;
    const wall = this.#clock.wall();
    this.#last = { readAt: now, ahead: wall - now, date: new Date(wall).toUTCString() };
    return this.#last;
  }
}
