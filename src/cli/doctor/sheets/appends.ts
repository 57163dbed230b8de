/** Probes of rows that are added: where they go, what becomes of their cells, and what a batch tells of itself. */
import type { Finding } from "./assumptions.ts";
import { confirmed, falsified, fence, said, same, show, tag, verdict, type Answer, type Bench, type Cells, type Tab } from "./bench.ts";

const good = (answer: Answer): boolean => answer.status === 200;

/** Adds rows below a header, and reads them back. @returns undefined when the batch was refused. */
async function roundTrip(bench: Bench, rows: Cells) {
  const tab = await bench.tab([["id", "a", "b", "c"]]);
  const answer = await bench.batch([bench.append(tab, rows)]);
  return { tab, answer, rows: good(answer) ? (await bench.rows(tab)).slice(1) : [] };
}

export async function appendPlace(bench: Bench): Promise<Finding> {
  // Two blocks of cells with an empty column between them, the second longer: what values.append would take for tables.
  const tab = await bench.tab([
    ["id", null, "a", "b"],
    ["k1", null, "x"],
    [null, null, null, "y"],
  ]);
  const answer = await bench.batch([
    bench.append(tab, [
      ["k2", null, null, "z"],
      [null, null, "only"],
    ]),
  ]);
  const rows = await bench.rows(tab);
  const expected = [
    ["id", "", "a", "b"],
    ["k1", "", "x"],
    ["", "", "", "y"],
    ["k2", "", "", "z"],
    ["", "", "only"],
  ];
  return verdict(good(answer) && same(rows, expected), `${said(answer)}: ${show(rows)}`);
}

export async function appendGrows(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"], ["k1"]], { rowCount: 2, columnCount: 2 });
  const answer = await bench.batch([bench.append(tab, [["k2"], ["k3"]])]);
  const rows = await bench.rows(tab);
  return verdict(good(answer) && same(rows, [["id"], ["k1"], ["k2"], ["k3"]]), `${said(answer)}: ${show(rows)}`);
}

/** What a cell would make of these if it read them as people type. */
export const FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "'=1+1", '=HYPERLINK("https://example.com")', "{=1}"];
export const LOOKALIKES = ["007", "1e3", "TRUE", "2020-01-01", "50 %", "1,000.5", " 5 "];

/** The formulas of a tab's cells, as its people see them in the input line. */
async function formulasOf(bench: Bench, { title }: Tab): Promise<unknown> {
  const query = { valueRenderOption: "FORMULA", prettyPrint: "false" };
  const answer = await bench.call({ verb: "GET", path: `/values/${title}!B2:B40`, pool: "read", query });
  return ((answer.json as { values?: readonly (readonly unknown[])[] } | undefined)?.values ?? []).map(([cell]) => cell);
}

/** Whether texts that were written into column B below the header are there as texts. */
export async function asText(bench: Bench, tab: Tab, texts: readonly string[], answer: Answer): Promise<Finding> {
  if (!good(answer)) return falsified(said(answer));
  const values = (await bench.rows(tab, "B2:B40")).map(([cell]) => cell);
  const formulas = await formulasOf(bench, tab);
  const wrong = texts.filter((text, i) => values[i] !== text);
  // Whatever stands there, a formula shows itself by being something else than its result.
  return verdict(
    wrong.length === 0 && same(values, formulas),
    wrong.length === 0 ? `as they were: ${show(values)}` : `${show(wrong)} became ${show(values)}`,
  );
}

export async function appendText(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id", "text"]]);
  const answer = await bench.batch([
    bench.append(
      tab,
      FORMULAS.map((text, i) => [`k${i}`, text]),
    ),
  ]);
  return asText(bench, tab, FORMULAS, answer);
}

export async function appendKinds(bench: Bench): Promise<Finding> {
  const rows = [...LOOKALIKES, 0, -1.5, 9_007_199_254_740_991, 1e-7, 123_456_789.123_456, true, false].map((cell, i) => [`k${i}`, cell]);
  const result = await roundTrip(bench, rows);
  return verdict(same(result.rows, rows), `${said(result.answer)}: ${show(result.rows.map(([, cell]) => cell))}`);
}

const LONGEST = 50_000;

