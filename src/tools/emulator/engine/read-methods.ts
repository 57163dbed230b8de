/** The methods that read values and developer metadata. */
import type { sheets_v4 } from "@googleapis/sheets";
import { matchingRanges, metadataOf } from "./data-filter.ts";
import { shown } from "./developer-metadata.ts";
import { notFound } from "./errors.ts";
import { last, listed, type MethodCall, type Methods, type Result } from "./method.ts";
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

function get(call: MethodCall): Result {
  const { spreadsheet, path } = call;
  const range = resolve(spreadsheet, path["range"] ?? "");
  return { next: spreadsheet, answer: read(spreadsheet, range, optionsOf(call)) };
}

function batchGet(call: MethodCall): Result {
  const { spreadsheet, query } = call;
  const ranges = (query["ranges"] ?? []).map((text) => resolve(spreadsheet, text));
  const valueRanges = ranges.map((range) => read(spreadsheet, range, optionsOf(call)));
  const answer = { spreadsheetId: spreadsheet.id, ...listed("valueRanges", valueRanges) };
  return { next: spreadsheet, answer };
}

function batchGetByDataFilter({ spreadsheet, body }: MethodCall): Result {
  const sent = body as sheets_v4.Schema$BatchGetValuesByDataFilterRequest;
  const options = readOptions(
    sent.majorDimension,
    sent.valueRenderOption,
    sent.dateTimeRenderOption,
  );
  const valueRanges = matchingRanges(spreadsheet, sent.dataFilters ?? []).map(
    ({ range, dataFilters }) => ({
      valueRange: read(spreadsheet, range, options),
      dataFilters,
    }),
  );
  const answer = { spreadsheetId: spreadsheet.id, ...listed("valueRanges", valueRanges) };
  return { next: spreadsheet, answer };
}

function getMetadata({ spreadsheet, path }: MethodCall): Result {
  const id = path["metadataId"] ?? "";
  const found = spreadsheet.metadata.find((metadata) => metadata.id === Number(id));
  if (found === undefined) throw notFound(`No developer metadata with ID ${id}.`);
  return { next: spreadsheet, answer: shown(spreadsheet, found) };
}

function searchMetadata({ spreadsheet, body }: MethodCall): Result {
  const { dataFilters } = body as sheets_v4.Schema$SearchDeveloperMetadataRequest;
  const filters = (dataFilters ?? []).map((filter) => ({
    filter,
    hits: new Set(metadataOf(spreadsheet, filter)),
  }));
  const matches = spreadsheet.metadata.flatMap((metadata) => {
    const hits = filters.filter((one) => one.hits.has(metadata)).map(({ filter }) => filter);
    return hits.length === 0
      ? []
      : [{ developerMetadata: shown(spreadsheet, metadata), dataFilters: hits }];
  });
  return { next: spreadsheet, answer: listed("matchedDeveloperMetadata", matches) };
}

export const READ_METHODS: Methods = {
  "sheets.spreadsheets.values.get": get,
  "sheets.spreadsheets.values.batchGet": batchGet,
  "sheets.spreadsheets.values.batchGetByDataFilter": batchGetByDataFilter,
  "sheets.spreadsheets.developerMetadata.get": getMetadata,
  "sheets.spreadsheets.developerMetadata.search": searchMetadata,
};
