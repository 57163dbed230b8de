/** The npm package google-spreadsheet against the emulator: it knows Google's addresses alone, so fetch is redirected. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { GoogleSpreadsheet } from "google-spreadsheet";
import { createEngine } from "../../src/emulator/engine/engine.ts";
import { readFaultSpecs } from "../../src/emulator/fault-spec.ts";
import { SHEET, world, type World } from "./world.ts";

async function open(t: TestContext): Promise<{ w: World; doc: GoogleSpreadsheet }> {
  const w = await world(t, { engine: createEngine });
  const fetch = globalThis.fetch;
  t.mock.method(globalThis, "fetch", (input: Request | URL | string, init?: RequestInit) => {
    const asked = new Request(input, init);
    const { origin, pathname, search } = new URL(asked.url);
    assert.equal(origin, "https://sheets.googleapis.com");
    return fetch(new Request(new URL(pathname + search, w.url), asked));
  });
  return { w, doc: new GoogleSpreadsheet(SHEET, { token: await w.token() }, { retryConfig: 0 }) };
}

test("tabs: loaded, added, renamed, resized, deleted", async (t) => {
  const { doc } = await open(t);
  await doc.loadInfo();
  assert.deepEqual([doc.title, doc.sheetCount], ["Book", 1]);
  const sheet = await doc.addSheet({ title: "Scores", headerValues: ["player", "points"] });
  await sheet.updateProperties({ title: "Points" });
  await sheet.resize({ rowCount: 50, columnCount: 4 });
  assert.deepEqual([doc.sheetsByTitle["Points"]?.rowCount, sheet.columnCount], [50, 4]);
  await doc.updateProperties({ title: "Season" });
  assert.equal(doc.title, "Season");
  await sheet.delete();
  assert.deepEqual(Object.keys(doc.sheetsByTitle), ["Sheet1"]);
});

test("rows: added, read, changed, deleted", async (t) => {
  const { w, doc } = await open(t);
  await doc.loadInfo();
  const sheet = doc.sheetsByTitle["Sheet1"];
  assert.ok(sheet);
  const added = await sheet.addRows([
    { id: 2, name: "Grace" },
    { id: "3", name: "=1+1" },
  ]);
  assert.deepEqual(
    added.map((row) => row.rowNumber),
    [3, 4],
  );
  const [ada, grace, sum] = await sheet.getRows<{ id: string; name: string }>();
  assert.deepEqual([ada?.get("name"), grace?.get("name"), sum?.get("name")], ["Ada", "Grace", "2"]);
  grace?.set("name", "Grace Hopper");
  await grace?.save();
  await ada?.delete();
  assert.deepEqual(await w.emulator.rows(SHEET, "Sheet1"), [
    ["id", "name"],
    [2, "Grace Hopper"],
    [3, 2],
  ]);
});

test("cells: read with their formats, changed in one batch", async (t) => {
  const { w, doc } = await open(t);
  await doc.loadInfo();
  const sheet = doc.sheetsByIndex[0];
  assert.ok(sheet);
  await sheet.loadCells("A1:C3");
  assert.equal(sheet.getCellByA1("B2").value, "Ada");
  const cell = sheet.getCell(2, 2);
  cell.formula = '=CONCATENATE(B2, "!")';
  cell.textFormat = { bold: true };
  sheet.getCellByA1("A3").numberValue = 7;
  await sheet.saveUpdatedCells();
  assert.deepEqual([cell.formattedValue, cell.textFormat?.bold], ["Ada!", true]);
  assert.deepEqual((await w.emulator.rows(SHEET, "Sheet1"))[2], [7, "", "Ada!"]);
  await sheet.clearRows();
  assert.deepEqual(await w.emulator.rows(SHEET, "Sheet1"), [["id", "name"]]);
});

test("cells that have not changed are saved along with one that has; a link and a formula's colour come back", async (t) => {
  const { doc } = await open(t);
  await doc.loadInfo();
  const sheet = doc.sheetsByIndex[0];
  assert.ok(sheet);
  await sheet.loadCells("A1:B2");
  const [a, b] = [sheet.getCellByA1("A2"), sheet.getCellByA1("B2")];
  b.formula = '=HYPERLINK("https://google.com", "Google")';
  await sheet.saveCells([a, b, sheet.getCellByA1("A1")]);
  b.backgroundColorStyle = { rgbColor: { red: 0, green: 0.5, blue: 1 } };
  await b.save();
  sheet.resetLocalCache(true);
  await sheet.loadCells("B2");
  const { value, hyperlink, backgroundColor } = sheet.getCellByA1("B2");
  assert.deepEqual([value, hyperlink, backgroundColor], ["Google", "https://google.com", { green: 0.49803922, blue: 1 }]);
});

test("a row with its last column alone is read back by column", async (t) => {
  const { doc } = await open(t);
  await doc.loadInfo();
  const sheet = await doc.addSheet({ title: "wide", headerValues: ["numbers", "letters", "more", "col1"] });
  await sheet.addRow(["0", "A"]);
  const typed = await sheet.addRow({ col1: "true" });
  const raw = await sheet.addRow({ col1: "true" }, { raw: true });
  assert.deepEqual([typed.get("col1"), raw.get("col1"), typed.rowNumber, raw.rowNumber], ["TRUE", "true", 3, 4]);
});

test("conditional formats are in the effective format", async (t) => {
  const { doc } = await open(t);
  await doc.loadInfo();
  const sheet = await doc.addSheet({ title: "look", headerValues: ["id"] });
  await sheet.addRows([["10"], ["20"]]);
  const column = { sheetId: sheet.sheetId, startRowIndex: 1, endRowIndex: 4, startColumnIndex: 0, endColumnIndex: 1 };
  const condition = { type: "NUMBER_GREATER" as const, values: [{ userEnteredValue: "15" }] };
  const format = { backgroundColorStyle: { rgbColor: { red: 0, green: 1, blue: 0 } } };
  await sheet.addConditionalFormatRule({ ranges: [column], booleanRule: { condition, format } }, 0);
  await sheet.loadCells("A2:A3");
  const colour = (at: string): unknown => sheet.getCellByA1(at).effectiveFormat?.backgroundColor;
  assert.deepEqual([colour("A2"), colour("A3")], [{ red: 1, green: 1, blue: 1 }, { green: 1 }]);
});

/** The column under a one-column header. */
async function columnOf(doc: GoogleSpreadsheet, values: readonly unknown[]) {
  const sheet = await doc.addSheet({ headerValues: ["values"] });
  await sheet.addRows(values.map((value) => [value] as string[]));
  const read = async (): Promise<unknown[]> => (await sheet.getRows<{ values: string }>()).map((row) => row.get("values") as unknown);
  return { sheet, read };
}
const rows = (start: number, end: number) => ({ startRowIndex: start, endRowIndex: end, startColumnIndex: 0, endColumnIndex: 1 });

