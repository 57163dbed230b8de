/** Days of the calendar in a time zone. */
import type { Timestamp } from "./units.ts";

/** A day, and when it begins and ends. */
export interface Day {
  /** `2026-11-21` */
  readonly day: string;
  readonly from: Timestamp;
  readonly until: Timestamp;
}

/** @param zone an IANA name, such as Europe/Paris. @throws RangeError when `day` is no date. */
export function dayOf(day: Temporal.PlainDate | string, zone: string): Day {
  const date = Temporal.PlainDate.from(day);
  const startOf = (of: Temporal.PlainDate): Timestamp => of.toZonedDateTime({ timeZone: zone }).epochMilliseconds as Timestamp;
  return { day: String(date), from: startOf(date), until: startOf(date.add({ days: 1 })) };
}

/**
 * Tells the day of a time. Days of 23 and 25 hours (summer time) are as long as they are.
 * @param zone an IANA name.
 */
export function dayClock(zone: string): (wall: Timestamp) => Day {
  let known: Day | undefined;
  return (wall) => {
    if (known !== undefined && wall >= known.from && wall < known.until) return known;
    known = dayOf(Temporal.Instant.fromEpochMilliseconds(Math.floor(wall)).toZonedDateTimeISO(zone).toPlainDate(), zone);
    return known;
  };
}

/** Days from one to another; negative when the second comes first. */
export const daysBetween = (first: string, then: string): number =>
  Temporal.PlainDate.from(first).until(Temporal.PlainDate.from(then)).days;

/** The day so many days later. */
export const daysLater = (day: string, days: number): string => String(Temporal.PlainDate.from(day).add({ days }));
