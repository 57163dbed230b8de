import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { createEngine } from "../../../../src/tools/emulator/engine/engine.ts";
import { type Client, client, ok } from "./client.ts";

const small = fc.integer({ min: 0, max: 6 });
const span = fc
  .tuple(small, fc.integer({ min: 1, max: 3 }))
  .map(([start, n]) => ({ start, end: start + n }));
const dimension = fc.constantFrom("ROWS", "COLUMNS");
const gridRange = fc.tuple(span, span).map(([r, c]) => ({
  sheetId: 0,
  startRowIndex: r.start,
  endRowIndex: r.end,
  startColumnIndex: c.start,
  endColumnIndex: c.end,
}));
const entered = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((numberValue) => ({ numberValue })),
  fc.constantFrom("a", "b", "").map((stringValue) => ({ stringValue })),
  fc
    .constantFrom("=A1+1", "=SUM(A1:B3)", '=Sheet1!$C$2&"x"')
    .map((formulaValue) => ({ formulaValue })),
);

/** Requests as people and programs mix them: many fit, some are refused. */
const request: fc.Arbitrary<object> = fc.oneof(
  fc.record({ range: gridRange, userEnteredValue: entered }).map(({ range, userEnteredValue }) => ({
    updateCells: {
      range,
      rows: [{ values: [{ userEnteredValue, note: "n" }] }],
      fields: "userEnteredValue,note",
    },
  })),
  entered.map((userEnteredValue) => ({
    appendCells: { sheetId: 0, rows: [{ values: [{}, { userEnteredValue }] }], fields: "*" },
  })),
  fc.tuple(dimension, span).map(([d, s]) => ({
    insertDimension: {
      range: { sheetId: 0, dimension: d, startIndex: s.start, endIndex: s.end },
    },
  })),
  fc.tuple(dimension, span).map(([d, s]) => ({
    deleteDimension: {
      range: { sheetId: 0, dimension: d, startIndex: s.start, endIndex: s.end },
    },
  })),
  fc.tuple(dimension, span, small).map(([d, s, to]) => ({
    moveDimension: {
      source: { sheetId: 0, dimension: d, startIndex: s.start, endIndex: s.end },
      destinationIndex: to,
    },
  })),
  gridRange.map((range) => ({
    sortRange: { range, sortSpecs: [{ dimensionIndex: 1, sortOrder: "DESCENDING" }] },
  })),
  fc.tuple(gridRange, small, small).map(([source, rowIndex, columnIndex]) => ({
    cutPaste: { source, destination: { sheetId: 0, rowIndex, columnIndex } },
  })),
  small.map((metadataId) => ({
    createDeveloperMetadata: {
      developerMetadata: {
        metadataId: metadataId + 1,
        metadataKey: "k",
        location: {
          dimensionRange: {
            sheetId: 0,
            dimension: "ROWS",
            startIndex: metadataId,
            endIndex: metadataId + 1,
          },
        },
        visibility: "DOCUMENT",
      },
    },
  })),
  fc.constantFrom("x", "y").map((title) => ({ addSheet: { properties: { title } } })),
  fc.constant({
    updateSheetProperties: {
      properties: { sheetId: 0, gridProperties: { rowCount: 5, columnCount: 5 } },
      fields: "gridProperties(rowCount,columnCount)",
    },
  }),
);

function tiny(): Client {
  const c = client();
  const gridProperties = { rowCount: 8, columnCount: 8 };
  ok(
    c.batch({
      updateSheetProperties: {
        properties: { sheetId: 0, gridProperties },
        fields: "gridProperties(rowCount,columnCount)",
      },
    }),
  );
  return c;
}

const snapshot = (c: Client): string => JSON.stringify(c.engine.dump());

test("a batch that fails leaves no trace, whatever came before the failure", () => {
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 8 }),
      fc.array(request, { minLength: 1, maxLength: 8 }),
      (before, batch) => {
        const c = tiny();
        for (const one of before) c.batch(one);
        const old = snapshot(c);
        const answer = c.batch(...batch, { deleteSheet: { sheetId: 123 } });
        assert.deepEqual([answer.status, answer.mutated], [400, false]);
        assert.equal(snapshot(c), old);
      },
    ),
    { numRuns: 150 },
  );
});

const views = (c: Client): string =>
  JSON.stringify([
    c.book({ includeGridData: "true" }),
    c.get("Sheet1"),
    c.get("Sheet1", { valueRenderOption: "FORMULA" }),
  ]);

test("an engine made from a dump goes on as the first would have", () => {
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 10 }),
      fc.array(request, { maxLength: 5 }),
      (before, after) => {
        const c = tiny();
        for (const one of before) c.batch(one);
        const other = client(createEngine(JSON.parse(snapshot(c))), c.id);
        assert.equal(views(other), views(c));
        for (const one of after) assert.deepEqual(other.batch(one), c.batch(one));
        assert.equal(snapshot(other), snapshot(c));
      },
    ),
    { numRuns: 100 },
  );
});

