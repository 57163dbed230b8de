/** The methods that write values. */
import type { sheets_v4 } from "@googleapis/sheets";
import { rangeName } from "./a1.ts";
import { tableAt } from "./append-table.ts";
import { matchingRanges, rangesOf } from "./data-filter.ts";
import { insert } from "./dimensions.ts";
import { within } from "./errors.ts";
import { flag, last, listed, type MethodCall, type Methods, type Result } from "./method.ts";
import { clip, resolve, type ResolvedRange } from "./ranges.ts";
import { readOptions, type ReadOptions, readRange } from "./read-range.ts";
import { grownTo, sheetWith, type Spreadsheet, withSheet } from "./spreadsheet.ts";
import { clearRange, entriesOf, inputOption, writeRange, type WriteResult } from "./write-range.ts";

/** An UpdateValuesResponse without the id. Counts of nothing are left out, as protobuf's defaults are. */
function updateResponse(
  spreadsheet: Spreadsheet,
  { sheetId, range, rows, columns, cells, shown }: WriteResult,
  echo: ReadOptions | undefined,
): object {
  const counts = { updatedRows: rows.size, updatedColumns: columns.size, updatedCells: cells };
  const sheet = sheetWith(spreadsheet, sheetId);
  return {
    updatedRange: range,
    ...(cells === 0 ? {} : counts),
    ...(echo === undefined ? {} : { updatedData: readRange(sheet, shown, echo) }),
  };
}

/** How the answer shows the written values; undefined when it doesn't. */
const queryEcho = (
  { query }: MethodCall,
  { majorDimension }: sheets_v4.Schema$ValueRange,
): ReadOptions | undefined =>
  flag(query, "includeValuesInResponse")
    ? readOptions(
        majorDimension,
        last(query, "responseValueRenderOption"),
        last(query, "responseDateTimeRenderOption"),
      )
    : undefined;

function update(call: MethodCall): Result {
  const { spreadsheet, path, query } = call;
  const body = call.body as sheets_v4.Schema$ValueRange;
  const entries = entriesOf(body);
  const option = inputOption(last(query, "valueInputOption"));
  const range = resolve(spreadsheet, path["range"] ?? "");
  const { next, result } = writeRange(spreadsheet, range, entries, option);
  const response = updateResponse(next, result, queryEcho(call, body));
  return { next, answer: { spreadsheetId: spreadsheet.id, ...response } };
}

type Data = sheets_v4.Schema$ValueRange & sheets_v4.Schema$DataFilterValueRange;

interface BatchBody {
  readonly data?: readonly Data[];
  readonly valueInputOption?: string | null;
  readonly includeValuesInResponse?: boolean | null;
  readonly responseValueRenderOption?: string | null;
  readonly responseDateTimeRenderOption?: string | null;
}

/** Writes all parts or none, and adds up what they changed. */
function writeAll(
  spreadsheet: Spreadsheet,
  body: BatchBody,
  rangesIn: (data: Data, i: number) => readonly ResolvedRange[],
): Result {
  const { data = [], responseValueRenderOption: value, responseDateTimeRenderOption: date } = body;
  const entries = data.map(entriesOf);
  const option = inputOption(body.valueInputOption);
  const parts = data.flatMap((part, i) =>
    rangesIn(part, i).map((range) => ({ ...part, range, entries: entries[i] ?? [] })),
  );
  let next = spreadsheet;
  const results = parts.map((part, i) => {
    const write = () => writeRange(next, part.range, part.entries, option);
    const done = within(`Invalid data[${i}]`, write);
    ({ next } = done);
    return { ...part, result: done.result };
  });
  const responses = results.map(({ result, majorDimension, dataFilter }) => {
    const echo = body.includeValuesInResponse
      ? readOptions(majorDimension, value, date)
      : undefined;
    const response = updateResponse(next, result, echo);
    return dataFilter ? { ...response, dataFilter } : { spreadsheetId: next.id, ...response };
  });
  const totals = totalsOf(results.map(({ result }) => result));
  return { next, answer: { spreadsheetId: next.id, ...totals, ...listed("responses", responses) } };
}

function totalsOf(results: readonly WriteResult[]): object {
  const distinct = (of: (r: WriteResult) => Iterable<number>): number =>
    new Set(results.flatMap((r) => Array.from(of(r), (n) => `${r.sheetId} ${n}`))).size;
  const cells = results.reduce((sum, r) => sum + r.cells, 0);
  if (cells === 0) return {};
  return {
    totalUpdatedRows: distinct((r) => r.rows),
    totalUpdatedColumns: distinct((r) => r.columns),
    totalUpdatedCells: cells,
    totalUpdatedSheets: new Set(results.filter((r) => r.cells > 0).map((r) => r.sheetId)).size,
  };
}

