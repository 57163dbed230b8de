import { impossible } from "../base/never.ts";
import type { Cell } from "./snapshot.ts";
import type { ColumnType } from "./types.ts";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** RFC 3339's date, alone or with a time; a blank in the place of the T, as Sheets writes it. */
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

function toNumber(value: string | number | boolean): number | undefined {
  const number = typeof value === "string" && NUMBER.test(value.trim()) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function toDate(value: string | number | boolean): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? text.replace(" ", "T") : undefined;
}

function toBoolean(value: string | number | boolean): boolean | undefined {
  if (typeof value === "boolean") return value;
  return typeof value === "string" ? { true: true, false: false }[value.trim().toLowerCase()] : undefined;
}

/** Text as the sheet shows it: TRUE, not true. */
const toText = (value: string | number | boolean): string => (typeof value === "boolean" ? String(value).toUpperCase() : String(value));

/**
 * One cell as its column's type wants it.
 * @param value as `values.batchGet` gives it with UNFORMATTED_VALUE and FORMATTED_STRING. An empty cell is "" or null.
 * @returns null for an empty cell; undefined when the value does not fit. Numbers and booleans kept as text fit; a `date` is
 * ISO 8601 text, because any other format depends on the spreadsheet's locale.
 */
export function readCell(value: string | number | boolean | null, type: ColumnType): Cell | undefined {
  if (value === null || value === "") return null;
  switch (type) {
    case "auto":
      return value;
    case "string":
      return toText(value);
    case "number":
      return toNumber(value);
    case "integer": {
      const number = toNumber(value);
      return Number.isSafeInteger(number) ? number : undefined;
    }
    case "boolean":
      return toBoolean(value);
    case "date":
      return toDate(value);
    default:
      return impossible(type);
  }
}

/** What one cell of a sheet may hold, in UTF-16 code units. */
export const LONGEST_CELL = 50_000;

/**
 * The inverse of `readCell`: a value that a client wants in a cell of this type.
 * @returns the value as it goes into the sheet (text stays text, whatever it looks like; null empties the cell), or what was expected
 * in its place. What is written and read again is what was written; only a date's blank becomes a T.
 */
export function writeCell(
  value: Cell,
  type: ColumnType,
): { readonly is: "cell"; readonly cell: Cell } | { readonly is: "misfit"; readonly expected: string } {
  if (typeof value === "string") {
    if (value.length > LONGEST_CELL) return misfit(`at most ${LONGEST_CELL} characters, and these are ${value.length}`);
    if (!value.isWellFormed() || value.includes("\u0000")) return misfit("text of whole characters, without NUL");
  }
  if (value === null || value === "") return { is: "cell", cell: null };
  if (typeof value === "number" && !Number.isFinite(value)) return misfit("a finite number");
  const [fits, expected] = fitting(value, type);
  if (!fits) return misfit(expected);
  return { is: "cell", cell: type === "date" ? (readCell(value, type) ?? null) : value };
}

const misfit = (expected: string): { readonly is: "misfit"; readonly expected: string } => ({ is: "misfit", expected });

/** JSON has types of its own: a number in quotes is text, and would be read back as one by whoever opens the sheet. */
function fitting(value: string | number | boolean, type: ColumnType): readonly [boolean, string] {
  switch (type) {
    case "auto":
      return [true, ""];
    case "string":
      return [typeof value === "string", "text"];
    case "number":
      return [typeof value === "number", "a number"];
    case "integer":
      return [Number.isSafeInteger(value), "a whole number up to 2^53-1"];
    case "boolean":
      return [typeof value === "boolean", "true or false"];
    case "date":
      return [toDate(value) !== undefined, "a date such as 2026-05-09 or 2026-05-09T18:30:00Z"];
    default:
      return impossible(type);
  }
}
