/** spreadsheets.create, get and batchUpdate. Grid data is built only where the mask and the ranges ask for it. */
import type { sheets_v4 } from "@googleapis/sheets";
import type { Rect } from "./a1.ts";
import { runRequest } from "./batch-update.ts";
import { cellData, written } from "./cell-data.ts";
import { shown } from "./developer-metadata.ts";
import { invalid } from "./errors.ts";
import { below, type Mask, selects } from "./field-mask.ts";
import { flag, listed, type MethodCall } from "./method.ts";
import { clip, resolve, type ResolvedRange } from "./ranges.ts";
import {
  type Change,
  grownTo,
  inTurn,
  newSheet,
  type Sheet,
  type Spreadsheet,
  withSheet,
  writeCells,
} from "./spreadsheet.ts";
import { addSheet, shownProperties } from "./tabs.ts";

/** As recorded answers show them. */
const NEW_PROPERTIES = {
  title: "Untitled spreadsheet",
  locale: "en_US",
  autoRecalc: "ON_CHANGE",
  timeZone: "Etc/GMT",
};

/** Refuses by name what create does not take. */
function checkTaken(what: string, message: object, taken: readonly string[]): void {
  for (const [name, value] of Object.entries(message))
    if (!taken.includes(name) && value !== null && !(Array.isArray(value) && value.length === 0))
      throw invalid(
        `Invalid ${what}: creating a spreadsheet with '${name}' is not supported by this emulator.`,
      );
}

/** Before it has sheets. */
export const blank = (id: string): Spreadsheet => ({
  id,
  properties: NEW_PROPERTIES,
  sheets: [],
  metadata: [],
  nextId: 1,
});

export function create({ spreadsheet, body, mask }: MethodCall): Change<object> {
  const { properties: given, sheets, ...others } = body as sheets_v4.Schema$Spreadsheet;
  const sent = Object.entries(given ?? {}).filter(([, value]) => value !== null);
  const properties = { ...NEW_PROPERTIES, ...Object.fromEntries(sent) };
  checkTaken("spreadsheet", others, ["spreadsheetId", "spreadsheetUrl"]);
  checkTaken("spreadsheet", given ?? {}, Object.keys(NEW_PROPERTIES));
  if (properties.locale !== NEW_PROPERTIES.locale)
    throw invalid(
      `Invalid spreadsheet: creating a spreadsheet with the locale ${JSON.stringify(properties.locale)} is not supported by this emulator.`,
    );
  const { next } = inTurn({ ...spreadsheet, properties }, sheets ?? [], createSheet);
  const whole = next.sheets.length > 0 ? next : { ...next, sheets: [newSheet(0, "Sheet1")] };
  return { next: whole, result: shownSpreadsheet(whole, { ranges: [], gridData: false, mask }) };
}

function createSheet(
  spreadsheet: Spreadsheet,
  { properties, data, ...others }: sheets_v4.Schema$Sheet,
  i: number,
): Change<undefined> {
  checkTaken(`sheets[${i}]`, others, []);
  const { next, result: sheet } = addSheet(spreadsheet, properties);
  return { next: withSheet(next, (data ?? []).reduce(filled, sheet)), result: undefined };
}

function filled(sheet: Sheet, data: sheets_v4.Schema$GridData): Sheet {
  const [startRow, startColumn] = [data.startRow ?? 0, data.startColumn ?? 0];
  if (startRow < 0 || startColumn < 0)
    throw invalid("startRow and startColumn must not be negative.");
  const rows = (data.rowData ?? []).map(({ values }) => values ?? []);
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const changes = rows.flatMap((row, r) =>
    row.map((cell, c) => ({
      row: startRow + r,
      column: startColumn + c,
      cell: written(null, cell, new Map()),
    })),
  );
  return writeCells(grownTo(sheet, startRow + rows.length, startColumn + width), changes);
}

interface View {
  /** None: the whole spreadsheet. */
  readonly ranges: readonly ResolvedRange[];
  readonly gridData: boolean;
  readonly mask: Mask | undefined;
}

