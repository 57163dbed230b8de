import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, client, type Body, ok } from "./client.ts";
import { resized, rows } from "./requests.ts";

const placed = (answer: Body): unknown => [
  answer["tableRange"],
  (answer["updates"] as Body)["updatedRange"],
];

test("a gap in a lone first row shifts the next append: the last table of the sheet is the last block", () => {
  const c = client();
  const row = [["x", "", "z"]];
  assert.deepEqual(placed(ok(c.append("'Sheet1'", row))), [undefined, "Sheet1!A1:C1"]);
  assert.deepEqual(placed(ok(c.append("'Sheet1'", row))), ["Sheet1!C1", "Sheet1!C2:E2"]);
  const other = client();
  ok(other.append("'Sheet1'", row));
  assert.deepEqual(placed(ok(other.append("'Sheet1'!A1", row))), ["Sheet1!A1", "Sheet1!A2:C2"]);
});

/** Two tables as in Google's guide: A1:C2 and B4:D6. */
function twoTables(): Client {
  const c = client();
  ok(
    c.put("A1:C2", [
      ["x", "y", "z"],
      ["x", "y", "z"],
    ]),
  );
  ok(
    c.put("B4:D6", [
      ["x", "y"],
      ["y", "z", "x"],
      ["y", "x", "z"],
    ]),
  );
  return c;
}

test("the examples of Google's guide to appending", () => {
  for (const range of ["Sheet1", "B4", "C5:D5", "B2:D4", "A3:G10"])
    assert.deepEqual(
      placed(ok(twoTables().append(range, [["new"]]))),
      ["Sheet1!B4:D6", "Sheet1!B7"],
      range,
    );
  assert.deepEqual(placed(ok(twoTables().append("A1", [["new"]]))), ["Sheet1!A1:C2", "Sheet1!A3"]);
  for (const range of ["E4", "A4"])
    assert.deepEqual(
      placed(ok(twoTables().append(range, [["new"]]))),
      [undefined, `Sheet1!${range}`],
      range,
    );
});

test("a hole inside a table belongs to it", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["a", "b", "c"],
      ["a", "", "c"],
      ["a", "b", "c"],
    ]),
  );
  assert.deepEqual(placed(ok(c.append("B2", [["n"]]))), ["Sheet1!A1:C3", "Sheet1!A4"]);
});

test("a row inserted between others takes the append that names it, and the grid widens for it", () => {
  const c = client();
  ok(c.batch(resized(6, 4)));
  ok(
    c.put(
      "A1:D6",
      Array.from({ length: 6 }, (_, r) => Array.from({ length: 4 }, (_, i) => `r${r}c${i}`)),
    ),
  );
  ok(c.batch({ insertDimension: { range: rows(1, 2) } }));
  assert.deepEqual(
    placed(ok(c.append("'Sheet1'!A2", [["1", "2", "3", "4", "5", "6", "7", "8"]]))),
    [undefined, "Sheet1!A2:H2"],
  );
  assert.equal(c.get("2:2")["range"], "Sheet1!A2:H2");
  assert.deepEqual((c.values("A3:A3") as string[][])[0], ["r1c0"]);
});

test("appending past the last row grows the grid by what is needed", () => {
  const c = client();
  ok(
    c.put(
      "A1",
      Array.from({ length: 1000 }, (_, i) => [i]),
    ),
  );
  assert.deepEqual(placed(ok(c.append("A1", [["p"], ["q"]]))), [
    "Sheet1!A1:A1000",
    "Sheet1!A1001:A1002",
  ]);
  assert.equal(c.get("A:A")["range"], "Sheet1!A1:A1002");
});

test("OVERWRITE writes over what is below; INSERT_ROWS makes room", () => {
  const over = twoTables();
  ok(over.append("A1", [["1"], ["2"], ["3"]]));
  assert.deepEqual(over.values("A3:B5"), [["1"], ["2", "x"], ["3", "y"]]);
  const room = twoTables();
  ok(room.append("A1", [["1"], ["2"], ["3"]], { insertDataOption: "INSERT_ROWS" }));
  assert.deepEqual(room.values("A3:B7"), [["1"], ["2"], ["3"], [], ["", "x"]]);
});

test("nulls at the end are not counted, empty strings are; columns append as columns", () => {
  const c = client();
  const updates = ok(
    c.append("A1", [["1", "John", "", null, null, null]], { includeValuesInResponse: "true" }),
  )["updates"] as Body;
  assert.deepEqual([updates["updatedRange"], updates["updatedCells"]], ["Sheet1!A1:C1", 3]);
  assert.deepEqual(updates["updatedData"], {
    range: "Sheet1!A1:C1",
    majorDimension: "ROWS",
    values: [["1", "John"]],
  });
  const body = { majorDimension: "COLUMNS", values: [["a", "b"], ["c"]] };
  const columns = ok(
    c.call("values.append", { path: { range: "E1" }, query: { valueInputOption: "RAW" }, body }),
  );
  assert.deepEqual(placed(columns), [undefined, "Sheet1!E1:F2"]);
});

test("an append of nulls and a value answers with the range from the table's first column on", () => {
  const c = client();
  ok(c.put("A1:E1", [["numbers", "letters", "", "col1", "col2"]]));
  ok(c.put("A2:B2", [["0", "A"]]));
  const added = ok(
    c.append("Sheet1!A1", [[null, null, null, "true"]], {
      valueInputOption: "USER_ENTERED",
      includeValuesInResponse: "true",
    }),
  );
  const updates = added["updates"] as Body;
  assert.deepEqual(
    [
      added["tableRange"],
      updates["updatedRange"],
      updates["updatedRows"],
      updates["updatedColumns"],
      updates["updatedCells"],
    ],
    ["Sheet1!A1:B2", "Sheet1!A3:D3", 1, 1, 1],
  );
  assert.deepEqual(updates["updatedData"], {
    range: "Sheet1!A3:D3",
    majorDimension: "ROWS",
    values: [["", "", "", "TRUE"]],
  });
});
