import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { type Body, client, ok } from "./client.ts";
import { fence, grid, ofId, rows, tag } from "./requests.ts";

/** First cells of the rows that ids are on; undefined where the id is gone. */
const found = (c: ReturnType<typeof client>, ids: readonly number[]): unknown[] =>
  ids.map((id) => {
    const body = ok(c.call("values.batchGetByDataFilter", { body: { dataFilters: [ofId(id)] } }));
    const [match] = (body["valueRanges"] ?? []) as { valueRange: { values?: unknown[][] } }[];
    return match?.valueRange.values?.[0]?.[0];
  });

test("metadata of a row follows it, and selects it for reads and writes", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]),
  );
  ok(c.batch(tag(7, 1, { metadataKey: "id", metadataValue: "b" })));
  ok(c.batch({ insertDimension: { range: rows(0, 2) } }));
  const dataFilter = { developerMetadataLookup: { metadataKey: "id", metadataValue: "b" } };
  const read = ok(c.call("values.batchGetByDataFilter", { body: { dataFilters: [dataFilter] } }));
  assert.deepEqual(read["valueRanges"], [
    {
      valueRange: { range: "Sheet1!A4:Z4", majorDimension: "ROWS", values: [["b", "2"]] },
      dataFilters: [dataFilter],
    },
  ]);
  const data = [{ dataFilter, values: [["B"]] }];
  const wrote = ok(
    c.call("values.batchUpdateByDataFilter", { body: { valueInputOption: "RAW", data } }),
  );
  assert.deepEqual(wrote["responses"], [
    { updatedRange: "Sheet1!A4", updatedRows: 1, updatedColumns: 1, updatedCells: 1, dataFilter },
  ]);
  const cleared = ok(
    c.call("values.batchClearByDataFilter", { body: { dataFilters: [dataFilter] } }),
  );
  assert.deepEqual(cleared["clearedRanges"], ["Sheet1!A4:Z4"]);
  assert.deepEqual(c.values("A3:B5"), [["a", "1"], [], ["c", "3"]]);
});

test("rows that are sorted, moved, inserted and deleted take their metadata along", () => {
  const c = client();
  ok(c.put("A1", [["id", "n"], ...["d", "b", "e", "a", "c"].map((id, i) => [id, i])]));
  const ids = [1, 2, 3, 4, 5];
  ok(c.batch(...ids.map((id) => tag(id, id))));
  const sort = (dimensionIndex: number, range: object = {}): object => ({
    sortRange: {
      range: { sheetId: 0, startRowIndex: 1, endRowIndex: 1000, ...range },
      sortSpecs: [{ dimensionIndex }],
    },
  });
  const names = ["d", "b", "e", "a", "c"];
  ok(c.batch(sort(0)));
  assert.deepEqual(c.values("A2:A6"), [["a"], ["b"], ["c"], ["d"], ["e"]]);
  assert.deepEqual(found(c, ids), names);
  ok(c.batch(sort(1, { startColumnIndex: 0, endColumnIndex: 2 })));
  assert.deepEqual(found(c, ids), names, "a range with all cells of its rows is rows too");
  ok(c.batch({ moveDimension: { source: rows(1, 3), destinationIndex: 6 } }));
  ok(c.batch({ insertDimension: { range: rows(2, 5) } }, sort(0)));
  assert.deepEqual(found(c, ids), names);
  ok(c.batch({ deleteDimension: { range: rows(2, 4) } }));
  assert.deepEqual(found(c, ids), ["d", undefined, "e", "a", undefined]);
  const gone = c.call("developerMetadata.get", { path: { metadataId: "2" } });
  assert.equal(gone.status, 404, "it went with its row");
  ok(c.batch(tag(2, 0)));
  assert.deepEqual(found(c, [2]), ["id"]);
});

