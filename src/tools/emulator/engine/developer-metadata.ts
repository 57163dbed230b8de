/** Developer metadata: where it may be, and its one guard: an id is given once. */
import type { sheets_v4 } from "@googleapis/sheets";
import { sizeOf } from "./dimensions.ts";
import { invalid } from "./errors.ts";
import {
  inventedId,
  type Metadata,
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

function positionOf(sheet: Sheet, on: "row" | "column", lineId: number): number {
  const lines = on === "row" ? sheet.rows : sheet.columns;
  let known = positions.get(lines);
  if (known === undefined) {
    const ids = on === "row" ? sheet.rows.map((row) => row?.id ?? 0) : sheet.columns;
    known = new Map(ids.flatMap((id, index) => (id === 0 ? [] : [[id, index] as const])));
    positions.set(lines, known);
  }
  return known.get(lineId) ?? -1;
}

export function locationOf(spreadsheet: Spreadsheet, { place }: Metadata): Location {
  if (!("lineId" in place)) return place;
  const { on, sheetId, lineId } = place;
  return { on, sheetId, index: positionOf(sheetWith(spreadsheet, sheetId), on, lineId) };
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
): { readonly next: Spreadsheet; readonly metadata: Metadata } {
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
  const { next, place } = placeAt(spreadsheet, location);
  const text = value === undefined || value === null ? {} : { value };
  const metadata = { id, key, ...text, visibility, place };
  checkStorage(spreadsheet.metadata, metadata);
  return {
    next: { ...next, metadata: [...next.metadata, metadata], nextId: next.nextId + 1 },
    metadata,
  };
}

/** The place that a location is; a row or column without an id gets one. */
function placeAt(
  spreadsheet: Spreadsheet,
  location: Location,
): { readonly next: Spreadsheet; readonly place: Metadata["place"] } {
  if (!("index" in location)) return { next: spreadsheet, place: location };
  const { on, sheetId, index } = location;
  const sheet = sheetWith(spreadsheet, sheetId);
  const known = on === "row" ? sheet.rows[index]?.id : sheet.columns[index];
  const lineId = known === undefined || known === 0 ? spreadsheet.nextId : known;
  const place = { on, sheetId, lineId };
  if (lineId === known) return { next: spreadsheet, place };
  const next = withSheet(spreadsheet, withLineId(sheet, on, index, lineId));
  return { next: { ...next, nextId: lineId + 1 }, place };
}

function withLineId(sheet: Sheet, on: "row" | "column", index: number, lineId: number): Sheet {
  if (on === "column") return { ...sheet, columns: sheet.columns.with(index, lineId) };
  const rows = [...sheet.rows];
  while (rows.length <= index) rows.push(null);
  rows[index] = rowOf(lineId, rows[index]?.cells ?? []);
  return { ...sheet, rows };
}
