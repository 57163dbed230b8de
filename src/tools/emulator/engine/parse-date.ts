/** Dates and times as people type them. What needs today's date to be understood ("1/2", "Monday") stays text. */
import type { Content } from "./cell.ts";
import { serialOf } from "./serial.ts";

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH =
  "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";

interface Day {
  readonly serial: number;
  readonly pattern: string;
}

const fullYear = (text: string): number =>
  text.length > 2 ? Number(text) : Number(text) + (Number(text) < 30 ? 2000 : 1900);

function day(year: number, month: number, date: number, pattern: string): Day | undefined {
  const serial = year < 1 || year > 9999 ? undefined : serialOf(year, month, date);
  return serial === undefined ? undefined : { serial, pattern };
}

const monthOf = (name: string): number => MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;

type Reader = { readonly form: RegExp; read(parts: readonly string[]): Day | undefined };

const READERS: readonly Reader[] = [
  {
    form: /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/,
    read: ([, y = "", mark = "", m = "", d = ""]) =>
      day(
        Number(y),
        Number(m),
        Number(d),
        ["yyyy", m.length === 2 ? "mm" : "m", d.length === 2 ? "dd" : "d"].join(mark),
      ),
  },
  {
    form: /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$/,
    read: ([, m = "", mark = "", d = "", y = ""]) => {
      const shown = {
        m: m.length === 2 && m.startsWith("0") ? "mm" : "m",
        d: d.length === 2 && d.startsWith("0") ? "dd" : "d",
      };
      return day(
        fullYear(y),
        Number(m),
        Number(d),
        [shown.m, shown.d, y.length === 4 ? "yyyy" : "yy"].join(mark),
      );
    },
  },
  {
    form: new RegExp(`^${MONTH}\\.? (\\d{1,2}),? (\\d{4})$`, "i"),
    read: ([, name = "", d = "", y = ""]) =>
      day(Number(y), monthOf(name), Number(d), name.length > 4 ? "mmmm d, yyyy" : "mmm d, yyyy"),
  },
  {
    form: new RegExp(`^(\\d{1,2})([- ])${MONTH}\\2(\\d{4})$`, "i"),
    read: ([, d = "", mark = "", name = "", y = ""]) =>
      day(
        Number(y),
        monthOf(name),
        Number(d),
        ["d", name.length > 4 ? "mmmm" : "mmm", "yyyy"].join(mark),
      ),
  },
];

const TIME = /^(\d{1,4}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?(?: ?([ap]m))?$/i;

/** The fraction of a day; more than a day is a duration. */
function parseTime(text: string): Day | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, hours = "", minutes = "", seconds, millis, half] = match;
  const [h, m, s] = [Number(hours), Number(minutes), Number(`${seconds ?? 0}${millis ?? ""}`)];
  if (m > 59 || s >= 60 || (half !== undefined && (h < 1 || h > 12))) return undefined;
  const hour = half === undefined ? h : (h % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
  const tail = `${seconds === undefined ? "" : ":ss"}${millis === undefined ? "" : `.${"0".repeat(millis.length - 1)}`}${half === undefined ? "" : " am/pm"}`;
  const head = h > 23 ? "[h]" : hours.length === 2 && hours.startsWith("0") ? "hh" : "h";
  return { serial: (hour * 3600 + m * 60 + s) / 86_400, pattern: `${head}:mm${tail}` };
}

function parseDay(text: string): Day | undefined {
  for (const { form, read } of READERS) {
    const parts = form.exec(text);
    if (parts !== null) return read([...parts]);
  }
  return undefined;
}

/** @returns undefined when the text is neither a date nor a time */
export function parseDate(text: string): Content | undefined {
  const date = parseDay(text);
  if (date !== undefined)
    return { value: date.serial, numberFormat: { type: "DATE", pattern: date.pattern } };
  const time = parseTime(text);
  if (time !== undefined)
    return { value: time.serial, numberFormat: { type: "TIME", pattern: time.pattern } };
  const split = /^(.*\d) +(\d{1,2}:.*)$/.exec(text);
  const [day, clock] = split === null ? [] : [parseDay(split[1] ?? ""), parseTime(split[2] ?? "")];
  if (day === undefined || clock === undefined || clock.serial >= 1) return undefined;
  return {
    value: day.serial + clock.serial,
    numberFormat: { type: "DATE_TIME", pattern: `${day.pattern} ${clock.pattern}` },
  };
}
