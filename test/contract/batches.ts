/** Claims about `batchUpdate`: fences, refusals, appended rows, and what a batch returns. */
import { append, equal, fence, KEY, remove, tag, VALUE, verdict, type Json, type Probe, type Rows, type Sheet, type Tab } from "./sheet.ts";

const FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "'=1+1", '=HYPERLINK("https://example.com")', "{=1}"];
const LOOKALIKES = ["007", "1e3", "TRUE", "2020-01-01", "50 %", "1,000.5", " 5 "];
export const TEXTS = [...FORMULAS, ...LOOKALIKES];

/** Column B below the header: its values, and what a person sees when editing the cells. */
export async function columnB(s: Sheet, tab: Tab): Promise<readonly unknown[]> {
  const query = { valueRenderOption: "FORMULA" };
  const { values = [] } = await s.good({ verb: "GET", path: `/values/${tab.title}!B2:B40`, pool: "read", query });
  return [await s.rows(tab, "!B2:B40"), values as Rows].map((rows) => rows.map(([cell]) => cell));
}

const ROOM = 600;
const LONGEST = 50_000;

const tabIn = ({ json }: { readonly json: Json }, { sheetId }: Tab): Json =>
  json.updatedSpreadsheet?.sheets?.find(({ properties }: Json) => properties?.sheetId === sheetId) ?? {};

async function renamed(s: Sheet, more?: object, fields?: string) {
  const tab = await s.tab([["id"]]);
  const title = `${KEY}-${tab.sheetId}0`;
  const rename = { updateSheetProperties: { properties: { sheetId: tab.sheetId, title }, fields: "title" } };
  return { tab: { ...tab, title }, answer: await s.batch([rename], more, fields) };
}

