import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, type Client, client, ok, refusal } from "./client.ts";

interface Tab {
  readonly properties: {
    readonly sheetId: number;
    readonly title: string;
    readonly gridProperties: Record<string, unknown>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}
const tabs = (c: Client): Tab[] => c.book()["sheets"] as Tab[];
const titles = (c: Client): string[] => tabs(c).map((t) => t.properties.title);
const addSheet = (properties: object): object => ({ addSheet: { properties } });
const setSheet = (properties: object, fields: string): object => ({
  updateSheetProperties: { properties: { sheetId: 0, ...properties }, fields },
});

test("a new spreadsheet is as Google's", () => {
  const book = client().book();
  assert.deepEqual(Object.keys(book), ["spreadsheetId", "properties", "sheets", "spreadsheetUrl"]);
  assert.deepEqual(book["sheets"], [
    {
      properties: {
        sheetId: 0,
        title: "Sheet1",
        index: 0,
        sheetType: "GRID",
        gridProperties: { rowCount: 1000, columnCount: 26 },
      },
    },
  ]);
  const { title, locale, autoRecalc, timeZone } = book["properties"] as Record<string, unknown>;
  assert.deepEqual(
    [title, locale, autoRecalc, timeZone],
    ["Untitled spreadsheet", "en_US", "ON_CHANGE", "Etc/GMT"],
  );
});

test("create takes titles, tabs and cells, and refuses by name what it doesn't", () => {
  const c = client();
  const create = (body: object) =>
    c.engine.call({ method: "sheets.spreadsheets.create", path: {}, query: {}, body });
  const cell = { userEnteredValue: { numberValue: 5 } };
  const made = ok(
    create({
      properties: { title: "T" },
      sheets: [
        {
          properties: { title: "a", gridProperties: { rowCount: 0 } },
          data: [{ startRow: 1, rowData: [{ values: [cell] }] }],
        },
        {},
      ],
    }),
  );
  const other = client(c.engine, made["spreadsheetId"] as string);
  assert.deepEqual(titles(other), ["a", "Sheet2"]);
  assert.deepEqual(other.get("a!A2"), { range: "a!A2", majorDimension: "ROWS", values: [["5"]] });
  assert.match(refusal(create({ sheets: [{ charts: [{}] }] })), /'charts' is not supported/);
  assert.match(
    refusal(create({ properties: { locale: "fr_FR" } })),
    /locale "fr_FR" is not supported/,
  );
});

test("tabs: add, move, rename, hide, delete", () => {
  const c = client();
  const [reply] = ok(
    c.batch(
      addSheet({ title: "two", sheetId: 5, gridProperties: { rowCount: 3, columnCount: 2 } }),
    ),
  )["replies"] as Body[];
  assert.deepEqual(reply, {
    addSheet: {
      properties: {
        sheetId: 5,
        title: "two",
        index: 1,
        sheetType: "GRID",
        gridProperties: { rowCount: 3, columnCount: 2 },
      },
    },
  });
  ok(c.put("two!A1", [["kept"]]));
  ok(
    c.batch(addSheet({ title: "three", sheetId: 9, index: 1 }), {
      updateSheetProperties: { properties: { sheetId: 9, index: 3 }, fields: "index" },
    }),
  );
  assert.deepEqual(titles(c), ["Sheet1", "two", "three"]);
  assert.deepEqual(c.values("two!A1"), [["kept"]]);
  ok(
    c.batch({
      updateSheetProperties: {
        properties: { sheetId: 9, index: 0, title: "first", hidden: true },
        fields: "index,title,hidden",
      },
    }),
  );
  assert.deepEqual(titles(c), ["first", "Sheet1", "two"]);
  assert.equal(c.get("A1")["range"], "Sheet1!A1", "a bare cell is on the first visible tab");
  ok(c.batch({ deleteSheet: { sheetId: 0 } }));
  assert.equal(
    refusal(c.batch({ deleteSheet: { sheetId: 5 } })),
    "Invalid requests[0].deleteSheet: You can't remove all the visible sheets in a document.",
  );
});

test("tabs: refusals", () => {
  const c = client();
  const said = (...requests: object[]): string => refusal(c.batch(...requests));
  assert.equal(
    said({ deleteSheet: { sheetId: 0 } }),
    "Invalid requests[0].deleteSheet: You can't remove all the sheets in a document.",
  );
  assert.equal(
    said(addSheet({ title: "sheet1" })),
    'Invalid requests[0].addSheet: A sheet with the name "sheet1" already exists. Please enter another name.',
  );
  assert.match(said(addSheet({ sheetId: 0 })), /id 0 already exists/);
  assert.equal(
    said(setSheet({ hidden: true }, "hidden")),
    "Invalid requests[0].updateSheetProperties: You can't hide all the sheets in a document.",
  );
  assert.equal(
    said(setSheet({ title: "" }, "title")),
    "Invalid requests[0].updateSheetProperties: The sheet name cannot be empty.",
  );
  assert.equal(
    said({ updateSheetProperties: { properties: { sheetId: 4 }, fields: "title" } }),
    "Invalid requests[0].updateSheetProperties: No sheet with id: 4",
  );
  for (const [properties, fields, name] of [
    [{ tabColor: { red: 1 } }, "tabColor", "tabColor"],
    [{}, "tabColorStyle", "tabColorStyle"],
    [{ gridProperties: { frozenRowCount: 1 } }, "gridProperties.frozenRowCount", "frozenRowCount"],
    [{ title: "x", gridProperties: { hideGridlines: true } }, "*", "hideGridlines"],
  ] as const)
    assert.equal(
      said(setSheet(properties, fields)),
      `Invalid requests[0].updateSheetProperties: ${name} is not supported by this emulator.`,
    );
  assert.match(said(addSheet({ tabColor: { red: 1 } })), /addSheet: tabColor is not supported/);
  assert.match(
    said(setSheet({ gridProperties: { rowCount: 10_000_000 } }, "gridProperties.rowCount")),
    /above the limit of 10000000 cells/,
  );
  assert.equal(
    said({ addChart: { chart: {} } }),
    "Invalid requests[0].addChart: this kind of request is not supported by this emulator.",
  );
  assert.equal(said({}), "Invalid requests[0]: No request set.");
  assert.equal(
    refusal(c.call("batchUpdate", { body: { requests: [] } })),
    "Must specify at least one request.",
  );
});

test("what a batch writes can be read back in its answer", () => {
  const c = client();
  const body = {
    requests: [
      {
        updateCells: {
          start: { sheetId: 0 },
          fields: "userEnteredValue",
          rows: [{ values: [{ userEnteredValue: { stringValue: "x" } }] }],
        },
      },
    ],
    includeSpreadsheetInResponse: true,
    responseRanges: ["Sheet1!A1"],
    responseIncludeGridData: true,
  };
  const fields = "updatedSpreadsheet.sheets.data.rowData.values.formattedValue";
  assert.deepEqual(ok(c.call("batchUpdate", { body, query: { fields } })), {
    updatedSpreadsheet: {
      sheets: [{ data: [{ rowData: [{ values: [{ formattedValue: "x" }] }] }] }],
    },
  });
  const bad = c.call("batchUpdate", {
    body: { ...body, requests: [{ deleteSheet: {} }, addSheet({})], responseRanges: ["nope"] },
  });
  assert.equal(bad.status, 400);
  const nowhere = c.call("batchUpdate", {
    body: { ...body, requests: [addSheet({ title: "new" })], responseRanges: ["nope"] },
  });
  assert.equal(refusal(nowhere), "Unable to parse range: nope");
  assert.deepEqual(titles(c), ["Sheet1"], "a batch whose answer can't be made is not done");
});

test("grid data costs nothing for empty rows: a tab of nine million rows is shown", () => {
  const c = client();
  ok(
    c.batch(
      addSheet({ title: "long", sheetId: 5, gridProperties: { rowCount: 9e6, columnCount: 1 } }),
      { appendDimension: { sheetId: 5, dimension: "ROWS", length: 1 } },
    ),
  );
  assert.deepEqual(
    tabs(c).map((tab) => tab.properties.gridProperties["rowCount"]),
    [1000, 9_000_001],
  );
  const [, tab] = c.book({ includeGridData: "true" })["sheets"] as Tab[];
  assert.deepEqual(tab?.["data"], [{}]);
});
