/** mergeCells and unmergeCells. A merge keeps its first cell's value; merges are never cut, only replaced or removed whole. */
import type { Rect } from "../a1.ts";
import { invalid } from "../errors.ts";
import { enter } from "../cell.ts";
import { type JsonObject, stringAt } from "../json.ts";
import { contains, gridRange, intersects, overlap, rectOf, type Target } from "../ranges.ts";
import { type Handlers, setFeatures, targetAt } from "./request.ts";

/** The merges outside a rectangle. @throws Refusal when the rectangle cuts one */
function outside({ sheet }: Target, rect: Rect): JsonObject[] {
  return sheet.state.features.merges.filter((merge) => {
    const area = rectOf(merge);
    if (!intersects(area, rect)) return true;
    if (!contains(rect, area)) throw invalid("You must select all cells in a merged range to merge or unmerge them.");
    return false;
  });
}

function pieces(rect: Rect, type: string): Rect[] {
  const { startRow, endRow, startColumn, endColumn } = rect;
  if (type === "MERGE_ROWS")
    return Array.from({ length: endRow - startRow }, (_, i) => ({ ...rect, startRow: startRow + i, endRow: startRow + i + 1 }));
  if (type === "MERGE_COLUMNS")
    return Array.from({ length: endColumn - startColumn }, (_, i) => ({
      ...rect,
      startColumn: startColumn + i,
      endColumn: startColumn + i + 1,
    }));
  return [rect];
}

const cells = (r: Rect): number => (r.endRow - r.startRow) * (r.endColumn - r.startColumn);

function keepFirst({ sheet }: Target, rect: Rect): void {
  for (let row = rect.startRow; row < Math.min(rect.endRow, sheet.grid.used); row++)
    for (let column = rect.startColumn; column < rect.endColumn; column++) {
      const cell = sheet.grid.cell(row, column);
      if (cell !== undefined && (row !== rect.startRow || column !== rect.startColumn)) sheet.grid.set(row, column, enter(cell, {}));
    }
}

export const MERGE_HANDLERS: Handlers = {
  mergeCells({ book }, request) {
    const target = targetAt(book, request, "range");
    const rect = overlap(target);
    const left = outside(target, rect);
    const made = pieces(rect, stringAt(request, "mergeType") ?? "MERGE_ALL").filter((piece) => cells(piece) > 1);
    for (const piece of made) keepFirst(target, piece);
    setFeatures(target.sheet, { merges: [...left, ...made.map((piece) => gridRange(target.sheet.state.id, piece))] });
    return undefined;
  },

  unmergeCells({ book }, request) {
    const target = targetAt(book, request, "range");
    setFeatures(target.sheet, { merges: outside(target, overlap(target)) });
    return undefined;
  },
};
