import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { createEngine } from "../../../../src/tools/emulator/engine/engine.ts";
import { type Client, client, ok } from "./client.ts";
import { resized, tag } from "./requests.ts";

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
  small.map((row) => tag(row + 1, row)),
  fc.constantFrom("x", "y").map((title) => ({ addSheet: { properties: { title } } })),
  fc.constant(resized(5, 5)),
);

function tiny(): Client {
  const c = client();
  ok(c.batch(resized(8, 8)));
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
      const { spreadsheets } = c.engine.dump() as {
        spreadsheets: {
          sheets: { rowCount: number; rows: (null | { cells: unknown[] })[]; columns: unknown[] }[];
        }[];
      };
      for (const { rowCount, rows, columns } of spreadsheets[0]?.sheets ?? []) {
        assert.ok(rows.length <= rowCount, `${rows.length} rows of ${rowCount}`);
        for (const row of rows) assert.ok((row?.cells.length ?? 0) <= columns.length);
      }
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
