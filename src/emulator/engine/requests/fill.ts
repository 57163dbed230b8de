/**
 * autoFill and randomizeRange. autoFill continues even series of numbers and dates, and repeats
 * other cells; references in formulas move along. Series whose rule Google doesn't publish are
 * refused.
 */
import type { Sheet } from "../book.ts";
import { type Cell, isRich, slim, toRich } from "../cell.ts";
import { invalid } from "../errors.ts";
import { shifted } from "../formula/rewrite.ts";
import type { Rect } from "../a1.ts";
import { intAt, isTrue, type JsonObject, optionalObject, stringAt } from "../json.ts";
import { isDateFormat } from "../number-format.ts";
import { overlap } from "../ranges.ts";
import { smallId } from "../ids.ts";
import { type Context, dimensionOf, type Handlers, targetAt } from "./request.ts";
import { placesOf, reorder } from "./sort.ts";
import type { Dimension } from "../axis.ts";

interface Fill {
  readonly sheet: Sheet;
  readonly source: Rect;
  readonly dimension: Dimension;
  /** Cells to fill after the source; before it when negative. */
  readonly length: number;
}

function fillOf({ book }: Context, request: JsonObject): Fill {
  if (isTrue(request, "useAlternateSeries")) throw invalid("useAlternateSeries is not supported by this emulator.");
  const spelled = optionalObject(request, "sourceAndDestination");
  if (spelled === undefined) throw invalid("Must specify sourceAndDestination: this emulator does not search a range for data.");
  const target = targetAt(book, spelled, "source");
  const length = intAt(spelled, "fillLength") ?? 0;
  return { sheet: target.sheet, source: overlap(target), dimension: dimensionOf(stringAt(spelled, "dimension")), length };
}

/** The place of an offset, negative ones included, when a line repeats. */
const inTurn = (offset: number, length: number): number => ((offset % length) + length) % length;

/**
 * Continues a line of cells.
 * @returns the cell at an offset from the first, which may be negative
 */
function goesOn(line: readonly (Cell | undefined)[]): (offset: number) => Cell | undefined {
  const values = line.map((cell) => toRich(cell).value);
  const [first, second] = values;
  const format = toRich(line[0]).format?.["numberFormat"] as JsonObject | undefined;
  const step = typeof second === "number" && typeof first === "number" ? second - first : isDateFormat(format) ? 1 : undefined;
  const numbers = line.every((cell) => toRich(cell).formula === undefined) && values.every((value) => typeof value === "number");
  if (values.some((value) => typeof value === "string" && /\d$/.test(value)))
    throw invalid("filling a series of texts that end in a number is not supported by this emulator.");
  const repeated = (offset: number): Cell | undefined => line[inTurn(offset, line.length)];
  if (!numbers || typeof first !== "number" || step === undefined) return repeated;
  if (values.some((value, i) => Math.abs(value - first - step * i) > 1e-9 * Math.max(1, Math.abs(first), Math.abs(step * i))))
    throw invalid("filling a series that doesn't grow evenly is not supported by this emulator.");
  return (offset) => slim({ ...toRich(repeated(offset)), value: Number((first + step * offset).toPrecision(15)) });
}

function autoFill({ sheet, source, dimension, length }: Fill): void {
  const byRow = dimension === "ROWS";
  const [start, end] = byRow ? [source.startRow, source.endRow] : [source.startColumn, source.endColumn];
  const [across, acrossEnd] = byRow ? [source.startColumn, source.endColumn] : [source.startRow, source.endRow];
  const [from, to] = length < 0 ? [start + length, start] : [end, end + length];
  const { rowCount, columnCount } = sheet.state;
  if (from < 0 || to > (byRow ? rowCount : columnCount)) throw invalid(`fillLength (${length}) goes beyond the grid.`);
  for (let other = across; other < acrossEnd; other++) {
    const at = (index: number): [number, number] => (byRow ? [index, other] : [other, index]);
    const next = goesOn(Array.from({ length: end - start }, (_, i) => sheet.grid.cell(...at(start + i))));
    for (let index = from; index < to; index++) {
      const origin = start + inTurn(index - start, end - start);
      const cell = next(index - start);
      const by = index - origin;
      const moved =
        isRich(cell) && cell.formula !== undefined ? { ...cell, formula: shifted(cell.formula, byRow ? by : 0, byRow ? 0 : by) } : cell;
      sheet.grid.set(...at(index), moved);
    }
  }
}

export const FILL_HANDLERS: Handlers = {
  autoFill(context, request) {
    const fill = fillOf(context, request);
    const { source } = fill;
    if (fill.length !== 0 && source.endRow > source.startRow && source.endColumn > source.startColumn) autoFill(fill);
    return undefined;
  },

  /** Chance comes from the counter of ids: a log of the calls replays to the same order. */
  randomizeRange({ book, ids }, request) {
    const target = targetAt(book, request, "range");
    const rect = overlap(target);
    const rows = placesOf(target.sheet, rect);
    const drawn = rows.map((row) => ({ row, by: smallId(ids, () => false) })).toSorted((a, b) => a.by - b.by);
    const order = drawn.map(({ row }) => row);
    reorder(book, target.sheet, rect, order);
    return undefined;
  },
};
