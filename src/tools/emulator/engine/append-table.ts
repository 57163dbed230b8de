/**
 * Where values.append writes: the API looks in the range for a "table" and goes on below it, from the table's first
 * column. A table is a block of filled cells that touch, corners included, so a gap in a lone first row splits it: after
 * [x, "", z] the last table of the sheet is C1 alone, and the next row lands in C2. Recorded, and many a user's surprise.
 * https://developers.google.com/workspace/sheets/api/guides/values#append_values
 */
import type { Rect } from "./a1.ts";
import type { Sheet } from "./book.ts";
import { isBlank } from "./cell.ts";
import type { Grid } from "./grid.ts";

/** The table that an append to `rect` goes on, if there is one. */
export function tableAt(sheet: Sheet, rect: Rect): Rect | undefined {
  const { grid } = sheet;
  const last = lastFilled(grid, rect);
  if (last !== undefined) return region(grid, last);
  const { startRow: row, startColumn: column } = rect;
  for (const seed of neighbours(grid, row, column)) {
    const found = region(grid, seed);
    if (
      row >= found.startRow &&
      row < found.endRow &&
      column >= found.startColumn &&
      column < found.endColumn
    )
      return found;
  }
  return undefined;
}

interface Point {
  readonly row: number;
  readonly column: number;
}

const filled = (grid: Grid, row: number, column: number): boolean =>
  !isBlank(grid.cell(row, column));

/** The filled cell of the range that is lowest, and of those the rightmost. */
function lastFilled(grid: Grid, rect: Rect): Point | undefined {
  for (let row = Math.min(rect.endRow, grid.used) - 1; row >= rect.startRow; row--) {
    const cells = grid.row(row);
    if (cells === undefined) continue;
    for (
      let column = Math.min(rect.endColumn, cells.length) - 1;
      column >= rect.startColumn;
      column--
    )
      if (!isBlank(cells[column])) return { row, column };
  }
  return undefined;
}

/** The nearest filled cells to the left and above: a table around an empty cell has one of them. */
function* neighbours(grid: Grid, row: number, column: number): Generator<Point> {
  const cells = grid.row(row);
  const left = cells?.findLastIndex((cell, i) => i < column && !isBlank(cell)) ?? -1;
  if (left >= 0) yield { row, column: left };
  for (let above = Math.min(row, grid.used) - 1; above >= 0; above--)
    if (filled(grid, above, column)) return yield { row: above, column };
}

/** Grows a cell to the block of filled cells around it. */
function region(grid: Grid, { row, column }: Point): Rect {
  const box = { startRow: row, endRow: row + 1, startColumn: column, endColumn: column + 1 };
  const rowTouches = (r: number): boolean => {
    const cells = grid.row(r);
    if (cells === undefined) return false;
    for (let c = Math.max(0, box.startColumn - 1); c <= box.endColumn && c < cells.length; c++)
      if (!isBlank(cells[c])) return true;
    return false;
  };
  const columnTouches = (c: number): boolean => {
    for (let r = Math.max(0, box.startRow - 1); r <= box.endRow; r++)
      if (filled(grid, r, c)) return true;
    return false;
  };
  for (let grown = true; grown;) {
    grown = false;
    while (box.startRow > 0 && rowTouches(box.startRow - 1)) box.startRow -= 1;
    while (rowTouches(box.endRow)) box.endRow += 1;
    while (box.startColumn > 0 && columnTouches(box.startColumn - 1))
      [box.startColumn, grown] = [box.startColumn - 1, true];
    while (columnTouches(box.endColumn)) [box.endColumn, grown] = [box.endColumn + 1, true];
  }
  return box;
}
