/** The methods that write values. */
import type { sheets_v4 } from "@googleapis/sheets";
import { rangeName } from "./a1.ts";
import { tableAt } from "./append-table.ts";
import { matchingRanges, rangesOf } from "./data-filter.ts";
import { insert } from "./dimensions.ts";
import { within } from "./errors.ts";
import { last, listed, type MethodCall, type WriteMethods } from "./method.ts";
import { clip, resolve, type ResolvedRange } from "./ranges.ts";
import { readOptions, type ReadOptions, readRange } from "./read-range.ts";
import {
  type Change,
  grownTo,
  inTurn,
  sheetWith,
  type Spreadsheet,
  withSheet,
} from "./spreadsheet.ts";
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
const echoOf = (given: (name: string) => unknown, major: unknown): ReadOptions | undefined =>
  /^true$/i.test(String(given("includeValuesInResponse")))
    ? readOptions(major, given("responseValueRenderOption"), given("responseDateTimeRenderOption"))
    : undefined;

function update(call: MethodCall): Change<object> {
  const { spreadsheet, path, query } = call;
  const body = call.body as sheets_v4.Schema$ValueRange;
  const entries = entriesOf(body);
  const option = inputOption(last(query, "valueInputOption"));
  const range = resolve(spreadsheet, path["range"] ?? "");
  const { next, result } = writeRange(spreadsheet, range, entries, option);
  const response = updateResponse(
    next,
    result,
    echoOf((name) => last(query, name), body.majorDimension),
  );
  return { next, result: { spreadsheetId: spreadsheet.id, ...response } };
}

type Data = sheets_v4.Schema$ValueRange & sheets_v4.Schema$DataFilterValueRange;

interface BatchBody {
  readonly data?: readonly Data[];
  readonly valueInputOption?: string | null;
  readonly [name: string]: unknown;
}

/** Writes all parts or none, and adds up what they changed. */
function writeAll(
  spreadsheet: Spreadsheet,
  body: BatchBody,
  rangesIn: (data: Data, i: number) => readonly ResolvedRange[],
): Change<object> {
  const { data = [] } = body;
  const entries = data.map(entriesOf);
  const option = inputOption(body.valueInputOption);
  const parts = data.flatMap((part, i) =>
    rangesIn(part, i).map((range) => ({ ...part, range, entries: entries[i] ?? [] })),
  );
  const { next, result: results } = inTurn(spreadsheet, parts, (before, { range, entries }, i) =>
    within(`Invalid data[${i}]`, () => writeRange(before, range, entries, option)),
  );
  const responses = results.map((result, i) => {
    const { majorDimension, dataFilter } = parts[i] ?? {};
    const echo = echoOf((name) => body[name], majorDimension);
    const response = updateResponse(next, result, echo);
    return dataFilter ? { ...response, dataFilter } : { spreadsheetId: next.id, ...response };
  });
  const answer = {
    spreadsheetId: next.id,
    ...totalsOf(results),
    ...listed("responses", responses),
  };
  return { next, result: answer };
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

const batchUpdate = ({ spreadsheet, body }: MethodCall): Change<object> =>
  writeAll(spreadsheet, body as BatchBody, ({ range }, i) => [
    within(`Invalid data[${i}]`, () => resolve(spreadsheet, range ?? "")),
  ]);

const batchUpdateByDataFilter = ({ spreadsheet, body }: MethodCall): Change<object> =>
  writeAll(spreadsheet, body as BatchBody, ({ dataFilter }) =>
    rangesOf(spreadsheet, dataFilter ?? {}),
  );

function append(call: MethodCall): Change<object> {
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
  const spreadsheetId = spreadsheet.id;
  const updates = {
    spreadsheetId,
    ...updateResponse(
      next,
      result,
      echoOf((name) => last(query, name), body.majorDimension),
    ),
  };
  const tableRange = table && rangeName(sheet.title, table);
  return { next, result: { spreadsheetId, ...(tableRange && { tableRange }), updates } };
}

function clear({ spreadsheet, path }: MethodCall): Change<object> {
  const { next, result } = clearRange(spreadsheet, resolve(spreadsheet, path["range"] ?? ""));
  return { next, result: { spreadsheetId: spreadsheet.id, clearedRange: result } };
}

function clearAll(spreadsheet: Spreadsheet, ranges: readonly ResolvedRange[]): Change<object> {
  const { next, result } = inTurn(spreadsheet, ranges, clearRange);
  return { next, result: { spreadsheetId: spreadsheet.id, ...listed("clearedRanges", result) } };
}

function batchClear({ spreadsheet, body }: MethodCall): Change<object> {
  const { ranges } = body as sheets_v4.Schema$BatchClearValuesRequest;
  return clearAll(spreadsheet, ranges?.map((text) => resolve(spreadsheet, text)) ?? []);
}

function batchClearByDataFilter({ spreadsheet, body }: MethodCall): Change<object> {
  const { dataFilters } = body as sheets_v4.Schema$BatchClearValuesByDataFilterRequest;
  const matches = matchingRanges(spreadsheet, dataFilters ?? []);
  return clearAll(
    spreadsheet,
    matches.map(({ range }) => range),
  );
}

export const WRITE_METHODS: WriteMethods = {
  "sheets.spreadsheets.values.update": update,
  "sheets.spreadsheets.values.batchUpdate": batchUpdate,
  "sheets.spreadsheets.values.batchUpdateByDataFilter": batchUpdateByDataFilter,
  "sheets.spreadsheets.values.append": append,
  "sheets.spreadsheets.values.clear": clear,
  "sheets.spreadsheets.values.batchClear": batchClear,
  "sheets.spreadsheets.values.batchClearByDataFilter": batchClearByDataFilter,
};
