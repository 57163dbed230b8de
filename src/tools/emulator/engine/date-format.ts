/** Dates and times in the patterns that typing brings: y M d for dates, h m s for times, [h] for durations, am/pm, .000. */
import { type Moment, momentOf } from "./serial.ts";

const TOKEN = /\[h\]|am\/pm|y+|m+|d+|h+|s+|\.0+|[^]/gi;

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const padded = (n: number, width: number): string => String(n).padStart(Math.min(width, 2), "0");

function month({ month: number }: Moment, width: number): string {
  const name = MONTHS[number - 1] ?? "";
  return width < 3 ? padded(number, width) : width === 3 ? name.slice(0, 3) : name;
}

/** An m is minutes after an hour or before seconds. */
function isMinute(tokens: readonly string[], at: number): boolean {
  const letter = (token: string): string => /^\[?([ymdhs])/i.exec(token)?.[1]?.toLowerCase() ?? "";
  const letters = tokens.map(letter);
  const before = letters.slice(0, at).findLast((l) => l !== "");
  const next = letters.slice(at + 1).find((l) => l !== "");
  return before === "h" || next === "s";
}

interface Pattern {
  readonly tokens: readonly { readonly text: string; readonly minute: boolean }[];
  readonly twelve: boolean;
}

/** Patterns read so far: a column of dates has one, and typing brings a few hundred at most. */
const patterns = new Map<string, Pattern>();

function readPattern(pattern: string): Pattern {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const texts = pattern.match(TOKEN) ?? [];
  const tokens = texts.map((text, i) => ({ text, minute: /^m/i.test(text) && isMinute(texts, i) }));
  const read = { tokens, twelve: texts.some((text) => /^am\/pm$/i.test(text)) };
  patterns.set(pattern, read);
  return read;
}

/** @returns undefined when the number is no date */
export function formatDate(serial: number, pattern: string): string | undefined {
  const m = momentOf(serial);
  if (m === undefined) return undefined;
  const { tokens, twelve } = readPattern(pattern);
  return tokens.map(({ text, minute }) => shown(text, { m, serial, twelve, minute })).join("");
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
  if (lower === "[h]") return String(Math.floor(Math.abs(serial) * 24 + 1e-7));
  if (lower === "am/pm") return m.hour < 12 ? "AM" : "PM";
  if (lower.startsWith(".0"))
    return `.${String(m.millisecond)
      .padStart(3, "0")
      .slice(0, width - 1)}`;
  switch (lower[0]) {
    case "y":
      return width <= 2 ? padded(m.year % 100, 2) : String(m.year).padStart(4, "0");
    case "m":
      return minute ? padded(m.minute, width) : month(m, width);
    case "d":
      return padded(m.day, width);
    case "h":
      return padded(twelve ? m.hour % 12 || 12 : m.hour, width);
    case "s":
      return padded(m.second, width);
    default:
      return token;
  }
}