/** A spreadsheet as spreadsheets.get answers it. */
function shownSpreadsheet(spreadsheet: Spreadsheet, { ranges, gridData, mask }: View): object {
  const { id, properties } = spreadsheet;
  const withData = mask === undefined ? gridData : selects(mask, "sheets", "data");
  const sheets = spreadsheet.sheets.flatMap((sheet, index) => {
    const own = ranges.filter(({ sheetId }) => sheetId === sheet.sheetId);
    if (ranges.length > 0 && own.length === 0) return [];
    const areas = ranges.length === 0 ? [{}] : own.map(({ area }) => area);
    const data = () =>
      areas.map((area) => gridDataOf(sheet, clip(sheet, area), below(mask, "sheets", "data")));
    return {
      properties: shownProperties(sheet, index),
      ...(withData ? { data: data() } : {}),
      ...metadataOn(spreadsheet, sheet.sheetId),
    };
  });
  return {
    spreadsheetId: id,
    properties,
    sheets,
    spreadsheetUrl: `https://docs.google.com/spreadsheets/d/${id}/edit`,
    ...metadataOn(spreadsheet),
  };
}

/** The metadata of a sheet itself; without one, of the spreadsheet itself. */
function metadataOn(spreadsheet: Spreadsheet, sheetId?: number): object {
  const own = spreadsheet.metadata.filter(
    ({ place }) => place.sheetId === sheetId && place.lineId === undefined,
  );
  const all = own.map((metadata) => shown(spreadsheet, metadata));
  return listed("developerMetadata", all);
}

/** Empty cells and rows at the end are left out, those between are {}. */
function gridDataOf(sheet: Sheet, rect: Rect, mask: Mask | undefined): object {
  const { startRow, startColumn, endRow, endColumn } = rect;
  const rows = selects(mask, "rowData") ? sheet.rows.slice(startRow, endRow) : [];
  const rowData = rows.map((row) => {
    const cells = (row?.cells ?? []).slice(startColumn, endColumn);
    const values = cells
      .slice(0, cells.findLastIndex((cell) => cell !== null) + 1)
      .map((cell) => (cell === null ? {} : cellData(cell)));
    return values.length === 0 ? {} : { values };
  });
  const filledRows = rowData.findLastIndex((row) => "values" in row) + 1;
  return {
    ...(startRow === 0 ? {} : { startRow }),
    ...(startColumn === 0 ? {} : { startColumn }),
    ...listed("rowData", rowData.slice(0, filledRows)),
  };
}

export function getSpreadsheet({ spreadsheet, query, mask }: MethodCall): object {
  const ranges = (query["ranges"] ?? []).map((text) => resolve(spreadsheet, text));
  return shownSpreadsheet(spreadsheet, { ranges, gridData: flag(query, "includeGridData"), mask });
}

export function batchUpdate({ spreadsheet, body, mask }: MethodCall): Change<object> {
  const sent = body as sheets_v4.Schema$BatchUpdateSpreadsheetRequest;
  const requests = sent.requests ?? [];
  if (requests.length === 0) throw invalid("Must specify at least one request.");
  const { next, result: replies } = inTurn(spreadsheet, requests, runRequest);
  const answer = { spreadsheetId: spreadsheet.id, replies };
  if (sent.includeSpreadsheetInResponse !== true) return { next, result: answer };
  // A bad range refuses the whole batch, also when the mask leaves the spreadsheet out.
  const ranges = (sent.responseRanges ?? []).map((text) => resolve(next, text));
  const own = below(mask, "updatedSpreadsheet");
  if (own === undefined) return { next, result: answer };
  const gridData = sent.responseIncludeGridData === true;
  const whole = own.size === 0 || own.has("*");
  const view = { ranges, gridData, mask: whole ? undefined : own };
  return { next, result: { ...answer, updatedSpreadsheet: shownSpreadsheet(next, view) } };
}
