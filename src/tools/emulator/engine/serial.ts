/** Dates as spreadsheets count them: days since 1899-12-30, time of day as the fraction. No time zones are involved. */

const DAY = 86_400_000;
const EPOCH = Date.UTC(1899, 11, 30);

/** The serial of a calendar day; undefined when there is no such day. Month counts from 1. */
export function serialOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exact =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exact ? Math.round((date.getTime() - EPOCH) / DAY) : undefined;
}

export interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** @returns undefined for a number too large to be a date */
export function momentOf(serial: number): Moment | undefined {
  const date = new Date(EPOCH + Math.round(serial * DAY));
  if (Number.isNaN(date.getTime())) return undefined;
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}
