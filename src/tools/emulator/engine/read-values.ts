/** Ranges as values.get answers them: trailing blanks left out, no `values` key when nothing is left. */
import { type Rect, rangeName } from "./a1.ts";
import type { Sheet } from "./book.ts";
import { invalid } from "./errors.ts";
import type { Scalar } from "./cell.ts";
import type { JsonObject } from "./json.ts";
import { rendered, type RenderOptions } from "./render.ts";
import type { Dimension } from "./axis.ts";

/** @throws Refusal for a name that is no dimension */
export function majorDimension(given: string | undefined): Dimension {
  if (given === "ROWS" || given === "COLUMNS") return given;
  if (given === undefined || given === "" || given === "DIMENSION_UNSPECIFIED") return "ROWS";
  throw invalid(
    `Invalid value at 'major_dimension' (type.googleapis.com/google.apps.sheets.v4.Dimension), "${given}"`,
  );
}

export interface ReadOptions extends RenderOptions {
  readonly major: Dimension;
}

/** A ValueRange. */
export function valueRange(sheet: Sheet, rect: Rect, options: ReadOptions): JsonObject {
  const rows = rowsOf(sheet, rect, options);
  const values = trimmed(
    options.major === "ROWS" ? rows.map((row) => row.map((v) => v ?? "")) : transposed(rows),
  );
  const range = rangeName(sheet.state.title, rect);
  return { range, majorDimension: options.major, ...(values.length === 0 ? {} : { values }) };
}

function rowsOf(sheet: Sheet, rect: Rect, options: RenderOptions): (Scalar | undefined)[][] {
  const rows: (Scalar | undefined)[][] = [];
  const endRow = Math.min(rect.endRow, sheet.grid.used);
  for (let row = rect.startRow; row < endRow; row++) {
    const cells = sheet.grid.row(row);
    const shown: (Scalar | undefined)[] = [];
    const endColumn = Math.min(rect.endColumn, cells?.length ?? 0);
    for (let column = rect.startColumn; column < endColumn; column++) {
      const value = rendered(cells?.[column], options);
      if (value === undefined) continue;
      while (shown.length < column - rect.startColumn) shown.push(undefined);
      shown.push(value);
    }
    rows.push(shown);
  }
  return rows;
}

/** Without the empty lists at the end. */
function trimmed(lists: Scalar[][]): Scalar[][] {
  let length = lists.length;
  while (length > 0 && lists[length - 1]?.length === 0) length -= 1;
  return lists.slice(0, length);
}

/** Columns instead of rows; what was only padding in a row pads no column. */
function transposed(rows: readonly (readonly (Scalar | undefined)[])[]): Scalar[][] {
  const columns: Scalar[][] = [];
  for (const [r, row] of rows.entries())
    for (const [c, value] of row.entries()) {
      while (columns.length <= c) columns.push([]);
      if (value === undefined) continue;
      const column = columns[c] ?? [];
      while (column.length < r) column.push("");
      column.push(value);
    }
  return columns;
}
