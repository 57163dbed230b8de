/** The values in a profile: each read as what it must be, or an error that names the place. */
import { DroverError } from "../base/errors.ts";
import { CLASSES } from "./traffic.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Reads one file's fields, and knows where it is when one is wrong. */
export class At {
  readonly file: string;
  constructor(file: string) {
    this.file = file;
  }
  fail(place: string, value: unknown, expected: string): never {
    const isHuge = typeof value === "number" && !Number.isFinite(value); // 1e400 is JSON
    const shown = isHuge ? "too large" : (JSON.stringify(value) ?? "missing");
    const short = shown.length > 80 ? `${shown.slice(0, 77)}…` : shown;
    throw new DroverError("DROVER_E_USAGE", `${this.file}: ${place} is ${short}: expected ${expected}`);
  }
  fields(place: string, value: unknown): Fields {
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : this.fail(place, value, "an object");
  }
  text(place: string, value: unknown, longest = 10_000): string {
    return typeof value === "string" && value !== "" && value.length <= longest ? value : this.fail(place, value, "a text");
  }
  number(place: string, value: unknown, least: number, most: number): number {
    return typeof value === "number" && value >= least && value <= most
      ? value
      : this.fail(place, value, `a number from ${least} to ${most.toLocaleString("en-US")}`);
  }
}

/** `2min`, `120s`, `2 minutes`, or seconds. */
export function secondsOf(at: At, place: string, value: unknown): number {
  if (typeof value === "number") return at.number(place, value, 0.001, 86_400);
  const [, digits, unit = "s"] =
    /^\s*(\d{1,6}(?:[.,]\d{1,3})?)\s*(s|sec|secs|seconds?|secondes?|m|min|mins|minutes?|h|hours?|heures?)?\s*$/i.exec(String(value)) ?? [];
  const found = Number(digits?.replace(",", ".")) * (/^h/i.test(unit) ? 3_600 : /^m/i.test(unit) ? 60 : 1);
  return found > 0 && found <= 86_400 ? found : at.fail(place, value, "how long it takes, such as 120, 2min or 90s");
}

/** `100/h`, `100 per hour`, `100/heure`, `2/min`, or a number an hour. */
export function perHourOf(at: At, place: string, value: unknown): number {
  if (typeof value === "number") return at.number(place, value, 0, 1e9);
  const [, digits, unit = "h"] =
    /^\s*(\d{1,9}(?:[.,]\d{1,3})?)\s*(?:(?:\/|per|par)\s*(h|hour|heure|min|minute|s|sec|second|seconde|day|d|jour|j))?\s*$/i.exec(
      String(value),
    ) ?? [];
  const times = /^h/i.test(unit) ? 1 : /^m/i.test(unit) ? 60 : /^s/i.test(unit) ? 3_600 : 1 / 24;
  return digits === undefined ? at.fail(place, value, "how often, such as 100/h") : Number(digits.replace(",", ".")) * times;
}

export type Shares = ReadonlyMap<string, number>;
export const sum = (shares: Shares): number => [...shares.values()].reduce((a, b) => a + b, 0);

/** `60`, `0.6` or `"60%"` by name. @param nameOf undefined for a name that is not expected. */
export function sharesOf(at: At, place: string, value: unknown, nameOf: (name: string) => string | undefined): Shares {
  const shares = new Map<string, number>();
  for (const [name, share] of Object.entries(at.fields(place, value))) {
    const known = nameOf(name) ?? at.fail(place, name, CLASSES.join(", "));
    shares.set(known, (shares.get(known) ?? 0) + shareOf(at, `${place}.${name}`, share));
  }
  if (sum(shares) <= 0) at.fail(place, value, "shares above 0");
  return shares;
}

export function shareOf(at: At, place: string, share: unknown): number {
  const digits = typeof share === "number" ? share : Number(/^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(String(share))?.[1] ?? Number.NaN);
  return at.number(place, Number.isNaN(digits) ? share : digits, 0, 1e6);
}
