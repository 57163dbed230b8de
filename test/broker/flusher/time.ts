import type { Clock } from "../../../src/base/clock.ts";
import type { Instant, Timestamp } from "../../../src/base/units.ts";
import type { Alarm } from "../../../src/broker/alarm.ts";

/** Time that jumps from alarm to alarm; between two of them everything that can go on does. */
export class JumpTime implements Clock {
  at = 1_000;
  /** What the wall clock is ahead of the monotonic one. */
  wallFrom = 1_800_000_000_000;
  #alarms: { at: number; wake: () => void }[] = [];

  now(): Instant {
    return this.at as Instant;
  }
  wall(): Timestamp {
    return (this.wallFrom + this.at) as Timestamp;
  }
  readonly alarm: Alarm = (at, wake) => {
    const entry = { at: Math.max(at, this.at), wake };
    this.#alarms.push(entry);
    return () => void (this.#alarms = this.#alarms.filter((other) => other !== entry));
  };
  sleep(wait: number): Promise<void> {
    return new Promise((resolve) => void this.alarm((this.at + wait) as Instant, resolve));
  }

  /** Goes on until `done`, or nothing is left to happen, or time is up. @returns whether it is done. */
  async until(done: () => boolean, within: number): Promise<boolean> {
    const end = this.at + within;
    for (;;) {
      await new Promise(setImmediate);
      if (done()) return true;
      let next: { at: number; wake: () => void } | undefined;
      for (const alarm of this.#alarms) if (next === undefined || alarm.at < next.at) next = alarm;
      if (next === undefined || next.at > end) {
        this.at = end;
        return done();
      }
      this.at = next.at;
      this.#alarms = this.#alarms.filter((other) => other !== next);
      next.wake();
    }
  }
}
