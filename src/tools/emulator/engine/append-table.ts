/**
 * Where values.append writes: the API looks in the range for a "table" and goes on below it, from the table's first
 * column. A table is a block of filled cells that touch, corners included, so a gap in a lone first row splits it: after
 * [x, "", z] the last table of the sheet is C1 alone, and the next row lands in C2. Recorded, and a common surprise.
 * https://developers.google.com/workspace/sheets/api/guides/values#append_values
 */
import type { Rect } from "./a1.ts";
import { cellAt, isBlank, type Sheet } from "./spreadsheet.ts";

interface Point {
  readonly row: number;
  readonly column: number;
}

const isFilled = (sheet: Sheet, row: number, column: number): boolean =>
  !isBlank(cellAt(sheet, row, column));

/** The table that an append to `rect` goes on, if there is one. */
export function tableAt(sheet: Sheet, rect: Rect): Rect | undefined {
  const last = lastFilled(sheet, rect);
  if (last !== undefined) return blockAround(sheet, last);
  const { startRow: row, startColumn: column } = rect;
  return neighbours(sheet, { row, column })
    .map((point) => blockAround(sheet, point))
    .find(
      (block) =>
        row >= block.startRow &&
        row < block.endRow &&
        column >= block.startColumn &&
        column < block.endColumn,
    );
}

/** The filled cell of the range that is lowest, and of those the rightmost. */
function lastFilled({ rows }: Sheet, rect: Rect): Point | undefined {
  for (let row = Math.min(rect.endRow, rows.length) - 1; row >= rect.startRow; row--) {
    const cells = rows[row]?.cells.slice(0, rect.endColumn) ?? [];
    const column = cells.findLastIndex((cell) => !isBlank(cell));
    if (column >= rect.startColumn) return { row, column };
  }
  return undefined;
}

/** The nearest filled cells to the left and above: a table around an empty cell has one of them. */
function neighbours(sheet: Sheet, { row, column }: Point): readonly Point[] {
  const before = sheet.rows[row]?.cells.slice(0, column) ?? [];
  const left = before.findLastIndex((cell) => !isBlank(cell));
  let above = Math.min(row, sheet.rows.length) - 1;
  while (above >= 0 && !isFilled(sheet, above, column)) above -= 1;
  return [
    { row, column: left },
    { row: above, column },
  ].filter((point) => point.row >= 0 && point.column >= 0);
}

/** Grows a cell to the block of filled cells around it. */
function blockAround(sheet: Sheet, { row, column }: Point): Rect {
  const block = { startRow: row, endRow: row + 1, startColumn: column, endColumn: column + 1 };
  const rowTouches = (r: number): boolean =>
    sheet.rows[r]?.cells
      .slice(Math.max(0, block.startColumn - 1), block.endColumn + 1)
      .some((cell) => !isBlank(cell)) === true;
  const columnTouches = (c: number): boolean => {
    for (let r = Math.max(0, block.startRow - 1); r <= block.endRow; r++)
      if (isFilled(sheet, r, c)) return true;
    return false;
  };
  for (let grown = true; grown;) {
    grown = false;
    while (block.startRow > 0 && rowTouches(block.startRow - 1)) block.startRow -= 1;
    while (rowTouches(block.endRow)) block.endRow += 1;
    while (block.startColumn > 0 && columnTouches(block.startColumn - 1))
      [block.startColumn, grown] = [block.startColumn - 1, true];
    while (columnTouches(block.endColumn)) [block.endColumn, grown] = [block.endColumn + 1, true];
  }
  return block;
}
