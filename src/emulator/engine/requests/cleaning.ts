/** trimWhitespace and deleteDuplicates. */
import { isRich, toRich } from "../cell.ts";
import { invalid } from "../errors.ts";
import { intAt, type JsonObject, objectsAt, withoutDefaults } from "../json.ts";
import { overlap, type Target } from "../ranges.ts";
import { FORMATTED, Renderer } from "../render.ts";
import { type Handlers, targetAt } from "./request.ts";
import type { Rect } from "../a1.ts";

function columnsOf(request: JsonObject, rect: Rect): number[] {
  const ranges = objectsAt(request, "comparisonColumns");
  const all = Array.from({ length: rect.endColumn - rect.startColumn }, (_, i) => rect.startColumn + i);
  if (ranges.length === 0) return all;
  const chosen = ranges.map((r) => ({ start: intAt(r, "startIndex") ?? 0, end: intAt(r, "endIndex") ?? rect.endColumn }));
  const outside = chosen.find(({ start, end }) => start < rect.startColumn || end > rect.endColumn);
  if (outside !== undefined) throw invalid(`comparisonColumns [${outside.start}, ${outside.end}) must lie in the range.`);
  return all.filter((column) => chosen.some(({ start, end }) => column >= start && column < end));
}

/** Rows that say in some columns what an earlier one says, without regard to case. */
function duplicates({ sheet }: Target, renderer: Renderer, rect: Rect, columns: readonly number[]): Set<number> {
  const seen = new Set<string>();
  const found = new Set<number>();
  for (let row = rect.startRow; row < Math.min(rect.endRow, sheet.grid.used); row++) {
    const key = JSON.stringify(columns.map((c) => String(renderer.render(sheet, row, c, FORMATTED) ?? "").toLowerCase()));
    if (seen.has(key)) found.add(row);
    else seen.add(key);
  }
  return found;
}

export const CLEANING_HANDLERS: Handlers = {
  trimWhitespace({ book }, request) {
    const target = targetAt(book, request, "range");
    const rect = overlap(target);
    const { grid } = target.sheet;
    let cellsChangedCount = 0;
    for (let row = rect.startRow; row < Math.min(rect.endRow, grid.used); row++)
      for (let column = rect.startColumn; column < Math.min(rect.endColumn, grid.row(row)?.length ?? 0); column++) {
        const cell = grid.cell(row, column);
        const { value } = toRich(cell);
        if (typeof value !== "string") continue;
        const text = value.trim().replace(/\s+/g, " ");
        if (text === value) continue;
        cellsChangedCount += 1;
        grid.set(row, column, isRich(cell) ? { ...cell, value: text } : text === "" ? undefined : text);
      }
    return withoutDefaults({ cellsChangedCount });
  },

  deleteDuplicates({ book }, request) {
    const target = targetAt(book, request, "range");
    const rect = overlap(target);
    const { grid } = target.sheet;
    const gone = duplicates(target, new Renderer(book), rect, columnsOf(request, rect));
    const end = Math.min(rect.endRow, grid.used);
    let to = rect.startRow;
    for (let row = rect.startRow; row < end; row++) {
      if (gone.has(row)) continue;
      if (to !== row) for (let column = rect.startColumn; column < rect.endColumn; column++) grid.set(to, column, grid.cell(row, column));
      to += 1;
    }
    for (let row = end - 1; row >= to; row--)
      for (let column = rect.startColumn; column < rect.endColumn; column++) grid.set(row, column, undefined);
    return withoutDefaults({ duplicatesRemovedCount: gone.size });
  },
};
