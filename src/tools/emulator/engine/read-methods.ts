/** The methods that read values and developer metadata. */
import type { sheets_v4 } from "@googleapis/sheets";
import { matchingRanges, metadataOf } from "./data-filter.ts";
import { shown } from "./developer-metadata.ts";
import { notFound } from "./errors.ts";
import { last, listed, type MethodCall, type ReadMethods } from "./method.ts";
import { clip, resolve, type ResolvedRange } from "./ranges.ts";
import { readOptions, type ReadOptions, readRange } from "./read-range.ts";
import { sheetWith, type Spreadsheet } from "./spreadsheet.ts";

const optionsOf = ({ query }: MethodCall): ReadOptions =>
  readOptions(
    last(query, "majorDimension"),
    last(query, "valueRenderOption"),
    last(query, "dateTimeRenderOption"),
  );

function read(
  spreadsheet: Spreadsheet,
  { sheetId, area }: ResolvedRange,
  options: ReadOptions,
): sheets_v4.Schema$ValueRange {
  const sheet = sheetWith(spreadsheet, sheetId);
  return readRange(sheet, clip(sheet, area), options);
}

const get = (call: MethodCall): object =>
  read(call.spreadsheet, resolve(call.spreadsheet, call.path["range"] ?? ""), optionsOf(call));

function batchGet(call: MethodCall): object {
  const { spreadsheet, query } = call;
  const ranges = (query["ranges"] ?? []).map((text) => resolve(spreadsheet, text));
  const valueRanges = ranges.map((range) => read(spreadsheet, range, optionsOf(call)));
  return { spreadsheetId: spreadsheet.id, ...listed("valueRanges", valueRanges) };
}

function batchGetByDataFilter({ spreadsheet, body }: MethodCall): object {
  const sent = body as sheets_v4.Schema$BatchGetValuesByDataFilterRequest;
  const { majorDimension, valueRenderOption, dateTimeRenderOption } = sent;
  const options = readOptions(majorDimension, valueRenderOption, dateTimeRenderOption);
  const matches = matchingRanges(spreadsheet, sent.dataFilters ?? []);
  const valueRanges = matches.map(({ range, dataFilters }) => ({
    valueRange: read(spreadsheet, range, options),
    dataFilters,
  }));
  return { spreadsheetId: spreadsheet.id, ...listed("valueRanges", valueRanges) };
}

function getMetadata({ spreadsheet, path }: MethodCall): object {
  const id = path["metadataId"] ?? "";
  const found = spreadsheet.metadata.find((metadata) => metadata.id === Number(id));
  if (found === undefined) throw notFound(`No developer metadata with ID ${id}.`);
  return shown(spreadsheet, found);
}

function searchMetadata({ spreadsheet, body }: MethodCall): object {
  const { dataFilters } = body as sheets_v4.Schema$SearchDeveloperMetadataRequest;
  const found = (dataFilters ?? []).map((filter) => metadataOf(spreadsheet, filter));
  const matches = spreadsheet.metadata.flatMap((metadata) => {
    const hits = dataFilters?.filter((_, i) => found[i]?.has(metadata)) ?? [];
    if (hits.length === 0) return [];
    return { developerMetadata: shown(spreadsheet, metadata), dataFilters: hits };
  });
  return listed("matchedDeveloperMetadata", matches);
}

export const READ_METHODS: ReadMethods = {
  "sheets.spreadsheets.values.get": get,
  "sheets.spreadsheets.values.batchGet": batchGet,
  "sheets.spreadsheets.values.batchGetByDataFilter": batchGetByDataFilter,
  "sheets.spreadsheets.developerMetadata.get": getMetadata,
  "sheets.spreadsheets.developerMetadata.search": searchMetadata,
};
