/** What USER_ENTERED makes of a string, as if it had been typed into the cell: formula, boolean, number, date or text. */
import { MONTHS, serialOf } from "./number-formats.ts";
import type { NumberFormat, RichCell } from "./spreadsheet.ts";

/** What is entered into a cell; the format comes with the spelling. */
export type Entered = Omit<RichCell, "note">;

/** Digits with optional groups, decimals and exponent. */
const DIGITS = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?|\d{1,3}(?:,\d{3})+(?:\.\d*)?)$/i;
const CURRENCIES = "$€£¥₹₩₽₺₪₫฿₴₱";
const NUMBER = new RegExp(
  `^(?<open>\\()?(?<sign>[+-])?(?<before>[${CURRENCIES}])?(?<inner>[+-])? ?(?<digits>[^%()]*?) ?(?<after>[${CURRENCIES}%])?(?<close>\\))?$`,
  "u",
);

/** The number that a text is, with the format of its spelling; undefined when it is none. */
function parseNumber(text: string): Entered | undefined {
  const { open, sign, before, inner, digits = "", after, close } = NUMBER.exec(text)?.groups ?? {};
  const signs = [open, sign, inner].filter((mark) => mark !== undefined);
  const value = Number(digits.replaceAll(",", ""));
  if (!DIGITS.test(digits) || !Number.isFinite(value)) return undefined;
  if ((open === undefined) !== (close === undefined) || signs.length > 1) return undefined;
  if (before !== undefined && after !== undefined) return undefined;
  const signed = signs.some((mark) => mark !== "+") ? -value : value;
  return {
    value: signed / (after === "%" ? 100 : 1),
    format: formatOf(digits, before, after),
  };
}

function formatOf(
  digits: string,
  before: string | undefined,
  after: string | undefined,
): NumberFormat | undefined {
  const decimals = digits.includes(".");
  if (after === "%") return { type: "PERCENT", pattern: decimals ? "0.00%" : "0%" };
  const pattern = decimals ? "#,##0.00" : "#,##0";
  if (before !== undefined) return { type: "CURRENCY", pattern: `"${before}"${pattern}` };
  if (after !== undefined) return { type: "CURRENCY", pattern: `${pattern} "${after}"` };
  if (/e/i.test(digits)) return { type: "SCIENTIFIC", pattern: "0.00E+00" };
  return digits.includes(",") ? { type: "NUMBER", pattern } : undefined;
}

interface Moment {
  /** Days since 1899-12-30, or a part of a day. */
  readonly serial: number;
  readonly pattern: string;
}

function dayAt(year: number, month: number, day: number, pattern: string): Moment | undefined {
  const serial = year < 1 || year > 9999 ? undefined : serialOf(year, month, day);
  return serial === undefined ? undefined : { serial, pattern };
}

const fullYear = (text: string): number =>
  text.length > 2 ? Number(text) : Number(text) + (Number(text) < 30 ? 2000 : 1900);

/** 1 to 12 for a month's name or short name, else 0: no month. */
function monthNamed(name: string): number {
  const lower = name.toLowerCase();
  const short = lower === "sept" ? "sep" : lower;
  return (
    MONTHS.findIndex((m) => [m, m.slice(0, 3)].some((known) => known.toLowerCase() === short)) + 1
  );
}

/** What needs today's date to be understood ("1/2", "Monday") stays text. */
function parseDay(text: string): Moment | undefined {
  const [, year, mark = "", m = "", d = ""] =
    /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/.exec(text) ?? [];
  if (year !== undefined) {
    const pattern = ["yyyy", m.length === 2 ? "mm" : "m", d.length === 2 ? "dd" : "d"];
    return dayAt(Number(year), Number(m), Number(d), pattern.join(mark));
  }
  const american = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$/.exec(text);
  if (american !== null) {
    const [, month = "", separator, day = "", y = ""] = american;
    const shown = (digits: string, letter: string): string =>
      digits.startsWith("0") && digits.length === 2 ? letter + letter : letter;
    const pattern = [shown(month, "m"), shown(day, "d"), y.length === 4 ? "yyyy" : "yy"];
    return dayAt(fullYear(y), Number(month), Number(day), pattern.join(separator));
  }
  const shown = (name: string): string => (name.length > 4 ? "mmmm" : "mmm");
  const [, first, day, y] = /^([a-z]+)\.? (\d{1,2}),? (\d{4})$/i.exec(text) ?? [];
  if (first !== undefined)
    return dayAt(Number(y), monthNamed(first), Number(day), `${shown(first)} d, yyyy`);
  const [, date, space = "", name = "", y2] =
    /^(\d{1,2})([- ])([a-z]+)\2(\d{4})$/i.exec(text) ?? [];
  if (date === undefined) return undefined;
  return dayAt(Number(y2), monthNamed(name), Number(date), ["d", shown(name), "yyyy"].join(space));
}

const TIME = /^(\d{1,4}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?(?: ?([ap]m))?$/i;

/** The fraction of a day; more than a day is a duration. */
function parseTime(text: string): Moment | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, hours = "", minutes = "", seconds, millis = "", half] = match;
  const [h, m, s] = [Number(hours), Number(minutes), Number(`${seconds ?? 0}${millis}`)];
  if (m > 59 || s >= 60 || (half !== undefined && (h < 1 || h > 12))) return undefined;
  const hour = half === undefined ? h : (h % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
  const head = h > 23 ? "[h]" : /^0\d/.test(hours) ? "hh" : "h";
  const tail = `${seconds === undefined ? "" : ":ss"}${millis.replaceAll(/\d/g, "0")}${half === undefined ? "" : " am/pm"}`;
  return { serial: (hour * 3600 + m * 60 + s) / 86_400, pattern: `${head}:mm${tail}` };
}

/** @returns undefined when the text is neither a date nor a time */
function parseDate(text: string): Entered | undefined {
  const dated = (type: string, { serial, pattern }: Moment): Entered => ({
    value: serial,
    format: { type, pattern },
  });
  const [date, time] = [parseDay(text), parseTime(text)];
  if (date !== undefined) return dated("DATE", date);
  if (time !== undefined) return dated("TIME", time);
  const [, first, second] = /^(.*\d) +(\d{1,2}:.*)$/.exec(text) ?? [];
  const [day, clock] = [parseDay(first ?? ""), parseTime(second ?? "")];
  if (day === undefined || clock === undefined || clock.serial >= 1) return undefined;
  return dated("DATE_TIME", {
    serial: day.serial + clock.serial,
    pattern: `${day.pattern} ${clock.pattern}`,
  });
}

/** No number or date is longer. */
const LONGEST_NUMBER = 60;

/** Reads a string as typed. A leading apostrophe makes text of anything; a lone "=" is text. */
export function parseInput(text: string): Entered {
  if (text.startsWith("'")) return { value: text.slice(1) };
  const trimmed = text.trim();
  if (trimmed.startsWith("=") && trimmed.length > 1) return { formula: trimmed };
  if (/^(true|false)$/i.test(trimmed)) return { value: trimmed.toLowerCase() === "true" };
  if (trimmed.length > LONGEST_NUMBER || !/\d/.test(trimmed)) return { value: text };
  return parseNumber(trimmed) ?? parseDate(trimmed) ?? { value: text };
}
