/**
 * Number format patterns: `#,##0.00`, `"$"#,##0`, `0%`, `0.00E+00`, sections with `;`, and dates (in date-format.ts).
 * https://developers.google.com/workspace/sheets/api/guides/formats
 */
import { formatDate, isDatePattern } from "./date-format.ts";
import { general } from "./general.ts";
import type { JsonObject } from "./json.ts";

/** What Sheets takes for a type without a pattern in en_US. */
const DEFAULT_PATTERNS: Readonly<Record<string, string>> = {
  NUMBER: "#,##0.00",
  PERCENT: "0.00%",
  CURRENCY: '"$"#,##0.00',
  DATE: "M/d/yyyy",
  TIME: "h:mm:ss am/pm",
  DATE_TIME: "M/d/yyyy H:mm:ss",
  SCIENTIFIC: "0.00E+00",
};

const patternOf = (format: JsonObject | undefined): string => {
  const { type, pattern } = format ?? {};
  return typeof pattern === "string" && pattern !== "" ? pattern : typeof type === "string" ? (DEFAULT_PATTERNS[type] ?? "") : "";
};

/** The format shows a date, a time or both. */
export function isDateFormat(format: JsonObject | undefined): boolean {
  const type = format?.["type"];
  if (type === "DATE" || type === "TIME" || type === "DATE_TIME") return true;
  return (type === undefined || type === "NUMBER_FORMAT_TYPE_UNSPECIFIED") && isDatePattern(patternOf(format));
}

/** A number as its cell shows it. */
export function formatNumber(value: number, format: JsonObject | undefined): string {
  const type = format?.["type"];
  const pattern = patternOf(format);
  if (pattern === "" || type === "TEXT" || pattern === "@" || pattern.toLowerCase() === "general") return general(value);
  if (isDateFormat(format)) return formatDate(value, pattern) ?? general(value);
  return inPattern(value, pattern);
}

/** Splits at ";" outside quotes: positive;negative;zero;text. */
function sections(pattern: string): string[] {
  return pattern.match(/("[^"]*"|\\.|[^;"\\])+/g) ?? [""];
}

function inPattern(value: number, pattern: string): string {
  const [positive = "", negative, zero] = sections(pattern);
  if (value < 0 && negative !== undefined) return section(-value, negative);
  if (value === 0 && zero !== undefined) return section(0, zero);
  const shown = section(Math.abs(value), positive);
  return value < 0 && /[1-9]/.test(shown) ? `-${shown}` : shown;
}

interface Layout {
  readonly before: string;
  readonly digits: string;
  readonly after: string;
}

/** Literal text around the digits. Colours and conditions in [] are not shown. */
function layout(pattern: string): Layout {
  let [before, digits, after] = ["", "", ""];
  for (const token of pattern.match(/"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|[Ee][+-]0+|[0#?.,]|./g) ?? []) {
    const isDigits = /^([0#?.,]|[Ee][+-]0+)$/.test(token);
    if (isDigits && after === "") digits += token;
    else {
      const text = literal(token);
      if (digits === "") before += text;
      else after += text;
    }
  }
  return { before, digits, after };
}

function literal(token: string): string {
  if (token.startsWith('"')) return token.slice(1, -1);
  if (token.startsWith("\\")) return token.slice(1);
  if (token.startsWith("_")) return " ";
  return token.startsWith("*") || /^\[[^$]/.test(token) ? "" : token.replace(/^\[\$([^\]-]*).*$/, "$1");
}

function section(size: number, pattern: string): string {
  const { before, digits, after } = layout(pattern);
  const percent = /%/.test(before + after) ? 100 : 1;
  if (digits === "") return before + after;
  return before + digitsOf(size * percent, digits) + after;
}

function digitsOf(size: number, digits: string): string {
  const power = /[Ee]([+-])(0+)$/.exec(digits);
  const mantissa = power === null ? digits : digits.slice(0, power.index);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const places = fraction.replace(/[^0#?]/g, "");
  if (power === null) return fixed(size, whole, places);
  const [head = "0", exponent = "0"] = size.toExponential(places.length).split("e");
  const n = Number(exponent);
  const sign = n < 0 ? "-" : power[1] === "+" ? "+" : "";
  return `${fixed(Number(head), "0", places)}E${sign}${String(Math.abs(n)).padStart(power[2]?.length ?? 1, "0")}`;
}

function fixed(size: number, whole: string, places: string): string {
  const scaled = size / 1000 ** (/,+$/.exec(whole)?.[0].length ?? 0);
  const [integer = "0", decimals = ""] = rounded(scaled, Math.min(places.length, 20)).split(".");
  const least = (whole.match(/0/g) ?? []).length;
  let shown = integer === "0" && least === 0 ? "" : integer.padStart(least, "0");
  if (/,.*[0#?]/.test(whole)) shown = shown.replace(/\B(?=(\d{3})+$)/g, ",");
  const optional = places.length - places.replace(/[#?]+$/, "").length;
  const kept = decimals.slice(0, places.length - optional) + decimals.slice(places.length - optional).replace(/0+$/, "");
  return kept === "" ? shown || (least === 0 && places === "" ? "" : shown) : `${shown}.${kept}`;
}

/** Half away from zero as people expect it: 1.005 → 1.01 though its double is below. */
function rounded(size: number, places: number): string {
  const nudged = size < 1e15 ? Number(`${Number(size.toPrecision(15))}`) : size;
  const factor = 10 ** places;
  const scaled = nudged * factor;
  return scaled < 1e15 ? (Math.round(Number(scaled.toPrecision(15))) / factor).toFixed(places) : nudged.toFixed(places);
}
