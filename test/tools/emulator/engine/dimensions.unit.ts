import assert from "node:assert/strict";
import { test } from "node:test";
import { client, ok, refusal } from "./client.ts";
import { grid, rows } from "./requests.ts";

test("rows and columns: insert, delete, append, move", () => {
  const c = client();
  const letters = (): string =>
    ((c.values("A1:A9") as string[][] | undefined) ?? []).map(([v]) => v ?? "_").join("");
  ok(c.put("A1", [["a"], ["b"], ["c"], ["d"], ["e"]]));
  ok(c.batch({ moveDimension: { source: rows(0, 2), destinationIndex: 4 } }));
  assert.equal(letters(), "cdabe");
  ok(c.batch({ moveDimension: { source: rows(3, 5), destinationIndex: 1 } }));
  assert.equal(letters(), "cbeda");
  ok(
    c.batch({ insertDimension: { range: rows(1, 2) } }, { deleteDimension: { range: rows(2, 4) } }),
  );
  assert.equal(letters(), "c_da");
  ok(c.batch({ appendDimension: { sheetId: 0, dimension: "COLUMNS", length: 4 } }));
  assert.equal(c.get("1:1")["range"], "Sheet1!A1:AD1");
});

test("rows and columns: refusals", () => {
  const c = client();
  const said = (request: object): string =>
    refusal(c.batch(request)).replace(/^Invalid requests\[0\]\./, "");
  assert.equal(
    said({ deleteDimension: { range: rows(1000, 1001) } }),
    "deleteDimension: Cannot delete a row that doesn't exist. Tried to delete row index 1000 but there are only 1000 rows.",
  );
  assert.equal(
    said({ deleteDimension: { range: rows(0) } }),
    "deleteDimension: You can't delete all the rows on the sheet.",
  );
  assert.equal(
    said({ insertDimension: { range: rows(1000, 1001) } }),
    "insertDimension: range.startIndex must be less than the grid size (1000) if inheritFromBefore is false.",
  );
  assert.equal(
    said({ insertDimension: { range: rows(1001, 1002), inheritFromBefore: true } }),
    "insertDimension: range.startIndex is larger than current grid size (1000)",
  );
  assert.match(
    said({ moveDimension: { source: rows(0, 5), destinationIndex: 3 } }),
    /within the source/,
  );
  assert.equal(
    said({ appendDimension: { sheetId: 0, dimension: "COLUMNS", length: 18_253 } }),
    "appendDimension: This action would increase the number of columns in the sheet above the limit of 18278.",
  );
  assert.match(
    said({ appendDimension: { sheetId: 0, dimension: "ROWS", length: 10_000_000 } }),
    /above the limit/,
  );
  assert.match(
    said({ deleteDimension: { range: { sheetId: 0, dimension: "DIAGONAL" } } }),
    /dimension/,
  );
});

test("sorting: numbers, text, booleans, then blanks either way", () => {
  const c = client();
  const column = (): unknown => c.values("A1:A6");
  const sort = (sortOrder: string): object => ({
    sortRange: { range: grid(0, 6, 0, 1), sortSpecs: [{ dimensionIndex: 0, sortOrder }] },
  });
  ok(c.put("A1", [["b"], [2], [""], [true], ["A"], [10]]));
  ok(c.batch(sort("ASCENDING")));
  assert.deepEqual(column(), [["2"], ["10"], ["A"], ["b"], ["TRUE"]]);
  ok(c.batch(sort("DESCENDING")));
  assert.deepEqual(column(), [["TRUE"], ["b"], ["A"], ["10"], ["2"]]);
});
