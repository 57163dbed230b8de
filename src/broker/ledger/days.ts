/** Counts of a day, in the operator's time zone. */
import { elapsed, ms, type Ms, type Timestamp } from "../../base/units.ts";

/** A counter's count, and the day it is of: `2026-11-21`. */
export interface DayCount {
  readonly key: string;
  readonly day: string;
  readonly used: number;
}

/** A day of the calendar, and when it begins and ends. */
export interface Day {
  readonly day: string;
  readonly from: Timestamp;
  readonly until: Timestamp;
}

/** Counters of users: far more than a spreadsheet has. */
const MOST_KEYS = 50_000;

/** What day it is. Days of 23 and 25 hours (summer time) are as long as they are. @param zone a name of the IANA, such as Europe/Paris. */
export function dayClock(zone: string): (wall: Timestamp) => Day {
  let known: Day | undefined;
  return (wall) => {
    if (known !== undefined && wall >= known.from && wall < known.until) return known;
    const begin = Temporal.Instant.fromEpochMilliseconds(Math.floor(wall)).toZonedDateTimeISO(zone).startOfDay();
    const end = begin.add({ days: 1 }).startOfDay();
    known = { day: String(begin.toPlainDate()), from: begin.epochMilliseconds as Timestamp, until: end.epochMilliseconds as Timestamp };
    return known;
  };
}

/** Counters that begin again with each day. */
export class Days {
  readonly #counts = new Map<string, DayCount>();
  readonly #today: (wall: Timestamp) => Day;
  readonly #mostKeys: number;
  /** Keys whose count has changed since the last `take`. */
  #changed = new Set<string>();

  constructor(zone: string, mostKeys = MOST_KEYS) {
    this.#today = dayClock(zone);
    this.#mostKeys = mostKeys;
  }

  used(key: string, wall: Timestamp): number {
    const count = this.#counts.get(key);
    return count?.day === this.#today(wall).day ? count.used : 0;
  }

  /** Until the next day. */
  resetIn(wall: Timestamp): Ms {
    return ms(Math.max(1, elapsed(wall, this.#today(wall).until)));
  }

  /** @param times less than 0: takes back. */
  add(key: string, times: number, wall: Timestamp): void {
    const used = Math.max(0, this.used(key, wall) + times);
    this.#counts.delete(key);
    this.#counts.set(key, { key, day: this.#today(wall).day, used });
    this.#changed.add(key);
    if (this.#counts.size <= this.#mostKeys) return;
    const [oldest] = this.#counts.keys();
    if (oldest === undefined) return;
    this.#counts.delete(oldest);
    this.#changed.add(oldest);
  }

  /** Forgets what is of another day. */
  sweep(wall: Timestamp): void {
    const { day } = this.#today(wall);
    for (const [key, count] of this.#counts)
      if (count.day !== day) {
        this.#counts.delete(key);
        this.#changed.add(key);
      }
  }

  restore(counts: readonly DayCount[]): void {
    for (const count of counts) this.#counts.set(count.key, count);
  }

  get(key: string): DayCount | undefined {
    return this.#counts.get(key);
  }

  /** @returns keys whose count has changed since the last call. */
  take(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }
}
