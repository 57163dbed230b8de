/** DataFilters: by A1 range, by GridRange, or by developer metadata. */
import type { sheets_v4 } from "@googleapis/sheets";
import { type Location, locationOf, readLocation, shownLocation } from "./developer-metadata.ts";
import { invalid } from "./errors.ts";
import { gridRange, resolve, type ResolvedRange } from "./ranges.ts";
import type { Metadata, Spreadsheet } from "./spreadsheet.ts";

type Test = (metadata: Metadata) => boolean;

/** What a DeveloperMetadataLookup finds: every field that is set must agree. */
function lookup(spreadsheet: Spreadsheet, sent: sheets_v4.Schema$DeveloperMetadataLookup): Test {
  const { metadataId, metadataKey, metadataValue, locationType, visibility } = sent;
  const agrees = (wanted: unknown, is: unknown): boolean =>
    (wanted ?? undefined) === undefined || String(wanted).endsWith("_UNSPECIFIED") || wanted === is;
  const wanted = sent.metadataLocation && readLocation(spreadsheet, sent.metadataLocation);
  const crossing = sent.locationMatchingStrategy === "INTERSECTING_LOCATION";
  return (m) =>
    agrees(metadataId, m.id) &&
    (metadataKey ?? m.key) === m.key &&
    (metadataValue ?? m.value) === m.value &&
    agrees(visibility, m.visibility) &&
    agrees(locationType, m.place.on.toUpperCase()) &&
    (wanted === undefined || isAt(locationOf(spreadsheet, m), wanted, crossing));
}

function isAt(is: Location, wanted: Location, crossing: boolean): boolean {
  if (JSON.stringify(shownLocation(is)) === JSON.stringify(shownLocation(wanted))) return true;
  if (!crossing) return false;
  if (is.on === "spreadsheet" || wanted.on === "spreadsheet") return true;
  return is.sheetId === wanted.sheetId && is.on !== wanted.on;
}

/** Metadata on the cells of a range: on the sheet, or on a row or column that the range crosses. */
function crossedBy(spreadsheet: Spreadsheet, { sheetId, area }: ResolvedRange): Test {
  return (metadata) => {
    const at = locationOf(spreadsheet, metadata);
    if (at.on === "spreadsheet" || at.sheetId !== sheetId) return false;
    if (at.on === "sheet") return area.startRow === undefined && area.startColumn === undefined;
    const [start, end] =
      at.on === "row" ? [area.startRow, area.endRow] : [area.startColumn, area.endColumn];
    return at.index >= (start ?? 0) && at.index < (end ?? Number.MAX_SAFE_INTEGER);
  };
}

/** The developer metadata that a filter selects. */
export function metadataOf(
  spreadsheet: Spreadsheet,
  filter: sheets_v4.Schema$DataFilter,
): ReadonlySet<Metadata> {
  const { developerMetadataLookup: sent } = filter;
  const test = sent
    ? lookup(spreadsheet, sent)
    : crossedBy(spreadsheet, rangeOf(spreadsheet, filter));
  return new Set(spreadsheet.metadata.filter(test));
}

function rangeOf(
  spreadsheet: Spreadsheet,
  { a1Range, gridRange: range }: sheets_v4.Schema$DataFilter,
): ResolvedRange {
  if (a1Range !== undefined && a1Range !== null) return resolve(spreadsheet, a1Range);
  if (range) return gridRange(spreadsheet, range);
  throw invalid("A data filter must specify developerMetadataLookup, a1Range or gridRange.");
}

/** The ranges that a filter selects; a lookup selects the rows, columns and sheets that its metadata is on. */
export function rangesOf(
  spreadsheet: Spreadsheet,
  filter: sheets_v4.Schema$DataFilter,
): readonly ResolvedRange[] {
  if (!filter.developerMetadataLookup) return [rangeOf(spreadsheet, filter)];
  return [...metadataOf(spreadsheet, filter)].flatMap((metadata) => {
    const at = locationOf(spreadsheet, metadata);
    const whole = { area: {}, single: false, text: "" };
    if (at.on === "spreadsheet")
      return spreadsheet.sheets.map(({ sheetId }) => ({ ...whole, sheetId }));
    if (at.on === "sheet") return [{ ...whole, sheetId: at.sheetId }];
    const [start, end] = [at.index, at.index + 1];
    const area =
      at.on === "row" ? { startRow: start, endRow: end } : { startColumn: start, endColumn: end };
    return [{ ...whole, sheetId: at.sheetId, area }];
  });
}

/** Filters that select the same range give it once, with all of them named. */
export function matchingRanges(
  spreadsheet: Spreadsheet,
  filters: readonly sheets_v4.Schema$DataFilter[],
): { readonly range: ResolvedRange; readonly dataFilters: readonly object[] }[] {
  const found = filters.flatMap((filter) =>
    rangesOf(spreadsheet, filter).map((range) => ({ range, filter })),
  );
  const groups = Map.groupBy(found, ({ range: { sheetId, area } }) =>
    JSON.stringify([sheetId, area]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [{ range: first.range, dataFilters: group.map(({ filter }) => filter) }];
  });
}