export const BATCHES = {
  "taken-id": async (s) => {
    const id = s.id();
    await s.made(fence(id));
    const again = await s.batch([fence(id)], { includeSpreadsheetInResponse: true }, "spreadsheetId");
    const other = await s.batch([fence(id, "another value")]);
    return equal([again.status, other.status, (await s.metadata(id)).json.metadataValue], [400, 400, VALUE]);
  },
  "whole-batch": async (s) => {
    const [tab, id] = [await s.tab([["id"]]), s.id()];
    const row = append(tab, [["k1"]]);
    await s.made(fence(id));
    const [first, last] = [await s.batch([fence(id), row]), await s.batch([row, fence(id)])];
    return equal([first.status, last.status, await s.rows(tab)], [400, 400, [["id"]]]);
  },
  "refused-whole": async (s) => {
    const [tab, id] = [await s.tab([["id"]]), s.id()];
    const { status } = await s.batch([fence(id), append(tab, [["k1"]]), append({ sheetId: s.id() }, [["k2"]])]);
    return equal([status, await s.place(id), await s.rows(tab)], [400, "nowhere", [["id"]]]);
  },
  "get-metadata": async (s) => {
    const id = s.id();
    await s.made(fence(id));
    const { metadataId, metadataKey, metadataValue } = (await s.metadata(id)).json;
    return equal([metadataId, metadataKey, metadataValue, (await s.metadata(s.id())).status], [id, KEY, VALUE, 404]);
  },
  "search-metadata": async (s) => {
    const [tab, ids] = [await s.tab([["id"], ["k1"], ["k2"]]), [s.id(), s.id()]];
    await s.made(fence(ids[0] ?? 0), tag(ids[1] ?? 0, tab, 2));
    const all = await s.search();
    const found = ids.map((id) => all.find(({ metadataId }) => metadataId === id));
    const saw = found.map((one) => [one?.metadataValue, one?.location?.dimensionRange?.startIndex ?? "the spreadsheet"]);
    return equal(saw.flat(), [VALUE, "the spreadsheet", "t2", 2]);
  },
  "absent-metadata": async (s) => equal((await s.batch([remove(s.id()), fence(s.id())])).status, 200),
  "id-range": async (s) => {
    const largest = 2 ** 31 - 10_000 - (s.id() % 1_000);
    const { status } = await s.batch([fence(largest)]);
    return equal([status, (await s.metadata(largest)).json.metadataId], [200, largest]);
  },
  "metadata-room": async (s) => {
    const tab = await s.tab([], ROOM, 1);
    const ids = Array.from({ length: 2 * ROOM }, () => s.id());
    const [fences, tags] = [ids.slice(0, ROOM), ids.slice(ROOM)];
    const made = [await s.batch(fences.map((id) => fence(id))), await s.batch(tags.map((id, row) => tag(id, tab, row)))];
    if (made[0]?.status === 200) await s.made(...fences.map(remove)); // room for other probes
    return equal([made[0]?.status, made[1]?.status], [200, 200]);
  },
  "append-place": async (s) => {
    // An empty column between two blocks, the second longer: values.append would see two tables.
    const rows = ["id,,a,b", "k1,,x", ",,,y", "k2,,,z", ",,only"].map((row) => row.split(","));
    const cells = rows.map((row) => row.map((cell) => cell || null));
    const tab = await s.tab(cells.slice(0, 3));
    const { status } = await s.batch([append(tab, cells.slice(3))]);
    return equal([status, ...(await s.rows(tab))], [200, ...rows]);
  },
  "append-grows": async (s) => {
    const tab = await s.tab([["id"], ["k1"]], 2, 2);
    const { status } = await s.batch([append(tab, [["k2"], ["k3"]])]);
    return equal([status, (await s.rows(tab)).flat()], [200, ["id", "k1", "k2", "k3"]]);
  },
  "append-text": async (s) => {
    const tab = await s.tab([["id", "text"]]);
    const rows = FORMULAS.map((text, i) => [`k${i}`, text]);
    const { status } = await s.batch([append(tab, rows)]);
    return equal([status, ...(await columnB(s, tab))], [200, FORMULAS, FORMULAS]);
  },
  "append-kinds": async (s) => {
    const cells = [...LOOKALIKES, 0, -1.5, 9_007_199_254_740_991, 1e-7, 123_456_789.123_456, true, false];
    const tab = await s.tab([["id", "cell"]]);
    const rows = cells.map((cell, i) => [`k${i}`, cell]);
    const { status } = await s.batch([append(tab, rows)]);
    return equal([status, ...(await s.rows(tab, "!B2:B40")).flat()], [200, ...cells]);
  },
  "cell-length": async (s) => {
    const tab = await s.tab([["id", "text"]]);
    const fits = await s.batch([append(tab, [["k1", "é".repeat(LONGEST)]])]);
    const over = await s.batch([append(tab, [["k2", "x"]]), append(tab, [["k3", "x".repeat(LONGEST + 1)]])]);
    return equal([fits.status, over.status, (await s.rows(tab, "!A1:A40")).flat()], [200, 400, ["id", "k1"]]);
  },
  "append-speed": async (s) => {
    const tab = await s.tab([["id"]], 2);
    const rows = Array.from({ length: 500 }, (_, i) => [`k${i}`, ...Array.from({ length: 7 }, (_, c) => `cell ${c} of row ${i}`)]);
    const { status, took } = await s.batch([fence(s.id()), append(tab, rows)]);
    const { timeout } = s.ports;
    return verdict(status === 200 && took <= timeout, `${status} in ${Math.round(took)} ms of ${timeout}`);
  },
  "batch-names": async (s) => {
    const fields = "spreadsheetId,updatedSpreadsheet.sheets.properties(sheetId,title)";
    const { tab, answer } = await renamed(s, { includeSpreadsheetInResponse: true }, fields);
    return equal([answer.status, tabIn(answer, tab).properties?.title], [200, tab.title]);
  },
  "batch-cells": async (s) => {
    const tab = await s.tab([["id", "a"], ["k1"], ["k2"], ["k3"], [7]]);
    const responseRanges = [`${tab.title}!A4`, `${tab.title}!A5`];
    const more = { includeSpreadsheetInResponse: true, responseIncludeGridData: true, responseRanges };
    const cells = "data(startRow,rowData.values(effectiveValue,formattedValue))";
    const fields = `spreadsheetId,updatedSpreadsheet.sheets(properties(sheetId,title),${cells})`;
    const answer = await s.batch([tag(s.id(), tab, 3), tag(s.id(), tab, 4), append(tab, [["k5"]])], more, fields);
    const saw = (tabIn(answer, tab).data ?? []).flatMap(({ startRow, rowData }: Json) => {
      const { effectiveValue, formattedValue } = Object(rowData?.[0]?.values?.[0]);
      return [startRow, effectiveValue, formattedValue];
    });
    return equal(saw, [3, { stringValue: "k3" }, "k3", 4, { numberValue: 7 }, "7"]);
  },
  "renamed-tab": async (s) => {
    const { tab } = await renamed(s);
    const { status } = await s.batch([append(tab, [["k1"]])]);
    return equal([status, (await s.rows(tab)).flat()], [200, ["id", "k1"]]);
  },
} satisfies Readonly<Record<string, Probe>>;
