/** Ranges of values as answers show them. */
import type { sheets_v4 } from "@googleapis/sheets";
import { type Rect, rangeName } from "./a1.ts";
import { formatted } from "./cell-data.ts";
import { isFailure, resultOf } from "./constant-formula.ts";
import { isDateFormat } from "./number-formats.ts";
import {
  type Cell,
  type Dimension,
  isBlank,
  richCell,
  type Scalar,
  type Sheet,
} from "./spreadsheet.ts";

export interface ReadOptions {
  readonly major: Dimension;
  readonly value: "FORMATTED_VALUE" | "UNFORMATTED_VALUE" | "FORMULA";
  readonly date: "SERIAL_NUMBER" | "FORMATTED_STRING";
}

export const readOptions = (major: unknown, value: unknown, date: unknown): ReadOptions => ({
  major: major === "COLUMNS" ? major : "ROWS",
  value: value === "UNFORMATTED_VALUE" || value === "FORMULA" ? value : "FORMATTED_VALUE",
  date: date === "FORMATTED_STRING" ? date : "SERIAL_NUMBER",
});

/** A cell as values.get answers it; undefined when there is nothing to read. */
function rendered(cell: Cell | null, { value: as, date }: ReadOptions): Scalar | undefined {
  if (isBlank(cell)) return undefined;
  const { formula, format } = richCell(cell);
  if (as === "FORMULA" && formula !== undefined) return formula;
  const value = resultOf(cell);
  if (value === undefined || isFailure(value)) return formatted(value, format);
  const isDate = typeof value === "number" && isDateFormat(format);
  return as === "FORMATTED_VALUE" || (isDate && date === "FORMATTED_STRING")
    ? formatted(value, format)
    : value;
}

/** A ValueRange: trailing blanks are left out, and `values` when nothing is left. */
export function readRange(
  sheet: Sheet,
  rect: Rect,
  options: ReadOptions,
): sheets_v4.Schema$ValueRange {
  const rows = sheet.rows
    .slice(rect.startRow, rect.endRow)
    .map((row) =>
      trimmed(
        (row?.cells ?? [])
          .slice(rect.startColumn, rect.endColumn)
          .map((cell) => rendered(cell, options)),
      ),
    );
  const lists = options.major === "ROWS" ? rows : transposed(rows).map(trimmed);
  const values = lists.map((list) => Array.from(list, (value) => value ?? ""));
  const last = values.findLastIndex((list) => list.length > 0);
  return {
    range: rangeName(sheet.title, rect),
    majorDimension: options.major,
    ...(last < 0 ? {} : { values: values.slice(0, last + 1) }),
  };
}

export type Lists<T> = readonly (readonly (T | undefined)[])[];

/** Without the blanks at the end. */
export const trimmed = <T>(list: readonly (T | undefined)[]): readonly (T | undefined)[] =>
  list.slice(0, list.findLastIndex((item) => item !== undefined) + 1);

/** Columns of rows, or rows of columns. */
export function transposed<T>(lists: Lists<T>): Lists<T> {
  const width = lists.reduce((most, list) => Math.max(most, list.length), 0);
  return Array.from({ length: width }, (_, i) => lists.map((list) => list[i]));
}
