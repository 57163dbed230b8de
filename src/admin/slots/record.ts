/**
 * How full the service was, hour by hour, for 35 days: pure. Time above a level is added up from
 * looks some seconds apart, by the monotonic clock, and counted in the hour of the wall clock.
 * Hours are of UTC, so that summer time changes none.
 *
 * Steps of the wall clock: old hours, and hours ahead of the clock, are forgotten only after it has
 * run steadily for an hour. Until then hours ahead of it count for nothing. No hour counts more
 * than 3600 s of anything.
 */
import { SETTLED } from "../../base/clock-watch.ts";
import type { Day } from "../../base/day.ts";
import { count } from "../../base/fields.ts";
import { minutes, ms, seconds, type Ms, type Timestamp } from "../../base/units.ts";
import { BUSY } from "../busy.ts";

/** Milliseconds, but for `hour` (since 1970) and `peak` (slots). */
export interface HourRecord {
  readonly hour: number;
  /** How long the service was looked at. */
  readonly seen: number;
  /** At or above the comfortable number, 80 % and 90 % of the slots. */
  readonly comfort: number;
  readonly above80: number;
  readonly above90: number;
  /** Of `above80`: with the CPU above 70 %, with memory above 80 %. */
  readonly busyCpu: number;
  readonly busyMemory: number;
  readonly peak: number;
}

/** In the order in which hours were first seen. */
export type UsageRecord = readonly HourRecord[];

/** One look. `since`: how long the figures count for. Shares are 0…1; null: not known. */
export interface Look {
  readonly wall: Timestamp;
  readonly since: Ms;
  /** How long the wall clock has run without a step. */
  readonly steady: Ms;
  readonly used: number;
  readonly max: number;
  readonly comfort: number;
  readonly cpu: number | null;
  readonly memory: number | null;
}

export const KEPT_DAYS = 35;
const HOUR = minutes(60);
const HOURS = KEPT_DAYS * 24;
/** A pause between two looks that is longer was no look at all: the master did not run. */
const LONGEST_LOOK = seconds(30);

const NONE: Omit<HourRecord, "hour"> = { seen: 0, comfort: 0, above80: 0, above90: 0, busyCpu: 0, busyMemory: 0, peak: 0 };
export const hourOf = (wall: Timestamp): number => Math.floor(wall / HOUR);

export function observe(record: UsageRecord, look: Look): UsageRecord {
  const hour = hourOf(look.wall);
  const isSteady = look.steady >= SETTLED;
  const kept = isSteady ? record.filter((one) => one.hour > hour - HOURS && one.hour <= hour) : record;
  const now = kept.find((one) => one.hour === hour) ?? { hour, ...NONE };
  const others = kept.filter((one) => one !== now);
  return [...others, added(now, look)].slice(-HOURS);
}

function added(hour: HourRecord, { since, used, max, comfort, cpu, memory }: Look): HourRecord {
  const span = Math.round(Math.min(since, LONGEST_LOOK));
  const [is80, is90] = [used * 10 >= max * 8, used * 10 >= max * 9];
  const plus = (before: number, holds: boolean): number => (holds ? Math.min(HOUR, before + span) : before);
  return {
    hour: hour.hour,
    seen: plus(hour.seen, true),
    comfort: plus(hour.comfort, used >= comfort),
    above80: plus(hour.above80, is80),
    above90: plus(hour.above90, is90),
    busyCpu: plus(hour.busyCpu, is80 && cpu !== null && cpu > BUSY.cpu),
    busyMemory: plus(hour.busyMemory, is80 && memory !== null && memory > BUSY.memory),
    peak: Math.max(hour.peak, used),
  };
}

type Span = "seen" | "comfort" | "above80" | "above90" | "busyCpu" | "busyMemory";

/** Of the last so many days of 24 hours, this hour included. */
export function timeAbove(record: UsageRecord, what: Span, { wall, days }: { readonly wall: Timestamp; readonly days: number }): Ms {
  const last = hourOf(wall);
  return ms(record.reduce((sum, one) => (one.hour > last - 24 * days && one.hour <= last ? sum + one[what] : sum), 0));
}

/** A day of the operator's calendar; hours count for the day in which they begin. */
export interface DayRecord extends Omit<HourRecord, "hour"> {
  readonly day: string;
  /** The hour of the day in which the peak was; null: nothing was seen. */
  readonly peakAt: number | null;
}

/** The days that have been seen, the latest last. @param dayOf in the operator's time zone. */
export function daysOf(record: UsageRecord, dayOf: (wall: Timestamp) => Day): readonly DayRecord[] {
  const days = new Map<string, DayRecord>();
  for (const one of record) {
    const start = (one.hour * HOUR) as Timestamp;
    const { day, from } = dayOf(start);
    const before = days.get(day) ?? { day, ...NONE, peakAt: null };
    const sum = (what: Span): number => before[what] + one[what];
    days.set(day, {
      day,
      seen: sum("seen"),
      comfort: sum("comfort"),
      above80: sum("above80"),
      above90: sum("above90"),
      busyCpu: sum("busyCpu"),
      busyMemory: sum("busyMemory"),
      peak: Math.max(before.peak, one.peak),
      peakAt: one.peak > before.peak || before.peakAt === null ? Math.round((start - from) / HOUR) : before.peakAt,
    });
  }
  return [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1));
}

const SPANS = ["seen", "comfort", "above80", "above90", "busyCpu", "busyMemory"] as const satisfies readonly Span[];

/** A row for each hour: hour, then the spans in whole milliseconds, then the peak. */
export const recordJson = (record: UsageRecord): string =>
  JSON.stringify({
    version: 1,
    hours: record.map((one) => [one.hour, ...SPANS.map((span) => Math.round(one[span])), one.peak]),
  });

/** @returns undefined when the text is no record. */
export function readRecord(text: string): UsageRecord | undefined {
  const parsed = JSON.parse(text) as { readonly version?: unknown; readonly hours?: unknown } | null;
  if (parsed?.version !== 1 || !Array.isArray(parsed.hours) || parsed.hours.length > HOURS) return undefined;
  const rows: unknown[] = parsed.hours;
  const sound = rows.every((row): row is number[] => Array.isArray(row) && row.length === SPANS.length + 2 && row.every(count));
  if (!sound) return undefined;
  return rows.map(([hour = 0, seen = 0, comfort = 0, above80 = 0, above90 = 0, busyCpu = 0, busyMemory = 0, peak = 0]) => ({
    hour,
    seen,
    comfort,
    above80,
    above90,
    busyCpu,
    busyMemory,
    peak,
  }));
}
