/** Rows and columns: insert, delete, append, move, their sizes. */
import type { DimensionSpan, Sheet } from "../book.ts";
import { invalid } from "../errors.ts";
import { parseUpdateMask, update } from "../fieldmask.ts";
import { intAt, isTrue, type JsonObject, objectAt, optionalObject, present, stringAt } from "../json.ts";
import { appendDimension, deleteDimension, insertDimension, moveDimension, sizeOf } from "../structure.ts";
import { dimensionOf, gridWith, type Handlers, type Stretch, stretchAt } from "./request.ts";

function setSpans({ sheet, dimension }: Stretch, spans: readonly DimensionSpan[]): void {
  sheet.state = { ...sheet.state, [dimension === "ROWS" ? "rows" : "columns"]: spans };
}

/** Cuts the spans at a stretch's ends and changes what lies inside, also where nothing was said so far. */
function changeSpans(stretch: Stretch, change: (old: JsonObject) => JsonObject): void {
  const { sheet, dimension, start, end } = stretch;
  const old = dimension === "ROWS" ? sheet.state.rows : sheet.state.columns;
  const outside = old.flatMap((span): DimensionSpan[] => [
    { ...span, end: Math.min(span.end, start) },
    { ...span, start: Math.max(span.start, end) },
  ]);
  const inside: DimensionSpan[] = [];
  let at = start;
  for (const span of old) {
    const cut = { start: Math.max(span.start, start), end: Math.min(span.end, end) };
    if (cut.start >= cut.end) continue;
    if (at < cut.start) inside.push({ start: at, end: cut.start, properties: change({}) });
    inside.push({ ...cut, properties: change(span.properties) });
    at = cut.end;
  }
  if (at < end) inside.push({ start: at, end, properties: change({}) });
  const kept = [...outside, ...inside].filter((span) => span.start < span.end && Object.keys(span.properties).length > 0);
  setSpans(
    stretch,
    kept.toSorted((a, b) => a.start - b.start),
  );
}

function checkInside({ sheet, dimension, start, end }: Stretch, key: string): void {
  const size = sizeOf(sheet, dimension);
  if (start >= size) throw invalid(`${key}.startIndex is larger than current grid size (${size})`);
  if (end > size) throw invalid(`${key}.endIndex is larger than current grid size (${size})`);
}

function checkPlace(sheet: Sheet, stretch: Stretch, before: boolean): void {
  const size = sizeOf(sheet, stretch.dimension);
  if (stretch.start > size) throw invalid(`range.startIndex is larger than current grid size (${size})`);
  if (stretch.start === size && !before)
    throw invalid(`range.startIndex must be less than the grid size (${size}) if inheritFromBefore is false.`);
  if (stretch.start === 0 && before) throw invalid("inheritFromBefore cannot be true if inserting at index 0.");
}

export const DIMENSION_HANDLERS: Handlers = {
  insertDimension({ book }, request) {
    const stretch = stretchAt(book, request, "range");
    const { sheet, dimension, start, end } = stretch;
    const before = isTrue(request, "inheritFromBefore");
    if (optionalObject(request, "range")?.["endIndex"] === undefined) throw invalid("range.endIndex must be specified.");
    checkPlace(sheet, stretch, before);
    insertDimension(book, sheet, { dimension, at: start, count: end - start, like: before ? "before" : "after" });
    return undefined;
  },

  deleteDimension({ book }, request) {
    const { sheet, dimension, start, end } = stretchAt(book, request, "range");
    deleteDimension(book, sheet, dimension, { start, end });
    return undefined;
  },

  appendDimension({ book }, request) {
    const sheet = gridWith(book, intAt(request, "sheetId"));
    const length = intAt(request, "length") ?? 0;
    if (length < 1) throw invalid(`length must be positive: ${length}`);
    appendDimension(book, sheet, dimensionOf(stringAt(request, "dimension")), length);
    return undefined;
  },

  moveDimension({ book }, request) {
    const stretch = stretchAt(book, request, "source");
    checkInside(stretch, "source");
    const { sheet, dimension, start, end } = stretch;
    const to = intAt(request, "destinationIndex") ?? 0;
    if (to < 0 || to > sizeOf(sheet, dimension))
      throw invalid(`destinationIndex (${to}) must be within the grid (${sizeOf(sheet, dimension)})`);
    if (to > start && to < end) throw invalid(`destinationIndex (${to}) can't be within the source [${start}, ${end}).`);
    if (to !== start && to !== end) moveDimension(book, sheet, dimension, { start, end, to });
    return undefined;
  },

  updateDimensionProperties({ book }, request) {
    const stretch = stretchAt(book, request, "range");
    checkInside(stretch, "range");
    const mask = parseUpdateMask(stringAt(request, "fields"), "DimensionProperties");
    for (const name of mask.keys())
      if (name !== "pixelSize" && name !== "hiddenByUser" && name !== "*") throw invalid(`Invalid field: ${name}`);
    const sent = present(objectAt(request, "properties"));
    const size = intAt(sent, "pixelSize");
    if (size !== undefined && (size < 0 || size > 2000)) throw invalid(`pixelSize must be between 0 and 2000: ${size}`);
    changeSpans(stretch, (old) => kept(update(old, sent, mask)));
    return undefined;
  },
};

const kept = (properties: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(properties).filter(
      ([key, value]) => (key === "pixelSize" && typeof value === "number") || (key === "hiddenByUser" && value === true),
    ),
  );
