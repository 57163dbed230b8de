/** Developer metadata: where it may be, what a lookup finds, and its one guard: an id is given once. */
import { type Book, sheetById } from "./book.ts";
import { invalid } from "./errors.ts";
import { type Ids, smallId } from "./ids.ts";
import {
  intAt,
  isTrue,
  type JsonObject,
  objectAt,
  optionalObject,
  stringAt,
  textAt,
} from "./json.ts";
import type { Target } from "./ranges.ts";
import { sizeOf } from "./structure.ts";

/** A location in the form that answers show. @throws Refusal for a place that isn't there */
export function location(book: Book, sent: JsonObject): JsonObject {
  const range = optionalObject(sent, "dimensionRange");
  if (range !== undefined) return dimensionLocation(book, range);
  const id = intAt(sent, "sheetId");
  if (id !== undefined) {
    if (sheetById(book, id) === undefined) throw invalid(`No grid with id: ${id}`);
    return { locationType: "SHEET", sheetId: id };
  }
  if (!isTrue(sent, "spreadsheet")) throw invalid("Developer metadata must have a location.");
  return { locationType: "SPREADSHEET", spreadsheet: true };
}

function dimensionLocation(book: Book, range: JsonObject): JsonObject {
  const id = intAt(range, "sheetId") ?? 0;
  const sheet = sheetById(book, id);
  if (sheet === undefined) throw invalid(`No grid with id: ${id}`);
  const dimension = stringAt(range, "dimension");
  if (dimension !== "ROWS" && dimension !== "COLUMNS")
    throw invalid("dimensionRange.dimension must be specified.");
  const start = intAt(range, "startIndex") ?? 0;
  const end = intAt(range, "endIndex") ?? sizeOf(sheet, dimension);
  const what = dimension === "ROWS" ? "row" : "column";
  if (start < 0 || end !== start + 1)
    throw invalid(
      `Developer metadata can only be associated with a single ${what}; the range was [${start}, ${end}).`,
    );
  if (end > sizeOf(sheet, dimension))
    throw invalid(
      `dimensionRange.endIndex (${end}) is beyond the grid (${sizeOf(sheet, dimension)} ${what}s).`,
    );
  const dimensionRange = {
    ...(id === 0 ? {} : { sheetId: id }),
    dimension,
    startIndex: start,
    endIndex: end,
  };
  return { locationType: dimension === "ROWS" ? "ROW" : "COLUMN", dimensionRange };
}

const VISIBILITIES = ["DOCUMENT", "PROJECT"];

function visibility(value: string | undefined): string {
  if (value !== undefined && VISIBILITIES.includes(value)) return value;
  throw invalid("Developer metadata visibility must be specified.");
}

/** @throws Refusal for an id that is taken, in the words that a fenced write relies on */
export function createMetadata(book: Book, ids: Ids, sent: JsonObject): JsonObject {
  const key = stringAt(sent, "metadataKey") ?? "";
  if (key === "") throw invalid("Developer metadata key must be specified.");
  const value = stringAt(sent, "metadataValue");
  const taken = (id: number): boolean => book.state.metadata.some((m) => m["metadataId"] === id);
  const wanted = intAt(sent, "metadataId");
  if (wanted !== undefined && wanted < 1)
    throw invalid(`Developer metadata ID must be a positive number: ${wanted}`);
  if (wanted !== undefined && taken(wanted))
    throw invalid(
      `Cannot add developer metadata with ID [${wanted}] because developer metadata with that ID already exists.`,
    );
  const metadata = {
    metadataId: wanted ?? smallId(ids, taken),
    metadataKey: key,
    ...(value === undefined ? {} : { metadataValue: value }),
    location: location(book, objectAt(sent, "location")),
    visibility: visibility(stringAt(sent, "visibility")),
  };
  checkStorage(book, metadata);
  book.state = { ...book.state, metadata: [...book.state.metadata, metadata] };
  return metadata;
}

/** Characters of keys and values that a spreadsheet itself, and each sheet with its rows and columns, may hold. */
const MOST_STORED = 30_000;

