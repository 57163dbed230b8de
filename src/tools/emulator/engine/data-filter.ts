/** DataFilters: by A1 range, by GridRange, or by developer metadata. */
import type { sheets_v4 } from "@googleapis/sheets";
import { type Location, locationOf, readLocation } from "./developer-metadata.ts";
import { invalid } from "./errors.ts";
import { gridRange, resolve, type ResolvedRange } from "./ranges.ts";
import type { Metadata, Spreadsheet } from "./spreadsheet.ts";

type DataFilter = sheets_v4.Schema$DataFilter;
type Test = (metadata: Metadata) => boolean;

/** A field of a lookup agrees when it is not set. */
const agrees = (wanted: unknown, is: unknown): boolean =>
  wanted === undefined || wanted === null || wanted === is;

const specified = (name: string | null | undefined): string | null | undefined =>
  name?.endsWith("_UNSPECIFIED") ? undefined : name;

/** What a DeveloperMetadataLookup finds: every field that is set must agree. */
function lookup(spreadsheet: Spreadsheet, sent: sheets_v4.Schema$DeveloperMetadataLookup): Test {
  const wanted = sent.metadataLocation && readLocation(spreadsheet, sent.metadataLocation);
  const crossing = sent.locationMatchingStrategy === "INTERSECTING_LOCATION";
  return (m) =>
    agrees(sent.metadataId, m.id) &&
    agrees(sent.metadataKey, m.key) &&
    agrees(sent.metadataValue, m.value) &&
    agrees(specified(sent.visibility), m.visibility) &&
    agrees(specified(sent.locationType), m.place.on) &&
    (!wanted || isAt(locationOf(spreadsheet, m), wanted, crossing));
}

function isAt(is: Location, wanted: Location, crossing: boolean): boolean {
  const sameSheet = is.sheetId === wanted.sheetId;
  if (is.on === wanted.on && sameSheet && is.index === wanted.index) return true;
  if (!crossing) return false;
  if (is.on === "SPREADSHEET" || wanted.on === "SPREADSHEET") return true;
  return sameSheet && is.on !== wanted.on;
}

/** Metadata on the cells of a range: on the sheet, or on a row or column that the range crosses. */
function crossedBy(spreadsheet: Spreadsheet, { sheetId, area }: ResolvedRange): Test {
  const { startRow, endRow, startColumn, endColumn } = area;
  return (metadata) => {
    const at = locationOf(spreadsheet, metadata);
    if (at.sheetId !== sheetId) return false;
    if (at.index === undefined) return startRow === undefined && startColumn === undefined;
    const [start, end] = at.on === "ROW" ? [startRow, endRow] : [startColumn, endColumn];
    return at.index >= (start ?? 0) && at.index < (end ?? Number.MAX_SAFE_INTEGER);
  };
}

/** The developer metadata that a filter selects. */
export function metadataOf(spreadsheet: Spreadsheet, filter: DataFilter): ReadonlySet<Metadata> {
  const { developerMetadataLookup: sent } = filter;
  const test = sent
    ? lookup(spreadsheet, sent)
    : crossedBy(spreadsheet, rangeOf(spreadsheet, filter));
  return new Set(spreadsheet.metadata.filter(test));
}

function rangeOf(
  spreadsheet: Spreadsheet,
  { a1Range, gridRange: range }: DataFilter,
): ResolvedRange {
  if (typeof a1Range === "string") return resolve(spreadsheet, a1Range);
  if (range) return gridRange(spreadsheet, range);
  throw invalid("A data filter must specify developerMetadataLookup, a1Range or gridRange.");
}

/** The ranges that a filter selects; a lookup selects the rows, columns and sheets that its metadata is on. */
export function rangesOf(spreadsheet: Spreadsheet, filter: DataFilter): readonly ResolvedRange[] {
  if (!filter.developerMetadataLookup) return [rangeOf(spreadsheet, filter)];
  return Array.from(metadataOf(spreadsheet, filter)).flatMap((metadata) => {
    const { on, sheetId, index: start } = locationOf(spreadsheet, metadata);
    const end = start === undefined ? undefined : start + 1;
    const area =
      on === "ROW" ? { startRow: start, endRow: end } : { startColumn: start, endColumn: end };
    return spreadsheet.sheets
      .filter((sheet) => sheetId === undefined || sheet.sheetId === sheetId)
      .map((sheet) => ({ sheetId: sheet.sheetId, area, single: false, text: "" }));
  });
}

/** Filters that select the same range give it once, with all of them named. */
export function matchingRanges(
  spreadsheet: Spreadsheet,
  filters: readonly DataFilter[],
): { readonly range: ResolvedRange; readonly dataFilters: readonly object[] }[] {
  const found = new Map<string, { range: ResolvedRange; dataFilters: object[] }>();
  for (const filter of filters)
    for (const range of rangesOf(spreadsheet, filter)) {
      const key = JSON.stringify([range.sheetId, range.area]);
      const known = found.get(key) ?? { range, dataFilters: [] };
      found.set(key, known);
      known.dataFilters.push(filter);
    }
  return [...found.values()];
}
