/** autoResizeDimensions: sizes by what the cells show. What shows nothing gets the default size. */
import type { DimensionSpan, Sheet } from "../book.ts";
import { isRich } from "../cell.ts";
import { COLUMN_WIDTH, ROW_HEIGHT } from "../defaults.ts";
import { invalid } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { intersects, rectOf } from "../ranges.ts";
import { FORMATTED, Renderer } from "../render.ts";
import { sizeOf } from "../structure.ts";
import { textHeight, textWidth } from "../text-size.ts";
import { changeSpans, setSpans } from "./dimensions.ts";
import { type Context, type Handlers, type Stretch, stretchAt } from "./request.ts";

/** Cells merged along the dimension: their text is spread over more than one column or row. */
function spread({ state }: Sheet, { dimension }: Stretch): (row: number, column: number) => boolean {
  const along = state.features.merges
    .map(rectOf)
    .filter((m) => (dimension === "ROWS" ? m.endRow - m.startRow : m.endColumn - m.startColumn) > 1);
  return (row, column) => along.some((m) => intersects(m, { startRow: row, endRow: row + 1, startColumn: column, endColumn: column + 1 }));
}

function widthOf({ state }: Sheet, column: number): number {
  const size = state.columns.find((span) => column >= span.start && column < span.end)?.properties["pixelSize"];
  return typeof size === "number" ? size : COLUMN_WIDTH;
}

/** The size of each row or column of the stretch that shows something. */
function fitted({ book }: Context, stretch: Stretch): Map<number, number> {
  const { sheet, dimension, start, end } = stretch;
  const renderer = new Renderer(book);
  const isSpread = spread(sheet, stretch);
  const sizes = new Map<number, number>();
  for (const [row, cells] of sheet.grid.entries())
    for (const [column, cell] of cells.entries()) {
      const index = dimension === "ROWS" ? row : column;
      if (cell === undefined || index < start || index >= end || isSpread(row, column)) continue;
      const text = String(renderer.cell(sheet, cell, { row, column }, FORMATTED) ?? "");
      if (text === "") continue;
      const format = (isRich(cell) ? cell.format : undefined) ?? {};
      const size = dimension === "ROWS" ? textHeight(text, format, widthOf(sheet, column)) : textWidth(text, format);
      sizes.set(index, Math.max(sizes.get(index) ?? 0, size));
    }
  return sizes;
}

/** Runs of one size, in order; the default size is left out. */
function spansOf(sizes: ReadonlyMap<number, number>, usual: number): DimensionSpan[] {
  const spans: DimensionSpan[] = [];
  for (const [start, pixelSize] of [...sizes].toSorted(([a], [b]) => a - b)) {
    const last = spans.at(-1);
    if (pixelSize === usual) continue;
    if (last?.end === start && last.properties["pixelSize"] === pixelSize) spans[spans.length - 1] = { ...last, end: start + 1 };
    else spans.push({ start, end: start + 1, properties: { pixelSize } });
  }
  return spans;
}

/** Two sorted lists of spans as one; where both have a property, the second list's counts. */
function joined(below: readonly DimensionSpan[], above: readonly DimensionSpan[]): DimensionSpan[] {
  const edges = [...new Set([...below, ...above].flatMap(({ start, end }) => [start, end]))].toSorted((a, b) => a - b);
  const spans: DimensionSpan[] = [];
  let [b, a] = [0, 0];
  for (const [i, start] of edges.slice(0, -1).entries()) {
    while ((below[b]?.end ?? Infinity) <= start) b += 1;
    while ((above[a]?.end ?? Infinity) <= start) a += 1;
    const covering = [below[b], above[a]].filter((span) => span !== undefined && span.start <= start);
    const properties = Object.assign({}, ...covering.map((span) => span?.properties)) as JsonObject;
    if (covering.length > 0) spans.push({ start, end: edges[i + 1] ?? start, properties });
  }
  return spans;
}

export const AUTO_RESIZE_HANDLERS: Handlers = {
  autoResizeDimensions(context, request) {
    if (request["dataSourceSheetDimensions"] !== undefined) throw invalid("data sources are not supported by this emulator.");
    const asked = stretchAt(context.book, request, "dimensions");
    const { sheet, dimension } = asked;
    const stretch = { ...asked, end: Math.min(asked.end, sizeOf(sheet, dimension)) };
    if (stretch.start >= stretch.end) return undefined;
    const spans = spansOf(fitted(context, stretch), dimension === "ROWS" ? ROW_HEIGHT : COLUMN_WIDTH);
    changeSpans(stretch, ({ pixelSize: _size, ...old }) => old);
    setSpans(stretch, joined(dimension === "ROWS" ? sheet.state.rows : sheet.state.columns, spans));
    return undefined;
  },
};
