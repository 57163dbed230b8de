import type { Instant, Timestamp } from "./units.ts";

/** Where time comes from. Everything that judges takes one, so that a test can move time by hand. */
export interface Clock {
  /** Monotonic: for deadlines, ages and rates. Steps of the wall clock do not move it. */
  now(): Instant;
  /** Wall clock: for what people and other processes read. */
  wall(): Timestamp;
}

export const systemClock: Clock = {
  now: () => performance.now() as Instant,
  wall: () => Date.now() as Timestamp,
};
