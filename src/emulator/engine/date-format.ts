/** Date and time patterns: y M d for dates, h m s for times, [h] for elapsed time, am/pm, .000 for milliseconds. */
import { type Moment, momentOf } from "./serial.ts";

const TOKEN = /"[^"]*"|\\.|\[[hms]+\]|am\/pm|a\/p|y+|m+|d+|h+|s+|\.0+|[^]/gi;

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The pattern has date or time letters outside quotes. */
export function isDatePattern(pattern: string): boolean {
  const bare = pattern.replace(/"[^"]*"|\\./g, "").replace(/\[(?![hms]+\])[^\]]*\]/gi, "");
  return !/[0#?]/.test(bare.replace(/\.0+/g, "")) && /[ymdhs]/i.test(bare);
}

const two = (n: number): string => String(n).padStart(2, "0");

function year(m: Moment, width: number): string {
  return width <= 2 ? two(m.year % 100) : String(m.year).padStart(4, "0");
}

function month(m: Moment, width: number): string {
  const name = MONTHS[m.month - 1] ?? "";
  if (width === 1) return String(m.month);
  if (width === 2) return two(m.month);
  return width === 3 ? name.slice(0, 3) : width === 5 ? name.slice(0, 1) : name;
}

function day(m: Moment, width: number): string {
  const name = DAYS[m.weekday] ?? "";
  if (width === 1) return String(m.day);
  if (width === 2) return two(m.day);
  return width === 3 ? name.slice(0, 3) : name;
}

const padded = (n: number, width: number): string => (width === 1 ? String(n) : two(n));

/** [h], [m], [s]: all that has passed, not the time of day. */
function elapsed(serial: number, unit: string): string {
  const perDay = unit.startsWith("h") ? 24 : unit.startsWith("m") ? 1440 : 86_400;
  return String(Math.floor(Math.abs(serial) * perDay + 1e-7)).padStart(unit.length, "0");
}

/** An m is minutes after an hour or before seconds. */
function isMinute(tokens: readonly string[], at: number): boolean {
  const letters = (t: string | undefined): string =>
    t !== undefined && /^\[?[ymdhs]/i.test(t) ? (t.replace("[", "")[0]?.toLowerCase() ?? "") : "";
  const before = tokens
    .slice(0, at)
    .map(letters)
    .findLast((l) => l !== "");
  const next = tokens
    .slice(at + 1)
    .map(letters)
    .find((l) => l !== "");
  return before === "h" || next === "s";
}

/** @returns undefined when the number is no date */
export function formatDate(serial: number, pattern: string): string | undefined {
  const m = momentOf(serial);
  if (m === undefined) return undefined;
  const { tokens, twelve } = readPattern(pattern);
  return tokens.map(({ text, minute }) => shown(text, { m, serial, twelve, minute })).join("");
}

interface Pattern {
  readonly tokens: readonly { readonly text: string; readonly minute: boolean }[];
  readonly twelve: boolean;
}

/** Patterns read so far: a column of dates has one. */
const patterns = new Map<string, Pattern>();
const MOST_PATTERNS = 200;

function readPattern(pattern: string): Pattern {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const texts = pattern.match(TOKEN) ?? [];
  const tokens = texts.map((text, i) => ({ text, minute: isMinute(texts, i) }));
  const read = { tokens, twelve: texts.some((t) => /^(am\/pm|a\/p)$/i.test(t)) };
  if (patterns.size >= MOST_PATTERNS) patterns.clear();
  patterns.set(pattern, read);
  return read;
}

interface Context {
  readonly m: Moment;
  readonly serial: number;
  readonly twelve: boolean;
  readonly minute: boolean;
}

function shown(token: string, { m, serial, twelve, minute }: Context): string {
  const lower = token.toLowerCase();
  const width = token.length;
  if (token.startsWith('"')) return token.slice(1, -1);
  if (token.startsWith("\\")) return token.slice(1);
  if (/^\[[hms]/.test(lower)) return elapsed(serial, lower.slice(1, -1));
  if (lower === "am/pm") return m.hour < 12 ? "AM" : "PM";
  if (lower === "a/p") return m.hour < 12 ? "A" : "P";
  if (/^\.0+$/.test(token))
    return `.${String(m.millisecond)
      .padStart(3, "0")
      .padEnd(width - 1, "0")
      .slice(0, width - 1)}`;
  switch (lower[0]) {
    case "y":
      return year(m, width);
    case "m":
      return minute ? padded(m.minute, width) : month(m, width);
    case "d":
      return day(m, width);
    case "h":
      return padded(twelve ? m.hour % 12 || 12 : m.hour, width);
    case "s":
      return padded(m.second, width);
    default:
      return token;
  }
}
