/**
 * Counts of a day, in the operator's time zone. Days only move forward: when the wall clock is set back, the newest day that was ever
 * counted stays the current one, also after a restart, until the clock has caught up or an operator resets it.
 */
import { dayClock, dayOf, daysBetween, type Day } from "../../base/day.ts";
import { elapsed, ms, type Ms, type Timestamp } from "../../base/units.ts";

/** A counter's count, and the day it is of: `2026-11-21`. */
export interface DayCount {
  readonly key: string;
  readonly day: string;
  readonly used: number;
}

/** Counters of users: far more than a spreadsheet has. */
const MOST_KEYS = 50_000;
/** The key of the entry that keeps the newest day; no counter has an empty key. */
const NEWEST = "";

/** Counters that start at zero each day. */
export class Days {
  readonly #counts = new Map<string, DayCount>();
  /** Keys whose count is not on disk as it is here, and what the disk has of this day's count. */
  readonly #unsaved = new Map<string, number>();
  readonly #zone: string;
  readonly #clockDay: (wall: Timestamp) => Day;
  readonly #mostKeys: number;
  #newest: Day | undefined;

  constructor(zone: string, mostKeys = MOST_KEYS) {
    this.#zone = zone;
    this.#clockDay = dayClock(zone);
    this.#mostKeys = mostKeys;
  }

  used(key: string, wall: Timestamp): number {
    const count = this.#counts.get(key);
    return count?.day === this.current(wall).day ? count.used : 0;
  }

  /** Until the next day. */
  resetIn(wall: Timestamp): Ms {
    return ms(Math.max(1, elapsed(wall, this.current(wall).until)));
  }

  /** The day that is counted: the clock's, or a later one that was counted before the clock was set back. */
  current(wall: Timestamp): Day {
    const today = this.#clockDay(wall);
    if (this.#newest === undefined || today.day > this.#newest.day) this.#begin(today);
    return this.#newest ?? today;
  }

  /** Days that the counted day is ahead of the clock's; 0 unless the clock was set back. */
  ahead(wall: Timestamp): number {
    const [today, current] = [this.#clockDay(wall), this.current(wall)];
    return daysBetween(today.day, current.day);
  }

  /** Counts by the clock's day from now on, although a later one was counted: its counts are forgotten. */
  reset(wall: Timestamp): void {
    this.#begin(this.#clockDay(wall));
    this.sweep(wall);
  }

  /** @param times less than 0: takes back. */
  add(key: string, times: number, wall: Timestamp): void {
    const { day } = this.current(wall);
    const before = this.used(key, wall);
    if (!this.#unsaved.has(key) || this.#counts.get(key)?.day !== day) this.#unsaved.set(key, before);
    this.#counts.delete(key);
    this.#counts.set(key, { key, day, used: Math.max(0, before + times) });
    if (this.#counts.size <= this.#mostKeys + 1) return;
    for (const oldest of this.#counts.keys()) if (oldest !== NEWEST) return this.#forget(oldest);
  }

  /** Forgets the counts of other days. */
  sweep(wall: Timestamp): void {
    const { day } = this.current(wall);
    for (const [key, count] of this.#counts) if (count.day !== day) this.#forget(key);
  }

  /** Takes over what is on disk, and adds what was counted here since and is not there. */
  restore(counts: readonly DayCount[]): void {
    for (const count of counts) {
      const mine = this.#counts.get(count.key);
      const base = this.#unsaved.get(count.key);
      if (mine !== undefined && mine.day > count.day) continue;
      const counted = count.key !== NEWEST && mine !== undefined && base !== undefined && mine.day === count.day;
      const more = counted ? mine.used - base : 0;
      this.#counts.set(count.key, { ...count, used: Math.max(0, count.used + more) });
      if (more === 0) this.#unsaved.delete(count.key);
      else this.#unsaved.set(count.key, count.used);
      if (this.#newest === undefined || count.day > this.#newest.day) this.#newest = dayOf(count.day, this.#zone);
    }
  }

  /** What was counted of the current day. */
  counted(wall: Timestamp): DayCount[] {
    const { day } = this.current(wall);
    return [...this.#counts.values()].filter((count) => count.key !== NEWEST && count.day === day && count.used > 0);
  }

  get(key: string): DayCount | undefined {
    return this.#counts.get(key);
  }

  /** Keys whose count is not on disk as it is here. */
  unsaved(): Iterable<string> {
    return this.#unsaved.keys();
  }

  /** All that was unsaved is on disk. */
  saved(): void {
    this.#unsaved.clear();
  }

  #begin(day: Day): void {
    this.#newest = day;
    this.#counts.set(NEWEST, { key: NEWEST, day: day.day, used: 1 });
    this.#unsaved.set(NEWEST, 0);
  }

  #forget(key: string): void {
    this.#counts.delete(key);
    this.#unsaved.set(key, 0);
  }
}
