import type { Clock } from "../../src/base/clock.ts";
import type { Instant, Timestamp } from "../../src/base/units.ts";
import type { Alarm } from "../../src/broker/alarm.ts";

/** Time moved by hand: alarms go off in order, and what they start settles before the next one does. */
export class FakeTime implements Clock {
  #now: number;
  #wall: number;
  #alarms: { at: number; wake: () => void }[] = [];

  constructor(now = 1_000, wall = 1_800_000_000_000) {
    this.#now = now;
    this.#wall = wall;
  }

  now(): Instant {
    return this.#now as Instant;
  }

  wall(): Timestamp {
    return this.#wall as Timestamp;
  }

  /** Sets the wall clock, as an operator or NTP does; the monotonic clock goes on. */
  setWall(by: number): void {
    this.#wall += by;
  }

  readonly alarm: Alarm = (at, wake) => {
    const entry = { at: Math.max(at, this.#now), wake };
    this.#alarms.push(entry);
    return () => void (this.#alarms = this.#alarms.filter((other) => other !== entry));
  };

  /** A promise that is kept after some time. */
  sleep(wait: number): Promise<void> {
    return new Promise((resolve) => void this.alarm((this.#now + wait) as Instant, resolve));
  }

  async advance(wait: number): Promise<void> {
    const end = this.#now + wait;
    await settled();
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#move(next.at);
      this.#alarms = this.#alarms.filter((other) => other !== next);
      next.wake();
      await settled();
    }
    this.#move(end);
    await settled();
  }

  #due(end: number): { at: number; wake: () => void } | undefined {
    return this.#alarms.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #move(to: number): void {
    this.#wall += to - this.#now;
    this.#now = to;
  }
}

/** Lets promises that can go on do so. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

/** Numbers from 0 to 1 that are the same in every run (Park and Miller). */
export function randoms(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