/** https://developers.google.com/workspace/sheets/api/guides/metadata; users saw these words after about 1,200 entries on rows. */
function checkStorage(book: Book, added: JsonObject): void {
  const length = (m: JsonObject): number =>
    textAt(m, "metadataKey").length + textAt(m, "metadataValue").length;
  const scope = (m: JsonObject): number | undefined => sheetIn(objectAt(m, "location"));
  const stored = book.state.metadata.reduce(
    (sum, m) => (scope(m) === scope(added) ? sum + length(m) : sum),
    0,
  );
  if (stored + length(added) > MOST_STORED)
    throw invalid("Adding the requested developer metadata would exceed the allowed storage limit");
}

/** Takes the metadata of a sheet's rows to where the rows go. */
export function moveRowMetadata(book: Book, sheetId: number, place: (row: number) => number): void {
  const metadata = book.state.metadata.map((m) => {
    const at = objectAt(m, "location");
    const range = objectAt(at, "dimensionRange");
    if (range["dimension"] !== "ROWS" || (intAt(range, "sheetId") ?? 0) !== sheetId) return m;
    const startIndex = place(intAt(range, "startIndex") ?? 0);
    return {
      ...m,
      location: { ...at, dimensionRange: { ...range, startIndex, endIndex: startIndex + 1 } },
    };
  });
  book.state = { ...book.state, metadata };
}

type Test = (metadata: JsonObject) => boolean;

/** What a DeveloperMetadataLookup finds: every field that is set must agree. */
export function lookup(book: Book, sent: JsonObject): Test {
  const [id, key, value] = [
    intAt(sent, "metadataId"),
    stringAt(sent, "metadataKey"),
    stringAt(sent, "metadataValue"),
  ];
  const type = specified(
    stringAt(sent, "locationType"),
    "DEVELOPER_METADATA_LOCATION_TYPE_UNSPECIFIED",
  );
  const seen = specified(stringAt(sent, "visibility"), "DEVELOPER_METADATA_VISIBILITY_UNSPECIFIED");
  const at = optionalObject(sent, "metadataLocation");
  const wanted = at === undefined ? undefined : location(book, at);
  const crossing = stringAt(sent, "locationMatchingStrategy") === "INTERSECTING_LOCATION";
  return (m) =>
    (id === undefined || m["metadataId"] === id) &&
    (key === undefined || m["metadataKey"] === key) &&
    (value === undefined || m["metadataValue"] === value) &&
    (seen === undefined || m["visibility"] === seen) &&
    (type === undefined || objectAt(m, "location")["locationType"] === type) &&
    (wanted === undefined || placed(objectAt(m, "location"), wanted, crossing));
}

const specified = (value: string | undefined, none: string): string | undefined =>
  value === none ? undefined : value;

const sheetIn = (l: JsonObject): number | undefined => {
  if (l["locationType"] === "SHEET") return Number(l["sheetId"] ?? 0);
  return l["locationType"] === "SPREADSHEET"
    ? undefined
    : Number(objectAt(l, "dimensionRange")["sheetId"] ?? 0);
};

function placed(is: JsonObject, wanted: JsonObject, crossing: boolean): boolean {
  if (JSON.stringify(is) === JSON.stringify(wanted)) return true;
  if (!crossing) return false;
  if (is["locationType"] === "SPREADSHEET" || wanted["locationType"] === "SPREADSHEET") return true;
  if (sheetIn(is) !== sheetIn(wanted)) return false;
  return is["locationType"] !== wanted["locationType"];
}

/** Metadata that has to do with cells of an area: on the sheet, or on a row or column that the area crosses. */
export function within(target: Target): Test {
  const id = target.sheet.state.id;
  return (m) => {
    const l = objectAt(m, "location");
    if (sheetIn(l) !== id) return false;
    if (l["locationType"] === "SHEET")
      return target.area.startRow === undefined && target.area.startColumn === undefined;
    const range = objectAt(l, "dimensionRange");
    const at = Number(range["startIndex"] ?? 0);
    const { startRow, endRow, startColumn, endColumn } = target.area;
    const [start, end] =
      range["dimension"] === "ROWS" ? [startRow, endRow] : [startColumn, endColumn];
    return at >= (start ?? 0) && at < (end ?? Number.MAX_SAFE_INTEGER);
  };
}
