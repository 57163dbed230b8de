/** Writing cells: updateCells and appendCells. */
import type { Rect } from "../a1.ts";
import { growTo, type Sheet } from "../book.ts";
import { parseCellMask, written } from "../cell-data.ts";
import { invalid } from "../errors.ts";
import type { Mask } from "../fieldmask.ts";
import { intAt, type JsonObject, objectsAt, optionalObject, stringAt } from "../json.ts";
import { clip } from "../ranges.ts";
import { gridWith, type Handlers, targetAt } from "./request.ts";

interface Block {
  readonly sheet: Sheet;
  readonly rows: readonly (readonly JsonObject[])[];
  readonly mask: Mask;
}

const rowsOf = (request: JsonObject): (readonly JsonObject[])[] =>
  objectsAt(request, "rows").map((row) => objectsAt(row, "values"));

function put({ sheet, rows, mask }: Block, startRow: number, startColumn: number): void {
  for (const [r, row] of rows.entries())
    for (const [c, data] of row.entries()) {
      const [at, column] = [startRow + r, startColumn + c];
      sheet.grid.set(at, column, written(sheet.grid.cell(at, column), data, mask));
    }
}

/** @throws Refusal when rows reach beyond what they may fill */
function checkFits(rows: Block["rows"], bounds: Rect): void {
  for (const [r, row] of rows.entries()) {
    if (bounds.startRow + r >= bounds.endRow)
      throw invalid(
        `Attempting to write row: ${bounds.startRow + r}, beyond the last requested row of: ${bounds.endRow - 1}`,
      );
    if (bounds.startColumn + row.length > bounds.endColumn)
      throw invalid(
        `Attempting to write column: ${bounds.endColumn}, beyond the last requested column of: ${bounds.endColumn - 1}`,
      );
  }
}

/** Cells of the range that the rows don't reach lose the fields of the mask. */
function clearRest({ sheet, rows, mask }: Block, rect: Rect): void {
  for (let row = rect.startRow; row < Math.min(rect.endRow, sheet.grid.used); row++) {
    const given = rows[row - rect.startRow]?.length ?? 0;
    for (
      let column = Math.min(rect.endColumn, sheet.grid.row(row)?.length ?? 0) - 1;
      column >= rect.startColumn + given;
      column--
    ) {
      const cell = sheet.grid.cell(row, column);
      if (cell !== undefined) sheet.grid.set(row, column, written(cell, {}, mask));
    }
  }
}

export const CELL_HANDLERS: Handlers = {
  updateCells({ book }, request) {
    const mask = parseCellMask(stringAt(request, "fields"));
    const rows = rowsOf(request);
    const start = optionalObject(request, "start");
    if (start !== undefined) {
      const sheet = gridWith(book, intAt(start, "sheetId"));
      const [startRow, startColumn] = [
        intAt(start, "rowIndex") ?? 0,
        intAt(start, "columnIndex") ?? 0,
      ];
      if (startRow < 0 || startColumn < 0)
        throw invalid("start.rowIndex and start.columnIndex must not be negative.");
      checkFits(rows, {
        startRow,
        startColumn,
        endRow: sheet.state.rowCount,
        endColumn: sheet.state.columnCount,
      });
      put({ sheet, rows, mask }, startRow, startColumn);
      return undefined;
    }
    const target = targetAt(book, request, "range");
    const rect = clip(target);
    checkFits(rows, rect);
    clearRest({ sheet: target.sheet, rows, mask }, rect);
    put({ sheet: target.sheet, rows, mask }, rect.startRow, rect.startColumn);
    return undefined;
  },

  appendCells({ book }, request) {
    const mask = parseCellMask(stringAt(request, "fields"));
    if (stringAt(request, "tableId") !== undefined)
      throw invalid("tables are not supported by this emulator.");
    const sheet = gridWith(book, intAt(request, "sheetId"));
    const rows = rowsOf(request);
    const startRow = sheet.grid.filled;
    checkFits(rows, {
      startRow,
      startColumn: 0,
      endRow: Number.MAX_SAFE_INTEGER,
      endColumn: sheet.state.columnCount,
    });
    growTo(book, sheet, startRow + rows.length, 1);
    put({ sheet, rows, mask }, startRow, 0);
    return undefined;
  },
};
