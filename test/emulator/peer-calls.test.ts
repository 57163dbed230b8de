/**
 * Calls of gspread, pygsheets and google-spreadsheet as they go over the wire, and what Google is
 * known to answer.
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createEngine } from "../../src/emulator/engine/engine.ts";
import { SHEET, world } from "./world.ts";

type Json = any; // oxlint-disable-line typescript/no-explicit-any -- tests look into whatever comes

interface Api {
  batch(requests: unknown, more?: object): Promise<{ status: number; body: Json }>;
  get(query: string): Promise<Json>;
  put(range: string, values: unknown): Promise<Json>;
}

async function open(t: TestContext): Promise<Api> {
  const { call } = await world(t, { engine: createEngine });
  const base = `/v4/spreadsheets/${SHEET}`;
  const ok = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const reply = await call(method, `${base}${path}`, body);
    assert.equal(reply.status, 200, reply.body.toString());
    return reply.json();
  };
  return {
    async batch(requests, more = {}) {
      const reply = await call("POST", `${base}:batchUpdate`, { requests, ...more });
      return { status: reply.status, body: reply.json() };
    },
    get: (query) => ok("GET", `?${query}`),
    put: (range, values) => ok("PUT", `/values/${range}?valueInputOption=USER_ENTERED`, { values }),
  };
}

test("pygsheets wraps one request in a list of its own, and it is carried out", async (t) => {
  const api = await open(t);
  const range = { sheetId: 0, dimension: "ROWS", startIndex: 0, endIndex: 2 };
  const hide = { updateDimensionProperties: { range, properties: { hiddenByUser: true }, fields: "hiddenByUser" } };
  const { status, body } = await api.batch([[hide]], {});
  assert.deepEqual([status, body], [200, { spreadsheetId: SHEET, replies: [{}] }]);
  const { sheets } = await api.get("fields=sheets/data/rowMetadata/hiddenByUser&includeGridData=true&ranges=A1:A3");
  assert.deepEqual(sheets[0].data[0].rowMetadata, [{ hiddenByUser: true }, { hiddenByUser: true }, {}]);
});

test("google-spreadsheet sends null for a cell that has not changed: no request, and no reply", async (t) => {
  const api = await open(t);
  const cell = { rows: [{ values: [{ userEnteredValue: { stringValue: "new" } }] }], fields: "userEnteredValue" };
  const { status, body } = await api.batch([null, { updateCells: { ...cell, start: { sheetId: 0, columnIndex: 1 } } }, null]);
  assert.deepEqual([status, body], [200, { spreadsheetId: SHEET, replies: [{}] }]);
  assert.equal((await api.batch([null])).body.error.message, "Must specify at least one request.");
});

test("pygsheets writes a cell with spaces in the mask", async (t) => {
  const api = await open(t);
  const cell = { userEnteredFormat: { textFormat: { bold: true } }, userEnteredValue: { numberValue: 7 }, note: "n" };
  const range = { sheetId: 0, startRowIndex: 0, endRowIndex: 1, startColumnIndex: 0, endColumnIndex: 1 };
  await api.batch({ repeatCell: { range, cell, fields: "userEnteredFormat, note, userEnteredValue" } });
  const { sheets } = await api.get("ranges=A1&fields=sheets(data(rowData(values(userEnteredFormat, note ,%20userEnteredValue))))");
  assert.deepEqual(sheets[0].data[0].rowData[0].values[0], cell);
});

test("pygsheets names a wrap strategy that is none, and the default one holds", async (t) => {
  const api = await open(t);
  const userEnteredFormat = { wrapStrategy: "WRAP_STRATEGY_UNSPECIFIED", horizontalAlignment: null, textFormat: { bold: true } };
  const range = { sheetId: 0, startRowIndex: 0, endRowIndex: 1, startColumnIndex: 0, endColumnIndex: 1 };
  await api.batch({ repeatCell: { range, cell: { userEnteredFormat }, fields: "userEnteredFormat" } });
  const { sheets } = await api.get("ranges=A1&fields=sheets.data.rowData.values(userEnteredFormat,effectiveFormat.wrapStrategy)");
  const [cell] = sheets[0].data[0].rowData[0].values;
  assert.deepEqual(cell, { userEnteredFormat: { textFormat: { bold: true } }, effectiveFormat: { wrapStrategy: "OVERFLOW_CELL" } });
});

test("pygsheets' basic filter: no empty lists, criteria in both spellings, rows in the order of its sort", async (t) => {
  const api = await open(t);
  await api.put("A1:C4", [
    ["col1", "col2", "col3"],
    ["444", "222", "666"],
    ["111", "888", "333"],
    ["333", "555", "999"],
  ]);
  const range = { startRowIndex: 0, endRowIndex: 4, startColumnIndex: 0, endColumnIndex: 3 };
  const set = (filter: object) => api.batch({ setBasicFilter: { filter: { range: { sheetId: 0, ...range }, ...filter } } });
  const shown = async (): Promise<Json> => (await api.get("fields=sheets(properties(sheetId,title),basicFilter)")).sheets[0].basicFilter;

  await set({ sortSpecs: [], filterSpecs: [] });
  assert.deepEqual(await shown(), { range });

  const hidden = { hiddenValues: ["111"] };
  for (const sent of [{ criteria: { 0: hidden } }, { filterSpecs: [{ columnIndex: 0, filterCriteria: hidden }] }]) {
    await set(sent);
    assert.deepEqual(await shown(), { range, criteria: { 0: hidden }, filterSpecs: [{ columnIndex: 0, filterCriteria: hidden }] });
  }

  const sortSpecs = [{ dimensionIndex: 0, sortOrder: "ASCENDING" }];
  await set({ sortSpecs });
  assert.deepEqual(await shown(), { range, sortSpecs });
  const { sheets } = await api.get("ranges=A1:A4&fields=sheets.data.rowData.values.formattedValue");
  const column = sheets[0].data[0].rowData.map((row: Json) => row.values[0].formattedValue);
  assert.deepEqual(column, ["col1", "111", "333", "444"]);
});

test("empty lists are dropped at any depth of what is echoed", async (t) => {
  const api = await open(t);
  const range = { sheetId: 0, startRowIndex: 0, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 1 };
  const condition = { type: "NOT_BLANK", values: [] };
  const booleanRule = { condition, format: { textFormat: { bold: true } } };
  const { body } = await api.batch([
    { addFilterView: { filter: { filterViewId: 7, title: "v", range, sortSpecs: [], criteria: { 0: { hiddenValues: [] } } } } },
    { addConditionalFormatRule: { rule: { ranges: [range], booleanRule } } },
    { setDataValidation: { range, rule: { condition, strict: true } } },
  ]);
  assert.deepEqual(body.replies[0].addFilterView.filter.sortSpecs, undefined);
  const whole = await api.get("includeGridData=true&ranges=A1");
  assert.doesNotMatch(JSON.stringify(whole), /\[\]/);
  assert.deepEqual(whole.sheets[0].conditionalFormats[0].booleanRule.condition, { type: "NOT_BLANK" });
});

test("gspread sets a colour of 0.5 and reads 127 of 255", async (t) => {
  const api = await open(t);
  const properties = { sheetId: 0, tabColorStyle: { rgbColor: { red: 1, green: 0, blue: 0.5 } } };
  await api.batch([{ updateSheetProperties: { properties, fields: "tabColorStyle" } }]);
  const { sheets } = await api.get("fields=sheets.properties.tabColorStyle");
  assert.deepEqual(sheets[0].properties.tabColorStyle, { rgbColor: { red: 1, blue: 0.49803922 } });
});
