/**
 * How a cell shows a number: without a format, and in the formats that typing brings: `#,##0.00`, `0%`, `"$"#,##0`,
 * `#,##0 "€"`, `0.00E+00`, and dates of y M d, h m s, [h], am/pm and .000. Dates are days since 1899-12-30.
 */
import type { NumberFormat } from "./spreadsheet.ts";

const DAY = 86_400_000;
const EPOCH = Date.UTC(1899, 11, 30);

export const MONTHS: readonly string[] =
  "January February March April May June July August September October November December".split(
    " ",
  );

/** The serial of a calendar day; undefined when there is no such day. Month counts from 1. */
export function serialOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exact = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exact ? Math.round((date.getTime() - EPOCH) / DAY) : undefined;
}

const power = (text: string): string =>
  text.replace(/e([+-])(\d+)$/, (_, sign: string, n: string) => `E${sign}${n.padStart(2, "0")}`);

/** A number in the format "Automatic": up to ten significant digits, a power from 1E+15 on, of five decimals at most. */
export function automatic(n: number): string {
  const size = Math.abs(n);
  if (n !== 0 && (size >= 1e15 || size < 1e-9))
    return power(n.toExponential(5).replace(/\.?0*e/, "e"));
  if (Number.isInteger(n)) return String(n === 0 ? 0 : n);
  const digits = size >= 1e10 ? Math.floor(Math.log10(size)) + 1 : 10;
  const text = String(Number(n.toPrecision(digits)));
  return text.includes("e") ? Number(text).toFixed(20).replace(/0+$/, "") : text;
}

/** The format shows a date, a time or both. */
export const isDateFormat = (format: NumberFormat | undefined): boolean =>
  format !== undefined && ["DATE", "TIME", "DATE_TIME"].includes(format.type);

const PATTERN =
  /^(?:"(?<before>[^"]*)")?(?<groups>#,##)?0(?:\.(?<places>0+))?(?<exponent>E\+00)?(?<percent>%)?(?: "(?<after>[^"]*)")?$/;

/** A number as its cell shows it; in a pattern that typing never brings, as without a format. */
export function formatNumber(value: number, format: NumberFormat | undefined): string {
  if (format === undefined) return automatic(value);
  if (isDateFormat(format)) return formatDate(value, format.pattern) ?? automatic(value);
  const layout = PATTERN.exec(format.pattern)?.groups;
  if (layout === undefined) return automatic(value);
  const { before = "", groups, places = "", exponent, percent = "", after } = layout;
  const size = Math.abs(value) * (percent === "" ? 1 : 100);
  const digits =
    exponent === undefined
      ? fixed(size, places.length, groups !== undefined)
      : power(size.toExponential(places.length));
  const shown = `${before}${digits}${percent}${after === undefined ? "" : ` ${after}`}`;
  return value < 0 && /[1-9]/.test(digits) ? `-${shown}` : shown;
}

function fixed(size: number, places: number, grouped: boolean): string {
  const [integer = "", decimals] = rounded(size, places).split(".");
  const whole = grouped ? integer.replace(/\B(?=(\d{3})+$)/g, ",") : integer;
  return decimals === undefined ? whole : `${whole}.${decimals}`;
}

/** Half away from zero as people expect it: 1.005 → 1.01 though its double is below. */
function rounded(size: number, places: number): string {
  const nudged = size < 1e15 ? Number(size.toPrecision(15)) : size;
  const factor = 10 ** places;
  const scaled = nudged * factor;
  return scaled < 1e15
    ? (Math.round(Number(scaled.toPrecision(15))) / factor).toFixed(places)
    : nudged.toFixed(places);
}

const DATE_TOKEN = /\[h\]|am\/pm|y+|m+|d+|h+|s+|\.0+|[^]/gi;

/** Patterns in tokens: a column of dates has one, and typing brings a few hundred at most. */
const patterns = new Map<string, readonly string[]>();

/** An m is minutes after an hour or before seconds: such tokens get an n. */
function tokensOf(pattern: string): readonly string[] {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const all = (pattern.match(DATE_TOKEN) ?? []).map((token) => token.toLowerCase());
  const letter = (token: string): string => /^\[?([ymdhs])/.exec(token)?.[1] ?? "";
  const tokens = all.map((token, i) => {
    const before = all.slice(0, i).map(letter).findLast(Boolean);
    const next = all
      .slice(i + 1)
      .map(letter)
      .find(Boolean);
    const isMinute = token.startsWith("m") && (before === "h" || next === "s");
    return isMinute ? token.replaceAll("m", "n") : token;
  });
  patterns.set(pattern, tokens);
  return tokens;
}

/** @returns undefined when the number is no date */
function formatDate(serial: number, pattern: string): string | undefined {
  const date = new Date(EPOCH + Math.round(serial * DAY));
  if (Number.isNaN(date.getTime())) return undefined;
  const tokens = tokensOf(pattern);
  const twelve = tokens.includes("am/pm");
  return tokens.map((token) => dateToken(token, { date, serial, twelve })).join("");
}

interface Clock {
  readonly date: Date;
  readonly serial: number;
  readonly twelve: boolean;
}

/** The number that a letter shows. */
const NUMBERS: Readonly<Record<string, (clock: Clock) => number>> = {
  y: ({ date }) => date.getUTCFullYear() % 100,
  m: ({ date }) => date.getUTCMonth() + 1,
  d: ({ date }) => date.getUTCDate(),
  h: ({ date, twelve }) => (twelve ? date.getUTCHours() % 12 || 12 : date.getUTCHours()),
  n: ({ date }) => date.getUTCMinutes(),
  s: ({ date }) => date.getUTCSeconds(),
};

function dateToken(token: string, clock: Clock): string {
  const { date, serial } = clock;
  const month = MONTHS[date.getUTCMonth()] ?? "";
  if (token === "[h]") return String(Math.floor(Math.abs(serial) * 24 + 1e-7));
  if (token === "am/pm") return date.getUTCHours() < 12 ? "AM" : "PM";
  if (token.startsWith(".0"))
    return `.${String(date.getUTCMilliseconds()).padStart(3, "0")}`.slice(0, token.length);
  if (token.startsWith("yyy")) return String(date.getUTCFullYear()).padStart(4, "0");
  if (token.startsWith("mmm")) return token.length === 3 ? month.slice(0, 3) : month;
  const shown = NUMBERS[token.charAt(0)]?.(clock);
  const width = token.startsWith("y") ? 2 : Math.min(token.length, 2);
  return shown === undefined ? token : String(shown).padStart(width, "0");
}