test("whatever is done to rows, a tag is on its row or gone with it", () => {
  const at = fc.integer({ min: 1, max: 12 });
  const edit = fc.oneof(
    fc.record({
      kind: fc.constant("sort" as const),
      dimensionIndex: fc.integer({ min: 0, max: 1 }),
      descending: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("insert" as const), at, count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant("delete" as const), at }),
    fc.record({ kind: fc.constant("move" as const), at, to: at }),
  );
  type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;
  const request = (e: Edit): object => {
    if (e.kind === "sort") {
      const sortSpecs = [
        { dimensionIndex: e.dimensionIndex, sortOrder: e.descending ? "DESCENDING" : "ASCENDING" },
      ];
      return { sortRange: { range: { sheetId: 0, startRowIndex: 1 }, sortSpecs } };
    }
    if (e.kind === "insert") return { insertDimension: { range: rows(e.at, e.at + e.count) } };
    if (e.kind === "delete") return { deleteDimension: { range: rows(e.at, e.at + 1) } };
    return { moveDimension: { source: rows(e.at, e.at + 1), destinationIndex: e.to } };
  };
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
      const c = client();
      const names = ["d", "b", "e", "a", "c"];
      ok(c.put("A1", [["id", "n"], ...names.map((id, i) => [id, i])]));
      const ids = names.map((_, i) => i + 1);
      ok(c.batch(...ids.map((id) => tag(id, id))));
      for (const e of edits) {
        ok(c.batch(request(e)));
        const there = new Set(((c.values("A2:A100") ?? []) as string[][]).map(([id]) => id));
        assert.deepEqual(
          found(c, ids),
          names.map((name) => (there.has(name) ? name : undefined)),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("a sort of some columns is no move of rows, and leaves their metadata", () => {
  const c = client();
  ok(
    c.put("A1:C2", [
      ["b", 1, "x"],
      ["a", 2, "y"],
    ]),
  );
  ok(c.batch(tag(1, 0), tag(2, 1)));
  const range = grid(0, 2, 0, 2);
  ok(c.batch({ sortRange: { range, sortSpecs: [{ dimensionIndex: 0 }] } }));
  assert.deepEqual(c.values("A1:C2"), [
    ["a", "2", "x"],
    ["b", "1", "y"],
  ]);
  assert.deepEqual(found(c, [1, 2]), ["a", "b"]);
});

test("a refused sort moves nothing", () => {
  const c = client();
  ok(c.put("A1", [["b"], ["a"]]));
  ok(c.batch(tag(1, 0), tag(2, 1)));
  const sortRange = {
    range: { sheetId: 0, startRowIndex: 0, endRowIndex: 2 },
    sortSpecs: [{ dimensionIndex: 0 }],
  };
  assert.equal(c.batch({ sortRange }, fence(9), fence(9)).status, 400);
  assert.deepEqual(
    [c.values("A1:A2"), found(c, [1, 2])],
    [
      [["b"], ["a"]],
      ["b", "a"],
    ],
  );
  assert.equal(
    c.call("developerMetadata.get", { path: { metadataId: "9" } }).status,
    404,
    "and the first fence is gone with the second",
  );
});

test("one batch tags rows and reads their keys back; a write by tag finds the row wherever it went meanwhile", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["id", "n"],
      ["k1", 1],
      ["k2", 2],
      ["k3", 3],
    ]),
  );
  const answer = ok(
    c.call("batchUpdate", {
      body: {
        requests: [tag(11, 1), tag(13, 3)],
        includeSpreadsheetInResponse: true,
        responseIncludeGridData: true,
        responseRanges: ["Sheet1!A2:A2", "Sheet1!A4:A4"],
      },
    }),
  );
  const { sheets } = answer["updatedSpreadsheet"] as { sheets: { data: Body[] }[] };
  const read = sheets[0]?.data.map(({ startRow, rowData }) => {
    const [row] = rowData as { values: { formattedValue: string }[] }[];
    return [startRow, row?.values.map((v) => v.formattedValue)];
  });
  assert.deepEqual(read, [
    [1, ["k1"]],
    [3, ["k3"]],
  ]);
  ok(
    c.batch(
      { moveDimension: { source: rows(3, 4), destinationIndex: 1 } },
      { insertDimension: { range: rows(1, 2) } },
    ),
  );
  const data = [
    { dataFilter: ofId(13), values: [[null, "three"]] },
    { dataFilter: ofId(99), values: [["nowhere"]] },
  ];
  const wrote = ok(
    c.call("values.batchUpdateByDataFilter", { body: { valueInputOption: "RAW", data } }),
  );
  assert.deepEqual(
    (wrote["responses"] as Body[]).map((r) => [r["updatedRange"], r["dataFilter"]]),
    [["Sheet1!A3:B3", ofId(13)]],
  );
  assert.deepEqual(c.values("A1:B5"), [["id", "n"], [], ["k3", "three"], ["k1", "1"], ["k2", "2"]]);
});

test("metadata of a column follows it; cut cells leave the metadata of their rows and columns", () => {
  const c = client();
  const columns = (startIndex: number): object => ({
    sheetId: 0,
    dimension: "COLUMNS",
    startIndex,
    endIndex: startIndex + 1,
  });
  const place = (metadataId: number): unknown => {
    const found = c.call("developerMetadata.get", { path: { metadataId: String(metadataId) } });
    if (found.status === 404) return undefined;
    const { dimensionRange } = ok(found)["location"] as { dimensionRange: { startIndex: number } };
    return dimensionRange.startIndex;
  };
  ok(c.put("A1", [["a", "b", "c"]]));
  ok(c.batch(fence(7, { location: { dimensionRange: columns(1) } }), tag(8, 0)));
  ok(c.batch({ insertDimension: { range: columns(0) } }));
  assert.equal(place(7), 2);
  ok(c.batch({ moveDimension: { source: columns(2), destinationIndex: 0 } }));
  assert.deepEqual([place(7), c.values("A1:D1")], [0, [["b", "", "a", "c"]]]);
  const destination = { sheetId: 0, rowIndex: 5, columnIndex: 5 };
  ok(c.batch({ cutPaste: { source: grid(0, 1, 0, 4), destination } }));
  assert.deepEqual([place(7), place(8), c.values("F6:I6")], [0, 0, [["b", "", "a", "c"]]]);
  ok(c.batch({ deleteDimension: { range: columns(0) } }));
  assert.deepEqual([place(7), place(8)], [undefined, 0]);
});
