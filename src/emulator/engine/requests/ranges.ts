/** insertRange and deleteRange: cells of a block push the others of their rows or columns along, or let them close up. */
import type { Rect } from "../a1.ts";
import type { Dimension } from "../axis.ts";
import { type Book, growTo, type Sheet } from "../book.ts";
import { isBlank } from "../cell.ts";
import { invalid } from "../errors.ts";
import { type JsonObject, stringAt } from "../json.ts";
import { contains, intersects, overlap, rectOf } from "../ranges.ts";
import { dimensionOf, type Handlers, setFeatures, targetAt } from "./request.ts";

/** The block and all that lies behind it in the direction of the shift. */
function behind({ state }: Sheet, rect: Rect, shift: Dimension): Rect {
  return shift === "ROWS"
    ? { ...rect, endRow: Math.max(state.rowCount, rect.endRow) }
    : { ...rect, endColumn: Math.max(state.columnCount, rect.endColumn) };
}

/** Merges behind the block move along. @throws Refusal when one would be cut */
function shiftMerges(sheet: Sheet, area: Rect, shift: Dimension, by: number): void {
  const keys = shift === "ROWS" ? (["startRowIndex", "endRowIndex"] as const) : (["startColumnIndex", "endColumnIndex"] as const);
  const merges = sheet.state.features.merges.map((merge): JsonObject => {
    if (!intersects(rectOf(merge), area)) return merge;
    if (!contains(area, rectOf(merge))) throw invalid("You can't shift cells that cut a merged range. Please unmerge and try again.");
    return { ...merge, [keys[0]]: Number(merge[keys[0]]) + by, [keys[1]]: Number(merge[keys[1]]) + by };
  });
  setFeatures(sheet, { merges });
}

function insert(book: Book, sheet: Sheet, rect: Rect, shift: Dimension): void {
  const { grid } = sheet;
  const area = behind(sheet, rect, shift);
  const [rows, columns] = shift === "ROWS" ? [rect.endRow - rect.startRow, 0] : [0, rect.endColumn - rect.startColumn];
  shiftMerges(sheet, area, shift, rows + columns);
  for (let row = Math.min(area.endRow, grid.used) - 1; row >= area.startRow; row--)
    for (let column = Math.min(area.endColumn, grid.row(row)?.length ?? 0) - 1; column >= area.startColumn; column--) {
      const cell = grid.cell(row, column);
      if (cell === undefined) continue;
      if (!isBlank(cell)) growTo(book, sheet, row + rows + 1, column + columns + 1);
      const fits = row + rows < sheet.state.rowCount && column + columns < sheet.state.columnCount;
      if (fits) grid.set(row + rows, column + columns, cell);
      grid.set(row, column, undefined);
    }
}

function remove(sheet: Sheet, rect: Rect, shift: Dimension): void {
  const { grid } = sheet;
  const area = behind(sheet, rect, shift);
  const [rows, columns] = shift === "ROWS" ? [rect.endRow - rect.startRow, 0] : [0, rect.endColumn - rect.startColumn];
  const left = sheet.state.features.merges.filter((merge) => !contains(rect, rectOf(merge)));
  setFeatures(sheet, { merges: left });
  shiftMerges(
    sheet,
    shift === "ROWS" ? { ...area, startRow: rect.endRow } : { ...area, startColumn: rect.endColumn },
    shift,
    -(rows + columns),
  );
  for (let row = area.startRow; row < Math.min(area.endRow, grid.used); row++)
    for (let column = area.startColumn; column < Math.min(area.endColumn, widest(sheet, row, rows)); column++)
      grid.set(row, column, grid.cell(row + rows, column + columns));
}

/** How far a row, or the one that takes its place, reaches. */
const widest = ({ grid }: Sheet, row: number, rows: number): number =>
  Math.max(grid.row(row)?.length ?? 0, grid.row(row + rows)?.length ?? 0);

export const RANGE_HANDLERS: Handlers = {
  insertRange({ book }, request) {
    const target = targetAt(book, request, "range");
    insert(book, target.sheet, overlap(target), dimensionOf(stringAt(request, "shiftDimension")));
    return undefined;
  },

  deleteRange({ book }, request) {
    const target = targetAt(book, request, "range");
    remove(target.sheet, overlap(target), dimensionOf(stringAt(request, "shiftDimension")));
    return undefined;
  },
};
