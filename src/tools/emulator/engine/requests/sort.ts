/**
 * sortRange. Ascending: numbers, text, booleans; blanks are last either way. Developer metadata follows its row, as
 * probed on the real API; where a row leaves cells behind outside of the range, it stays too.
 */
import type { Book, Sheet } from "../book.ts";
import type { Scalar } from "../cell.ts";
import { compare, isFailure } from "../constant-formula.ts";
import { invalid } from "../errors.ts";
import type { Rect } from "../a1.ts";
import { intAt, type JsonObject, objectsAt, stringAt } from "../json.ts";
import { moveRowMetadata } from "../metadata.ts";
import { overlap } from "../ranges.ts";
import { resultOf } from "../render.ts";
import { type Handlers, targetAt } from "./request.ts";

interface SortSpec {
  readonly column: number;
  readonly descending: boolean;
}

function specsOf(request: JsonObject): SortSpec[] {
  const specs = objectsAt(request, "sortSpecs").map((spec) => {
    for (const key of [
      "backgroundColor",
      "foregroundColor",
      "backgroundColorStyle",
      "foregroundColorStyle",
      "dataSourceColumnReference",
    ])
      if (spec[key] !== undefined && spec[key] !== null)
        throw invalid(`sorting by ${key} is not supported by this emulator.`);
    const column = intAt(spec, "dimensionIndex") ?? 0;
    if (column < 0) throw invalid(`dimensionIndex must not be negative: ${column}`);
    return { column, descending: stringAt(spec, "sortOrder") === "DESCENDING" };
  });
  if (specs.length === 0) throw invalid("Must specify at least one sort spec.");
  return specs;
}

type Key = Scalar | undefined;

function order(a: readonly Key[], b: readonly Key[], specs: readonly SortSpec[]): number {
  for (const [i, { descending }] of specs.entries()) {
    const [x, y] = [a[i], b[i]];
    const result =
      x === undefined || y === undefined
        ? Number(x === undefined) - Number(y === undefined)
        : compare(x, y) * (descending ? -1 : 1);
    if (result !== 0) return result;
  }
  return 0;
}

/** Whether no cell of these rows lies outside of the rectangle. */
const coversRows = (
  { grid }: Sheet,
  rows: readonly number[],
  { startColumn, endColumn }: Rect,
): boolean =>
  rows.every((row) =>
    (grid.row(row) ?? []).every(
      (cell, c) => cell === undefined || (c >= startColumn && c < endColumn),
    ),
  );

function moveRows(
  book: Book,
  sheet: Sheet,
  lines: readonly { readonly row: number; readonly to: number }[],
): void {
  const places = new Map(lines.map(({ row, to }) => [row, to]));
  moveRowMetadata(book, sheet.state.id, (row) => places.get(row) ?? row);
}

/**
 * Puts the rows of a rectangle in another order.
 * @param rows the numbers of its rows, in the new order
 */
function reorder(book: Book, sheet: Sheet, rect: Rect, rows: readonly number[]): void {
  const places = rows.toSorted((a, b) => a - b);
  const lines = rows.map((row, i) => ({
    row,
    to: places[i] ?? row,
    cells: Array.from({ length: rect.endColumn - rect.startColumn }, (_, c) =>
      sheet.grid.cell(row, rect.startColumn + c),
    ),
  }));
  if (coversRows(sheet, places, rect)) moveRows(book, sheet, lines);
  for (const { to, cells } of lines)
    for (const [c, cell] of cells.entries()) sheet.grid.set(to, rect.startColumn + c, cell);
}

/**
 * Sorts the rows of a rectangle by its `sortSpecs`.
 * @throws Refusal for specs that are none or unsupported
 */
function sortRows(book: Book, sheet: Sheet, rect: Rect, sortSpecs: JsonObject): void {
  const specs = specsOf(sortSpecs);
  const keyAt = (row: number, column: number): Key => {
    const value = resultOf(sheet.grid.cell(row, column));
    return isFailure(value) ? value.error : value;
  };
  const count = Math.max(0, Math.min(rect.endRow, sheet.grid.used) - rect.startRow);
  const places = Array.from({ length: count }, (_, i) => rect.startRow + i);
  const lines = places.map((row) => ({ row, keys: specs.map(({ column }) => keyAt(row, column)) }));
  const sorted = lines.toSorted((a, b) => order(a.keys, b.keys, specs));
  reorder(
    book,
    sheet,
    rect,
    sorted.map(({ row }) => row),
  );
}

export const SORT_HANDLERS: Handlers = {
  sortRange({ book }, request) {
    const target = targetAt(book, request, "range");
    const { sheet, area } = target;
    const { rowCount, columnCount } = sheet.state;
    if ((area.startRow ?? 0) >= rowCount)
      throw invalid(`range.startRowIndex is larger than current grid size (${rowCount})`);
    if ((area.startColumn ?? 0) >= columnCount)
      throw invalid(`range.startColumnIndex is larger than current grid size (${columnCount})`);
    sortRows(book, sheet, overlap(target), request);
    return undefined;
  },
};
