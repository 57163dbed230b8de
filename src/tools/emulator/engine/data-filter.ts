/** DataFilters: by A1 range, by GridRange, or by developer metadata. */
import { type Book, sheetById } from "./book.ts";
import { invalid } from "./errors.ts";
import { intAt, type JsonObject, objectAt, optionalObject, stringAt } from "./json.ts";
import { lookup, within } from "./metadata.ts";
import { gridTarget, resolve, type Target } from "./ranges.ts";

/** The ranges that a filter selects; a lookup selects the rows, columns and sheets that its metadata is on. */
export function targetsOf(book: Book, filter: JsonObject): Target[] {
  const found = optionalObject(filter, "developerMetadataLookup");
  if (found === undefined) return [rangeTarget(book, filter)];
  return metadataOf(book, filter).flatMap((metadata) =>
    placesOf(book, objectAt(metadata, "location")),
  );
}

function rangeTarget(book: Book, filter: JsonObject): Target {
  const text = stringAt(filter, "a1Range");
  if (text !== undefined) return resolve(book, text);
  const range = optionalObject(filter, "gridRange");
  if (range === undefined)
    throw invalid("A data filter must specify developerMetadataLookup, a1Range or gridRange.");
  return gridTarget(book, range);
}

function placesOf(book: Book, location: JsonObject): Target[] {
  const range = optionalObject(location, "dimensionRange");
  const id = range === undefined ? intAt(location, "sheetId") : (intAt(range, "sheetId") ?? 0);
  const sheets =
    id === undefined ? book.sheets : [sheetById(book, id)].filter((s) => s !== undefined);
  const [start, end] =
    range === undefined ? [] : [intAt(range, "startIndex") ?? 0, intAt(range, "endIndex")];
  const area =
    range === undefined
      ? {}
      : range["dimension"] === "ROWS"
        ? { startRow: start, endRow: end }
        : { startColumn: start, endColumn: end };
  return sheets.map((sheet) => ({ sheet, area, single: false, text: "" }));
}

/** The developer metadata that a filter selects. */
export function metadataOf(book: Book, filter: JsonObject): JsonObject[] {
  const found = optionalObject(filter, "developerMetadataLookup");
  const test = found === undefined ? within(rangeTarget(book, filter)) : lookup(book, found);
  return book.state.metadata.filter(test);
}