test("the same mutating calls give the same state: refused ones may be left out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(request, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
      (batches) => {
        const [all, logged] = [tiny(), tiny()];
        for (const batch of batches) if (all.batch(...batch).mutated) ok(logged.batch(...batch));
        assert.equal(snapshot(logged), snapshot(all));
      },
    ),
    { numRuns: 100 },
  );
});

test("no batch makes a spreadsheet that can't be shown, or cells outside its grid", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 15 }), (requests) => {
      const c = tiny();
      for (const one of requests) c.batch(one);
      views(c);
      const { books } = c.engine.dump() as {
        books: {
          sheets: {
            state: { rowCount: number; columnCount: number };
            rows: [number, unknown[]][];
          }[];
        }[];
      };
      for (const { state, rows } of books[0]?.sheets ?? [])
        for (const [row, cells] of rows)
          assert.ok(
            row < state.rowCount && cells.length <= state.columnCount,
            `row ${row} of ${state.rowCount}`,
          );
    }),
    { numRuns: 200 },
  );
});

test("calls with any body are answered", () => {
  const c = tiny();
  const methods = fc.constantFrom(
    "create",
    "batchUpdate",
    "values.update",
    "values.append",
    "values.batchUpdate",
    "values.batchClear",
    "values.batchGetByDataFilter",
    "developerMetadata.search",
  );
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({
      requests: fc.array(request.chain((r) => fc.constant(r))),
      data: fc.jsonValue(),
      dataFilters: fc.jsonValue(),
      values: fc.jsonValue(),
      valueInputOption: fc.jsonValue(),
    }),
    fc.record({
      requests: fc.array(
        fc.dictionary(
          fc.constantFrom(
            "addSheet",
            "updateCells",
            "sortRange",
            "cutPaste",
            "createDeveloperMetadata",
          ),
          fc.jsonValue(),
          {
            maxKeys: 1,
          },
        ),
      ),
    }),
  );
  fc.assert(
    fc.property(methods, body, (method, value) => {
      const { status } = c.call(method, {
        path: { range: "A1" },
        query: { valueInputOption: "RAW" },
        body: value,
      });
      assert.ok(status === 200 || status === 400 || status === 404, `${status}`);
    }),
    { numRuns: 500 },
  );
});

test("a seeded spreadsheet holds its rows as they are, and is seeded once", () => {
  const engine = createEngine();
  engine.seed("sample", "Sample", [
    {
      title: "players",
      rows: [
        ["id", "score"],
        ["007", 5],
        ["=x", true],
      ],
    },
    { title: "actions", rows: [] },
  ]);
  const c = client(engine, "sample");
  assert.deepEqual(c.values("players!A1:B3", { valueRenderOption: "UNFORMATTED_VALUE" }), [
    ["id", "score"],
    ["007", 5],
    ["=x", true],
  ]);
  assert.equal(c.get("actions")["range"], "actions!A1:Z1000");
  assert.throws(() => engine.seed("sample", "again", []), /exists already/);
  assert.throws(() => createEngine({ form: 99 }), /no dump/);
});

test("a state that an older emulator wrote is read: values, notes, number formats and metadata are left", () => {
  const numberFormat = { type: "DATE", pattern: "yyyy-mm-dd" };
  const metadata = {
    metadataId: 7,
    metadataKey: "k",
    location: { locationType: "SPREADSHEET", spreadsheet: true },
    visibility: "DOCUMENT",
  };
  const lists = {
    merges: [{ startRowIndex: 0, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 2 }],
    filterViews: [],
    rowGroups: [],
  };
  const state = {
    id: 0,
    title: "Old",
    rowCount: 10,
    columnCount: 5,
    hidden: false,
    properties: { rightToLeft: true },
    gridProperties: {},
  };
  const cells = [
    { value: 43_831, format: { numberFormat, textFormat: { bold: true } }, note: "n" },
    { format: { textFormat: { bold: true } } },
    { formula: "=SUM(A1:A2)", validation: {} },
    null,
    "x",
  ];
  const old = {
    state: {
      ...state,
      features: lists,
      rows: [{ start: 0, end: 1, properties: { hiddenByUser: true } }],
    },
    rows: [[1, cells]],
  };
  const book = {
    id: "b",
    state: { properties: { title: "B" }, namedRanges: [{ name: "n" }], metadata: [metadata] },
    sheets: [old],
  };
  const c = client(createEngine({ form: 1, ids: 3, books: [book] }), "b");
  assert.deepEqual(c.values("Old"), [[], ["2020-01-01", "", "#NAME?", "", "x"]]);
  assert.deepEqual(
    c.book({ fields: "sheets.data.rowData.values(note,userEnteredFormat)", ranges: "A2" })[
      "sheets"
    ],
    [{ data: [{ rowData: [{ values: [{ note: "n", userEnteredFormat: { numberFormat } }] }] }] }],
  );
  assert.deepEqual(ok(c.call("developerMetadata.get", { path: { metadataId: "7" } })), metadata);
  assert.deepEqual(JSON.parse(snapshot(c)).books[0].sheets[0].state, {
    id: 0,
    title: "Old",
    rowCount: 10,
    columnCount: 5,
    hidden: false,
  });
});
