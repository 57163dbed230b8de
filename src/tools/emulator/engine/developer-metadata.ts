/** Developer metadata: where it may be, and its one guard: an id is given once. */
import type { sheets_v4 } from "@googleapis/sheets";
import { sizeOf } from "./dimensions.ts";
import { invalid } from "./errors.ts";
import {
  type Change,
  inventedId,
  type Metadata,
  type Place,
  rowOf,
  type Sheet,
  sheetWith,
  type Spreadsheet,
  withSheet,
} from "./spreadsheet.ts";

/** Where metadata is at the moment: a place with an index instead of an id. */
export interface Location extends Omit<Place, "lineId"> {
  readonly index?: number;
}

/** Indices by id, once for each list of rows or columns: the lists are immutable. */
const positions = new WeakMap<readonly unknown[], ReadonlyMap<number, number>>();

function positionsIn(lines: Sheet["rows"] | Sheet["columns"]): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const [index, line] of lines.entries()) {
    const id = typeof line === "number" ? line : (line?.id ?? 0);
    if (id !== 0) found.set(id, index);
  }
  positions.set(lines, found);
  return found;
}

export function locationOf(spreadsheet: Spreadsheet, { place }: Metadata): Location {
  const { lineId, ...location } = place;
  if (lineId === undefined) return location;
  const { rows, columns } = sheetWith(spreadsheet, place.sheetId);
  const lines = place.on === "ROW" ? rows : columns;
  const index = (positions.get(lines) ?? positionsIn(lines)).get(lineId) ?? -1;
  return { ...location, index };
}

/** Metadata in the API's form. */
export function shown(spreadsheet: Spreadsheet, metadata: Metadata): object {
  const { id, key, value, visibility } = metadata;
  return {
    metadataId: id,
    metadataKey: key,
    ...(value === undefined ? {} : { metadataValue: value }),
    location: shownLocation(locationOf(spreadsheet, metadata)),
    visibility,
  };
}

function shownLocation({ on, sheetId, index }: Location): object {
  if (on === "SPREADSHEET") return { locationType: on, spreadsheet: true };
  if (index === undefined) return { locationType: on, sheetId };
  const range = { dimension: `${on}S`, startIndex: index, endIndex: index + 1 };
  const dimensionRange = sheetId === 0 ? range : { sheetId, ...range };
  return { locationType: on, dimensionRange };
}

/** @throws GoogleError for a location that isn't there, or that is no single place */
export function readLocation(
  spreadsheet: Spreadsheet,
  sent: sheets_v4.Schema$DeveloperMetadataLocation,
): Location {
  const { dimensionRange: range, sheetId, spreadsheet: whole } = sent;
  if (range) return readLine(spreadsheet, range);
  if (typeof sheetId === "number")
    return { on: "SHEET", sheetId: sheetWith(spreadsheet, sheetId).sheetId };
  if (whole === true) return { on: "SPREADSHEET" };
  throw invalid("Developer metadata must have a location.");
}

function readLine(spreadsheet: Spreadsheet, range: sheets_v4.Schema$DimensionRange): Location {
  const sheet = sheetWith(spreadsheet, range.sheetId);
  const { dimension } = range;
  if (dimension !== "ROWS" && dimension !== "COLUMNS")
    throw invalid("dimensionRange.dimension must be specified.");
  const size = sizeOf(sheet, dimension);
  const [start, end] = [range.startIndex ?? 0, range.endIndex ?? size];
  const noun = dimension === "ROWS" ? "row" : "column";
  if (start < 0 || end !== start + 1)
    throw invalid(
      `Developer metadata can only be associated with a single ${noun}; the range was [${start}, ${end}).`,
    );
  if (end > size)
    throw invalid(`dimensionRange.endIndex (${end}) is beyond the grid (${size} ${noun}s).`);
  return { on: dimension === "ROWS" ? "ROW" : "COLUMN", sheetId: sheet.sheetId, index: start };
}

/** Characters of keys and values that the spreadsheet itself, and each sheet with its rows and columns, may hold. */
const MOST_STORED = 30_000;

/** https://developers.google.com/workspace/sheets/api/guides/metadata; users saw these words after about 1,200 entries on rows. */
function checkStorage(all: readonly Metadata[], added: Metadata): void {
  const stored = [...all, added]
    .filter(({ place }) => place.sheetId === added.place.sheetId)
    .reduce((sum, { key, value = "" }) => sum + key.length + value.length, 0);
  if (stored > MOST_STORED)
    throw invalid("Adding the requested developer metadata would exceed the allowed storage limit");
}

/** @throws GoogleError for an id that is taken, in the words that a fenced write relies on */
export function createMetadata(
  spreadsheet: Spreadsheet,
  sent: sheets_v4.Schema$DeveloperMetadata,
): Change<Metadata> {
  const { metadataId, metadataKey: key, metadataValue: value, visibility } = sent;
  if (!key) throw invalid("Developer metadata key must be specified.");
  const taken = (id: number): boolean => spreadsheet.metadata.some((m) => m.id === id);
  const id = metadataId ?? inventedId(spreadsheet, taken);
  if (id < 1) throw invalid(`Developer metadata ID must be a positive number: ${id}`);
  if (taken(id))
    throw invalid(
      `Cannot add developer metadata with ID [${id}] because developer metadata with that ID already exists.`,
    );
  const location = readLocation(spreadsheet, sent.location ?? {});
  if (visibility !== "DOCUMENT" && visibility !== "PROJECT")
    throw invalid("Developer metadata visibility must be specified.");
  const { next, result: place } = placeAt(spreadsheet, location);
  const text = typeof value === "string" ? { value } : {};
  const metadata = { id, key, ...text, visibility, place };
  checkStorage(spreadsheet.metadata, metadata);
  const all = [...next.metadata, metadata];
  return { next: { ...next, metadata: all, nextId: next.nextId + 1 }, result: metadata };
}

/** The place that a location is; a row or column without an id gets one. */
function placeAt(spreadsheet: Spreadsheet, { index, ...place }: Location): Change<Place> {
  if (index === undefined) return { next: spreadsheet, result: place };
  const sheet = sheetWith(spreadsheet, place.sheetId);
  const isRow = place.on === "ROW";
  const known = (isRow ? sheet.rows[index]?.id : sheet.columns[index]) ?? 0;
  if (known !== 0) return { next: spreadsheet, result: { ...place, lineId: known } };
  const lineId = spreadsheet.nextId;
  const changed = isRow
    ? withRowId(sheet, index, lineId)
    : { ...sheet, columns: sheet.columns.with(index, lineId) };
  const next = { ...withSheet(spreadsheet, changed), nextId: lineId + 1 };
  return { next, result: { ...place, lineId } };
}

function withRowId(sheet: Sheet, index: number, id: number): Sheet {
  const rows = sheet.rows.slice();
  while (rows.length <= index) rows.push(null);
  rows[index] = rowOf(id, rows[index]?.cells ?? []);
  return { ...sheet, rows };
}