const batchUpdate = ({ spreadsheet, body }: MethodCall): Result =>
  writeAll(spreadsheet, body, ({ range }, i) => [
    within(`Invalid data[${i}]`, () => resolve(spreadsheet, range ?? "")),
  ]);

const batchUpdateByDataFilter = ({ spreadsheet, body }: MethodCall): Result =>
  writeAll(spreadsheet, body, ({ dataFilter }) => rangesOf(spreadsheet, dataFilter ?? {}));

function append(call: MethodCall): Result {
  const { spreadsheet, path, query } = call;
  const body = call.body as sheets_v4.Schema$ValueRange;
  const entries = entriesOf(body);
  const option = inputOption(last(query, "valueInputOption"));
  const { sheetId, area } = resolve(spreadsheet, path["range"] ?? "");
  const sheet = sheetWith(spreadsheet, sheetId);
  const asked = clip(sheet, area);
  const table = tableAt(sheet, asked);
  const [row, column] =
    table === undefined ? [asked.startRow, asked.startColumn] : [table.endRow, table.startColumn];
  const inserts = last(query, "insertDataOption") === "INSERT_ROWS" && row < sheet.rowCount;
  const rows = { sheet, dimension: "ROWS", start: row, end: row + entries.length } as const;
  const roomy = inserts && entries.length > 0 ? insert(spreadsheet, rows, row - 1) : spreadsheet;
  const grown = withSheet(roomy, grownTo(sheetWith(roomy, sheetId), row + 1, column + 1));
  const cell = { startRow: row, endRow: row + 1, startColumn: column, endColumn: column + 1 };
  const range = { sheetId, area: cell, single: true, text: "" };
  const { next, result } = writeRange(grown, range, entries, option);
  const answer = {
    spreadsheetId: spreadsheet.id,
    ...(table === undefined ? {} : { tableRange: rangeName(sheet.title, table) }),
    updates: {
      spreadsheetId: spreadsheet.id,
      ...updateResponse(next, result, queryEcho(call, body)),
    },
  };
  return { next, answer };
}

function clearAll(
  spreadsheet: Spreadsheet,
  ranges: readonly ResolvedRange[],
): { readonly next: Spreadsheet; readonly cleared: readonly string[] } {
  let next = spreadsheet;
  const cleared = ranges.map((one) => {
    const done = clearRange(next, one);
    ({ next } = done);
    return done.range;
  });
  return { next, cleared };
}

function clear({ spreadsheet, path }: MethodCall): Result {
  const { next, range } = clearRange(spreadsheet, resolve(spreadsheet, path["range"] ?? ""));
  return { next, answer: { spreadsheetId: spreadsheet.id, clearedRange: range } };
}

function batchClear({ spreadsheet, body }: MethodCall): Result {
  const { ranges } = body as sheets_v4.Schema$BatchClearValuesRequest;
  const { next, cleared } = clearAll(
    spreadsheet,
    (ranges ?? []).map((text) => resolve(spreadsheet, text)),
  );
  return { next, answer: { spreadsheetId: spreadsheet.id, ...listed("clearedRanges", cleared) } };
}

function batchClearByDataFilter({ spreadsheet, body }: MethodCall): Result {
  const { dataFilters } = body as sheets_v4.Schema$BatchClearValuesByDataFilterRequest;
  const ranges = matchingRanges(spreadsheet, dataFilters ?? []).map(({ range }) => range);
  const { next, cleared } = clearAll(spreadsheet, ranges);
  return { next, answer: { spreadsheetId: spreadsheet.id, ...listed("clearedRanges", cleared) } };
}

export const WRITE_METHODS: Methods = {
  "sheets.spreadsheets.values.update": update,
  "sheets.spreadsheets.values.batchUpdate": batchUpdate,
  "sheets.spreadsheets.values.batchUpdateByDataFilter": batchUpdateByDataFilter,
  "sheets.spreadsheets.values.append": append,
  "sheets.spreadsheets.values.clear": clear,
  "sheets.spreadsheets.values.batchClear": batchClear,
  "sheets.spreadsheets.values.batchClearByDataFilter": batchClearByDataFilter,
};