test("data is pasted and split into columns as if typed", async (t) => {
  const { doc } = await open(t);
  const { sheet } = await columnOf(doc, ["a,b,3"]);
  await sheet.pasteData({ rowIndex: 2, columnIndex: 0 }, "x,1\n,=1+1", ",");
  await sheet.pasteData({ rowIndex: 4, columnIndex: 0 }, "tab\tTRUE", "\t");
  await sheet.textToColumns(rows(1, 2), "COMMA");
  assert.deepEqual(await sheet.getCellsInRange("A2:C5"), [
    ["a", "b", "3"],
    ["x", "1"],
    ["", "2"],
    ["tab", "TRUE"],
  ]);
});

test("a series goes on, and a range is shuffled", async (t) => {
  const { doc } = await open(t);
  const { sheet, read } = await columnOf(doc, [1, 2]);
  await sheet.autoFill({ source: rows(1, 3), dimension: "ROWS", fillLength: 3 });
  assert.deepEqual(await read(), ["1", "2", "3", "4", "5"]);
  await sheet.randomizeRange(rows(1, 6));
  const shuffled = await read();
  assert.notDeepEqual(shuffled, ["1", "2", "3", "4", "5"]);
  assert.deepEqual(new Set(shuffled), new Set(["1", "2", "3", "4", "5"]));
  assert.equal(shuffled.length, 5);
});

test("errors arrive as Google's", async (t) => {
  const { w, doc } = await open(t);
  const faults = readFaultSpecs("status=503;quota=1s,method=read");
  assert.ok(typeof faults !== "string");
  for (const fault of faults) w.emulator.faults.arm(fault);
  await assert.rejects(doc.loadInfo(), /Google API error - \[503\] The service is currently unavailable\./);
  await assert.rejects(doc.loadInfo(), /Google API error - \[429\] Quota exceeded for quota metric 'Read requests'/);
});
