/**
 * sortRange. Ascending: numbers, text, booleans; blank cells are last in both orders. When the range holds all cells of
 * its rows, whole rows move, and developer metadata with them, as probed on the real API. Otherwise cells move and
 * metadata stays.
 */
import type { sheets_v4 } from "@googleapis/sheets";
import type { Rect } from "./a1.ts";
import { compare, isFailure, resultOf } from "./constant-formula.ts";
import { invalid } from "./errors.ts";
import { gridRange, overlap } from "./ranges.ts";
import {
  cellAt,
  type Scalar,
  type Sheet,
  sheetWith,
  type Spreadsheet,
  withoutTrailingNulls,
  withSheet,
  writeCells,
} from "./spreadsheet.ts";

interface SortKey {
  readonly column: number;
  readonly descending: boolean;
}

function sortKeys(specs: readonly sheets_v4.Schema$SortSpec[]): SortKey[] {
  if (specs.length === 0) throw invalid("Must specify at least one sort spec.");
  return specs.map(({ dimensionIndex, sortOrder, ...others }) => {
    const [other] = Object.entries(others).find(([, value]) => value !== null) ?? [];
    if (other !== undefined)
      throw invalid(`sorting by ${other} is not supported by this emulator.`);
    const column = dimensionIndex ?? 0;
    if (column < 0) throw invalid(`dimensionIndex must not be negative: ${column}`);
    return { column, descending: sortOrder === "DESCENDING" };
  });
}

interface Line {
  readonly row: number;
  readonly values: readonly (Scalar | undefined)[];
}

function inOrder(a: Line, b: Line, keys: readonly SortKey[]): number {
  for (const [i, { descending }] of keys.entries()) {
    const [x, y] = [a.values[i], b.values[i]];
    const order =
      x === undefined || y === undefined
        ? Number(x === undefined) - Number(y === undefined)
        : compare(x, y) * (descending ? -1 : 1);
    if (order !== 0) return order;
  }
  return 0;
}

export function sortRange(
  spreadsheet: Spreadsheet,
  { range, sortSpecs }: sheets_v4.Schema$SortRangeRequest,
): Spreadsheet {
  if (range === undefined) throw invalid("Must specify range.");
  const { sheetId, area } = gridRange(spreadsheet, range);
  const sheet = sheetWith(spreadsheet, sheetId);
  const { rowCount, columns, rows } = sheet;
  if ((area.startRow ?? 0) >= rowCount)
    throw invalid(`range.startRowIndex is larger than current grid size (${rowCount})`);
  if ((area.startColumn ?? 0) >= columns.length)
    throw invalid(`range.startColumnIndex is larger than current grid size (${columns.length})`);
  const keys = sortKeys(sortSpecs ?? []);
  const rect = overlap(sheet, area);
  const count = Math.max(0, Math.min(rect.endRow, rows.length) - rect.startRow);
  const lines = Array.from({ length: count }, (_, i) => lineAt(sheet, rect.startRow + i, keys));
  const order = lines.toSorted((a, b) => inOrder(a, b, keys)).map(({ row }) => row);
  return withSheet(spreadsheet, reordered(sheet, rect, order));
}

function lineAt(sheet: Sheet, row: number, keys: readonly SortKey[]): Line {
  const values = keys.map(({ column }) => {
    const result = resultOf(cellAt(sheet, row, column));
    return isFailure(result) ? result.error : result;
  });
  return { row, values };
}

/** @param order the numbers of the rectangle's rows, in their new order */
function reordered(sheet: Sheet, rect: Rect, order: readonly number[]): Sheet {
  const { startRow, startColumn, endColumn } = rect;
  const whole = order.every((row) =>
    (sheet.rows[row]?.cells ?? []).every(
      (cell, c) => cell === null || (c >= startColumn && c < endColumn),
    ),
  );
  if (whole) {
    const rows = [...sheet.rows];
    for (const [i, row] of order.entries()) rows[startRow + i] = sheet.rows[row] ?? null;
    return { ...sheet, rows: withoutTrailingNulls(rows) };
  }
  const changes = order.flatMap((row, i) =>
    Array.from({ length: endColumn - startColumn }, (_, c) => ({
      row: startRow + i,
      column: startColumn + c,
      cell: cellAt(sheet, row, startColumn + c),
    })),
  );
  return writeCells(sheet, changes);
}
