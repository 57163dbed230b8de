/** What USER_ENTERED makes of a string, as if it had been typed into the cell: formula, boolean, number, date or text. */
import type { Content } from "./cell.ts";
import { parseDate } from "./parse-date.ts";

const PLAIN = /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const GROUPED = /^\d{1,3}(?:,\d{3})+(?:\.\d*)?$/;

/** A magnitude: digits with optional groups, decimals and exponent. */
interface Magnitude {
  readonly value: number;
  readonly grouped: boolean;
  readonly decimals: boolean;
  readonly scientific: boolean;
}

function magnitude(text: string): Magnitude | undefined {
  const grouped = GROUPED.test(text);
  if (!grouped && !PLAIN.test(text)) return undefined;
  const value = Number(text.replaceAll(",", ""));
  if (!Number.isFinite(value)) return undefined;
  return { value, grouped, decimals: text.includes("."), scientific: /[eE]/.test(text) };
}

const CURRENCIES = "$€£¥₹₩₽₺₪₫฿₴₱";
const SHAPE = new RegExp(
  `^(?<open>\\()?(?<sign>[+-])?(?<before>[${CURRENCIES}])?(?<inner>[+-])? ?(?<digits>[^%()]*?) ?(?<after>[${CURRENCIES}%])?(?<close>\\))?$`,
  "u",
);

/** The number that a text is, with the format that comes with its spelling; undefined when it is none. */
function parseNumber(text: string): Content | undefined {
  const groups = SHAPE.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { open, sign, before, inner, digits = "", after, close } = groups;
  if (
    (open === undefined) !== (close === undefined) ||
    (open !== undefined && (sign ?? inner) !== undefined)
  )
    return undefined;
  if ((sign !== undefined && inner !== undefined) || (before !== undefined && after !== undefined))
    return undefined;
  const size = magnitude(digits);
  if (size === undefined) return undefined;
  const negative = open !== undefined || (sign ?? inner) === "-";
  const value = (negative ? -size.value : size.value) / (after === "%" ? 100 : 1);
  const numberFormat = formatOf(size, before, after);
  return numberFormat === undefined ? { value } : { value, numberFormat };
}

function formatOf(
  size: Magnitude,
  before: string | undefined,
  after: string | undefined,
): Content["numberFormat"] {
  if (after === "%") return { type: "PERCENT", pattern: size.decimals ? "0.00%" : "0%" };
  const digits = size.decimals ? "#,##0.00" : "#,##0";
  if (before !== undefined) return { type: "CURRENCY", pattern: `"${before}"${digits}` };
  if (after !== undefined) return { type: "CURRENCY", pattern: `${digits} "${after}"` };
  if (size.scientific) return { type: "SCIENTIFIC", pattern: "0.00E+00" };
  return size.grouped ? { type: "NUMBER", pattern: digits } : undefined;
}

/** No number or date is longer. */
const LONGEST_NUMBER = 60;

/** Reads a string as typed. A leading apostrophe makes text of anything; a lone "=" is text. */
export function parseInput(text: string): Content {
  if (text.startsWith("'")) return { value: text.slice(1) };
  const trimmed = text.trim();
  if (trimmed.startsWith("=") && trimmed.length > 1) return { formula: trimmed };
  if (/^(true|false)$/i.test(trimmed)) return { value: trimmed.toLowerCase() === "true" };
  if (trimmed.length > LONGEST_NUMBER || !/\d/.test(trimmed)) return { value: text };
  return parseNumber(trimmed) ?? parseDate(trimmed) ?? { value: text };
}
