/** Rows and columns: insert, delete, append, move. */
import type { Sheet } from "../book.ts";
import { invalid } from "../errors.ts";
import { intAt, isTrue, optionalObject, stringAt } from "../json.ts";
import {
  appendDimension,
  deleteDimension,
  insertDimension,
  moveDimension,
  sizeOf,
} from "../structure.ts";
import { dimensionOf, gridWith, type Handlers, type Stretch, stretchAt } from "./request.ts";

function checkInside({ sheet, dimension, start, end }: Stretch): void {
  const size = sizeOf(sheet, dimension);
  if (start >= size) throw invalid(`source.startIndex is larger than current grid size (${size})`);
  if (end > size) throw invalid(`source.endIndex is larger than current grid size (${size})`);
}

function checkPlace(sheet: Sheet, stretch: Stretch, before: boolean): void {
  const size = sizeOf(sheet, stretch.dimension);
  if (stretch.start > size)
    throw invalid(`range.startIndex is larger than current grid size (${size})`);
  if (stretch.start === size && !before)
    throw invalid(
      `range.startIndex must be less than the grid size (${size}) if inheritFromBefore is false.`,
    );
  if (stretch.start === 0 && before)
    throw invalid("inheritFromBefore cannot be true if inserting at index 0.");
}

export const DIMENSION_HANDLERS: Handlers = {
  insertDimension({ book }, request) {
    const stretch = stretchAt(book, request, "range");
    const { sheet, dimension, start, end } = stretch;
    const before = isTrue(request, "inheritFromBefore");
    if (optionalObject(request, "range")?.["endIndex"] === undefined)
      throw invalid("range.endIndex must be specified.");
    checkPlace(sheet, stretch, before);
    insertDimension(book, sheet, {
      dimension,
      at: start,
      count: end - start,
      like: before ? "before" : "after",
    });
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
    checkInside(stretch);
    const { sheet, dimension, start, end } = stretch;
    const to = intAt(request, "destinationIndex") ?? 0;
    if (to < 0 || to > sizeOf(sheet, dimension))
      throw invalid(
        `destinationIndex (${to}) must be within the grid (${sizeOf(sheet, dimension)})`,
      );
    if (to > start && to < end)
      throw invalid(`destinationIndex (${to}) can't be within the source [${start}, ${end}).`);
    if (to !== start && to !== end) moveDimension(book, sheet, dimension, { start, end, to });
    return undefined;
  },
};
