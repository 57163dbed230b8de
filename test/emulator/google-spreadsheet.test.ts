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

test("errors arrive as Google's", async (t) => {
  const { w, doc } = await open(t);
  const faults = readFaultSpecs("status=503;quota=1s,method=read");
  assert.ok(typeof faults !== "string");
  for (const fault of faults) w.emulator.faults.arm(fault);
  await assert.rejects(doc.loadInfo(), /Google API error - \[503\] The service is currently unavailable\./);
  await assert.rejects(doc.loadInfo(), /Google API error - \[429\] Quota exceeded for quota metric 'Read requests'/);
});