export async function cellLength(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id", "text"]]);
  const fits = await bench.batch([bench.append(tab, [["k1", "é".repeat(LONGEST)]])]);
  const over = await bench.batch([bench.append(tab, [["k2", "x"]]), bench.append(tab, [["k3", "x".repeat(LONGEST + 1)]])]);
  const keys = (await bench.rows(tab, "A2:A40")).map(([key]) => key);
  const holds = good(fits) && over.status === 400 && same(keys, ["k1"]);
  return verdict(holds, `${LONGEST} characters: ${said(fits)}; one more: ${said(over)}; keys that are there: ${show(keys)}`);
}

const MANY = 500;

export async function appendSpeed(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"]], { rowCount: 2, columnCount: 8 });
  const rows = Array.from({ length: MANY }, (_, i) => [`k${i}`, ...Array.from({ length: 7 }, (_, c) => `cell ${c} of row ${i}`)]);
  const answer = await bench.batch([fence(bench.id(), "speed"), bench.append(tab, rows)]);
  const { timeout } = bench.ports;
  return verdict(good(answer) && answer.took <= timeout, `${said(answer)} in ${Math.round(answer.took)} ms; the limit is ${timeout} ms`);
}

interface Shown {
  readonly properties?: { readonly sheetId?: number; readonly title?: string };
  readonly data?: readonly {
    readonly startRow?: number;
    readonly rowData?: readonly { readonly values?: readonly Record<string, unknown>[] }[];
  }[];
}
const shownIn = ({ json }: Answer): readonly Shown[] =>
  (Object((json as { updatedSpreadsheet?: unknown } | undefined)?.updatedSpreadsheet) as { sheets?: readonly Shown[] }).sheets ?? [];

export async function batchNames(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"]]);
  const title = `drover-doctor-${tab.sheetId}0`;
  const rename = { updateSheetProperties: { properties: { sheetId: tab.sheetId, title }, fields: "title" } };
  const fields = "spreadsheetId,updatedSpreadsheet.sheets.properties(sheetId,title)";
  const answer = await bench.batch([rename], { includeSpreadsheetInResponse: true }, fields);
  const found = shownIn(answer).find(({ properties }) => properties?.sheetId === tab.sheetId)?.properties;
  return verdict(good(answer) && found?.title === title, `${said(answer)}: the renamed tab is ${show(found)}`);
}

export async function batchCells(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id", "a"], ["k1"], ["k2"], ["k3"], [7]]);
  const ids = [bench.id(), bench.id()];
  const more = {
    includeSpreadsheetInResponse: true,
    responseRanges: [`${tab.title}!A4`, `${tab.title}!A5`],
    responseIncludeGridData: true,
  };
  const fields =
    "spreadsheetId,updatedSpreadsheet.sheets(properties(sheetId,title),data(startRow,rowData.values(effectiveValue,formattedValue)))";
  const answer = await bench.batch([...ids.map((id, i) => tag(id, tab, 3 + i)), bench.append(tab, [["k5"]])], more, fields);
  const data = shownIn(answer).find(({ properties }) => properties?.sheetId === tab.sheetId)?.data ?? [];
  const cells = data.map(({ startRow, rowData }) => [startRow, rowData?.[0]?.values?.[0]]);
  const text = (row: number, value: object, formattedValue: string): unknown => [row, { effectiveValue: value, formattedValue }];
  const inOrder = cells.map(([row, cell]) => [
    row,
    { effectiveValue: Object(cell).effectiveValue as unknown, formattedValue: Object(cell).formattedValue as unknown },
  ]);
  return verdict(
    same(inOrder, [text(3, { stringValue: "k3" }, "k3"), text(4, { numberValue: 7 }, "7")]),
    `${said(answer)}: ${show(cells)}`,
  );
}

export async function renamedTab(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"]]);
  const title = `drover-doctor-${tab.sheetId}1`;
  await bench.prepare([{ updateSheetProperties: { properties: { sheetId: tab.sheetId, title }, fields: "title" } }]);
  const answer = await bench.batch([bench.append(tab, [["k1"]])]);
  const rows = await bench.rows({ ...tab, title });
  return same(rows, [["id"], ["k1"]]) ? confirmed(`${said(answer)}: ${show(rows)}`) : falsified(`${said(answer)}: ${show(rows)}`);
}
