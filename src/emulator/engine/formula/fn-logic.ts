/** Truth, types of values, dates and times. */
import { momentOf, serialCarried } from "../serial.ts";
import { type Fn, type Functions, taking } from "./fn.ts";
import { compare, fail, flat, numberOf, real, single, truthOf, type Value } from "./value.ts";

function logical(args: readonly Value[], name: string): boolean[] {
  const known = Array.from(flat(args)).filter(({ value, fromRange }) => value !== undefined && !(fromRange && typeof value === "string"));
  if (known.length === 0) throw fail("#VALUE!", `${name} has no valid input data.`);
  return known.map(({ value }) => truthOf(value));
}

type Part = "year" | "month" | "day" | "hour" | "minute" | "second";

const moment = (part: Part): Fn =>
  taking(1, 1, ([d]) => {
    const m = momentOf(numberOf(d));
    if (m === undefined) throw fail("#NUM!", "The number is no date.");
    return m[part];
  });

function date([y, m, d]: readonly Value[]): number {
  const year = Math.trunc(numberOf(y));
  return real(serialCarried(year >= 0 && year < 1900 ? year + 1900 : year, Math.trunc(numberOf(m)), Math.trunc(numberOf(d))));
}

function time([h, m, s]: readonly Value[]): number {
  const days = (Math.trunc(numberOf(h)) * 3600 + Math.trunc(numberOf(m)) * 60 + Math.trunc(numberOf(s))) / 86_400;
  return real(days - Math.floor(days));
}

function asNumber([value]: readonly Value[]): number {
  const one = single(value);
  return typeof one === "number" ? one : Number(one === true);
}

function unavailable(): never {
  throw fail("#N/A", "");
}

export const LOGIC: Functions = {
  AND: (args) => logical(args, "AND").every(Boolean),
  OR: (args) => logical(args, "OR").some(Boolean),
  NOT: taking(1, 1, ([a]) => !truthOf(a)),
  TRUE: taking(0, 0, () => true),
  FALSE: taking(0, 0, () => false),
  NA: taking(0, 0, unavailable),
  EQ: taking(2, 2, ([a, b]) => compare(single(a), single(b)) === 0),
  ISBLANK: taking(1, 1, ([a]) => single(a) === undefined),
  ISNUMBER: taking(1, 1, ([a]) => typeof single(a) === "number"),
  ISTEXT: taking(1, 1, ([a]) => typeof single(a) === "string"),
  ISLOGICAL: taking(1, 1, ([a]) => typeof single(a) === "boolean"),
  VALUE: taking(1, 1, ([a]) => numberOf(a)),
  N: taking(1, 1, asNumber),
  DATE: taking(3, 3, date),
  TIME: taking(3, 3, time),
  YEAR: moment("year"),
  MONTH: moment("month"),
  DAY: moment("day"),
  HOUR: moment("hour"),
  MINUTE: moment("minute"),
  SECOND: moment("second"),
};
