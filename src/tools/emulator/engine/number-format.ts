/** How a cell shows a number in the formats that typing brings: `#,##0.00`, `0%`, `"$"#,##0`, `#,##0 "€"`, `0.00E+00`, dates. */
import { formatDate } from "./date-format.ts";
import { general } from "./general.ts";
import type { JsonObject } from "./json.ts";

const DATES: ReadonlySet<unknown> = new Set(["DATE", "TIME", "DATE_TIME"]);

/** The format shows a date, a time or both. */
export const isDateFormat = (format: JsonObject | undefined): boolean =>
  DATES.has(format?.["type"]);

const PATTERN =
  /^(?:"(?<before>[^"]*)")?(?<groups>#,##)?0(?:\.(?<places>0+))?(?<power>E\+00)?(?<percent>%)?(?: "(?<after>[^"]*)")?$/;

/** A number as its cell shows it; in a pattern that typing never brings, as without a format. */
export function formatNumber(value: number, format: JsonObject | undefined): string {
  const { pattern } = format ?? {};
  if (typeof pattern !== "string") return general(value);
  if (isDateFormat(format)) return formatDate(value, pattern) ?? general(value);
  const layout = PATTERN.exec(pattern)?.groups;
  if (layout === undefined) return general(value);
  const { before = "", groups, places = "", power, percent = "", after } = layout;
  const size = Math.abs(value) * (percent === "" ? 1 : 100);
  const digits =
    power === undefined
      ? fixed(size, places.length, groups !== undefined)
      : scientific(size, places.length);
  const shown = `${before}${digits}${percent}${after === undefined ? "" : ` ${after}`}`;
  return value < 0 && /[1-9]/.test(digits) ? `-${shown}` : shown;
}

function scientific(size: number, places: number): string {
  const [mantissa = "", exponent = ""] = size.toExponential(places).split("e");
  const power = Number(exponent);
  return `${mantissa}E${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
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
