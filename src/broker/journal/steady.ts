/**
 * When the journal may forget by the wall clock. A step of it makes rows look older, or newer, than they are, so what is kept for a time
 * is kept until the clock has run without a step for that time: never shorter than promised, at most twice as long. The number of rows
 * bounds it in any case. The last step is in the journal (META.steady), because a successor does not see it.
 */
import type { Clock } from "../../base/clock.ts";
import { ClockWatch, SETTLED } from "../../base/clock-watch.ts";
import { elapsed, seconds, type Timestamp } from "../../base/units.ts";
import { META, type Database } from "./database.ts";
import { KEPT, recordOf, type Aged } from "./records.ts";

/** The wall clock, and how steady it is as far as this process knows. */
export interface Moment {
  readonly now: Timestamp;
  /** The wall clock just after its last step; undefined: this process saw none. */
  readonly since: Timestamp | undefined;
  /** It ran without a step long enough: after a boot it may still be corrected. */
  readonly isSettled: boolean;
}

export class SteadyClock {
  readonly #clock: Clock;
  readonly #watch: ClockWatch;
  #since: Timestamp | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#watch = new ClockWatch(clock);
  }

  /** To be called at least every second. */
  look(): Moment {
    const step = this.#watch.look();
    if (step !== undefined) this.#since = step.actual;
    return { now: this.#clock.wall(), since: this.#since, isSettled: this.#watch.steadyFor >= SETTLED };
  }
}

/** A stamp is this much later than a successor's clock at most, without a step. */
const TOLERANCE = seconds(1);

/** @returns the wall clock just after the last step that the journal shows: one that it has noted, or one to before its newest stamp. */
export function steadySince(database: Database, now: Timestamp): Timestamp | undefined {
  const row = database.get("meta", META.steady);
  const noted = row === undefined ? undefined : (recordOf("meta", row) as Timestamp);
  const newest = (["landed", "once", "call"] as const).flatMap((kind) => {
    const last = database.end(kind, "last", 1)[0]?.row;
    return last === undefined ? [] : [recordOf(kind, last).settledAt];
  });
  const latest = Math.max(noted ?? 0, ...newest);
  return latest > now + TOLERANCE ? now : noted;
}

/** Whether a row has had its time. @param since as `steadySince`. */
export function isOver(kind: Aged, at: Timestamp, { now, since, isSettled }: Moment): boolean {
  if (!isSettled || (since !== undefined && elapsed(since, now) <= KEPT[kind])) return false;
  return Math.abs(elapsed(at, now)) > KEPT[kind]; // in both directions: the clock may have been set back since
}
