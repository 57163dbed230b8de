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

/** Where metadata is at the moment: a place by index. */
export type Location =
  | { readonly on: "spreadsheet" }
  | { readonly on: "sheet"; readonly sheetId: number }
  | { readonly on: "row" | "column"; readonly sheetId: number; readonly index: number };

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
  if (!("lineId" in place)) return place;
  const { on, sheetId, lineId } = place;
  const { rows, columns } = sheetWith(spreadsheet, sheetId);
  const lines = on === "row" ? rows : columns;
  const index = (positions.get(lines) ?? positionsIn(lines)).get(lineId) ?? -1;
  return { on, sheetId, index };
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

export function shownLocation(location: Location): object {
  if (location.on === "spreadsheet") return { locationType: "SPREADSHEET", spreadsheet: true };
  const { on, sheetId } = location;
  if (on === "sheet") return { locationType: "SHEET", sheetId };
  const dimensionRange = {
    ...(sheetId === 0 ? {} : { sheetId }),
    dimension: `${on.toUpperCase()}S`,
    startIndex: location.index,
    endIndex: location.index + 1,
  };
  return { locationType: on.toUpperCase(), dimensionRange };
}

/** @throws GoogleError for a location that isn't there, or that is no single place */
export function readLocation(
  spreadsheet: Spreadsheet,
  sent: sheets_v4.Schema$DeveloperMetadataLocation,
): Location {
  const { dimensionRange: range, sheetId, spreadsheet: whole } = sent;
  if (range !== undefined && range !== null) return readLine(spreadsheet, range);
  if (sheetId !== undefined && sheetId !== null)
    return { on: "sheet", sheetId: sheetWith(spreadsheet, sheetId).sheetId };
  if (whole === true) return { on: "spreadsheet" };
  throw invalid("Developer metadata must have a location.");
}

function readLine(spreadsheet: Spreadsheet, range: sheets_v4.Schema$DimensionRange): Location {
  const sheet = sheetWith(spreadsheet, range.sheetId);
  const { dimension } = range;
  if (dimension !== "ROWS" && dimension !== "COLUMNS")
    throw invalid("dimensionRange.dimension must be specified.");
  const size = sizeOf(sheet, dimension);
  const [start, end] = [range.startIndex ?? 0, range.endIndex ?? size];
  const on = dimension === "ROWS" ? "row" : "column";
  if (start < 0 || end !== start + 1)
    throw invalid(
      `Developer metadata can only be associated with a single ${on}; the range was [${start}, ${end}).`,
    );
  if (end > size)
    throw invalid(`dimensionRange.endIndex (${end}) is beyond the grid (${size} ${on}s).`);
  return { on, sheetId: sheet.sheetId, index: start };
}

/** Characters of keys and values that the spreadsheet itself, and each sheet with its rows and columns, may hold. */
const MOST_STORED = 30_000;

/** https://developers.google.com/workspace/sheets/api/guides/metadata; users saw these words after about 1,200 entries on rows. */
function checkStorage(all: readonly Metadata[], added: Metadata): void {
  const scope = ({ place }: Metadata): number | undefined =>
    place.on === "spreadsheet" ? undefined : place.sheetId;
  const stored = [...all, added]
    .filter((metadata) => scope(metadata) === scope(added))
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
  if (key === undefined || key === null || key === "")
    throw invalid("Developer metadata key must be specified.");
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
  const metadata = { id, key, ...(value && { value }), visibility, place };
  checkStorage(spreadsheet.metadata, metadata);
  const all = [...next.metadata, metadata];
  return { next: { ...next, metadata: all, nextId: next.nextId + 1 }, result: metadata };
}

/** The place that a location is; a row or column without an id gets one. */
function placeAt(spreadsheet: Spreadsheet, location: Location): Change<Place> {
  if (!("index" in location)) return { next: spreadsheet, result: location };
  const { on, sheetId, index } = location;
  const { nextId } = spreadsheet;
  const sheet = sheetWith(spreadsheet, sheetId);
  const known = (on === "row" ? sheet.rows[index]?.id : sheet.columns[index]) ?? 0;
  if (known !== 0) return { next: spreadsheet, result: { on, sheetId, lineId: known } };
  const next = {
    ...withSheet(spreadsheet, withLineId(sheet, on, index, nextId)),
    nextId: nextId + 1,
  };
  return { next, result: { on, sheetId, lineId: nextId } };
}

function withLineId(sheet: Sheet, on: "row" | "column", index: number, lineId: number): Sheet {
  if (on === "column") return { ...sheet, columns: sheet.columns.with(index, lineId) };
  const rows = sheet.rows.slice();
  while (rows.length <= index) rows.push(null);
  rows[index] = rowOf(lineId, rows[index]?.cells ?? []);
  return { ...sheet, rows };
}
