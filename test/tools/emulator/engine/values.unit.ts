import assert from "node:assert/strict";
import { test } from "node:test";
import { client, ok, refusal } from "./client.ts";

test("a range is answered normalised, clipped to the grid and quoted", () => {
  const c = client();
  const named = (range: string): unknown => c.get(range)["range"];
  assert.equal(named("'Sheet1'!A2:F10001"), "Sheet1!A2:F1000");
  assert.equal(named("A1:C"), "Sheet1!A1:C1000");
  assert.equal(named("A1:1"), "Sheet1!A1:Z1");
  assert.equal(named("D4:A1"), "Sheet1!A1:D4");
  assert.equal(named("Sheet1"), "Sheet1!A1:Z1000");
  assert.equal(named("sheet1!d4"), "Sheet1!D4");
  ok(
    c.batch({
      updateSheetProperties: { properties: { sheetId: 0, title: "D3" }, fields: "title" },
    }),
  );
  assert.equal(named("'D3'"), "'D3'!A1:Z1000");
  assert.equal(named("D3"), "'D3'!D3", "without quotes it is the cell");
});

test("trailing blanks are left out, inner ones are empty, and nothing is no key", () => {
  const c = client();
  assert.deepEqual(c.get("A1:B2"), { range: "Sheet1!A1:B2", majorDimension: "ROWS" });
  ok(c.put("A1", [["A1", "B1", "", "D1"], ["", "b2", "", ""], ["", ""], ["A4"]]));
  assert.deepEqual(c.values("A1:D6"), [["A1", "B1", "", "D1"], ["", "b2"], [], ["A4"]]);
  assert.deepEqual(c.values("A1:D4", { majorDimension: "COLUMNS" }), [
    ["A1", "", "", "A4"],
    ["B1", "b2"],
    [],
    ["D1"],
  ]);
});

test("null leaves a cell alone and an empty string clears it", () => {
  const c = client();
  ok(c.put("A1", [["a", "b", "c"]]));
  const done = ok(c.put("A1", [[null, "", "C"]]));
  assert.deepEqual(c.values("A1:C1"), [["a", "", "C"]]);
  assert.equal(done["updatedCells"], 2);
  const corners = ok(c.put("A1:D6", [["x"], [], [], [], [], [null, null, null, "y"]]));
  assert.deepEqual(
    [
      corners["updatedRange"],
      corners["updatedRows"],
      corners["updatedColumns"],
      corners["updatedCells"],
    ],
    ["Sheet1!A1:D6", 2, 2, 2],
  );
});

test("updatedRange is what was written, updatedData what was asked for", () => {
  const c = client();
  const done = ok(c.put("A2:F2", [["1", "John", "", null]], { includeValuesInResponse: "true" }));
  assert.equal(done["updatedRange"], "Sheet1!A2:C2");
  assert.deepEqual(done["updatedData"], {
    range: "Sheet1!A2:F2",
    majorDimension: "ROWS",
    values: [["1", "John"]],
  });
  assert.deepEqual(ok(c.put("B7", [[]])), { spreadsheetId: c.id, updatedRange: "Sheet1!B7" });
});

test("a write that doesn't fit is refused in Google's words and changes nothing", () => {
  const c = client();
  assert.equal(
    refusal(c.put("Sheet1!A1:B2", [[1, 2, 3]])),
    "Requested writing within range [Sheet1!A1:B2], but tried writing to column [C]",
  );
  assert.equal(
    refusal(c.put("Sheet1!A1:B2", [[1], [2], [3]])),
    "Requested writing within range [Sheet1!A1:B2], but tried writing to row [3]",
  );
  assert.equal(
    refusal(c.put("A1001", [[1]])),
    "Range (Sheet1!A1001) exceeds grid limits. Max rows: 1000, max columns: 26",
  );
  assert.equal(refusal(c.put("NOPE!A5:F15", [[1]])), "Unable to parse range: NOPE!A5:F15");
  assert.equal(
    refusal(c.put("A1", [[1]], { valueInputOption: "INPUT_VALUE_OPTION_UNSPECIFIED" })),
    "'valueInputOption' is required but not specified",
  );
  assert.equal(c.values("Sheet1"), undefined);
});

test("values that are no list of lists are refused field by field", () => {
  const c = client();
  const first = `Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), "X"`;
  const bad = c.put("A1", "X");
  assert.deepEqual(bad.body, {
    error: {
      code: 400,
      message: first,
      status: "INVALID_ARGUMENT",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "data.values", description: first }],
        },
      ],
    },
  });
  assert.equal(refusal(c.put("A1", ["a", ["b"], 3])).split("\n").length, 2);
  assert.match(
    refusal(c.put("A1", [[{ a: "b" }]])),
    /^Invalid values\[0\]\[0\]: struct_value \{\n {2}fields \{\n {4}key: "a"/,
  );
  assert.match(refusal(c.put("A1", [[["x"]]])), /^Invalid values\[0\]\[0\]: list_value/);
  assert.match(refusal(c.put("A1", [["x".repeat(50_001)]])), /50000 characters/);
});

test("values.batchUpdate adds up what it changed, and is all or nothing", () => {
  const c = client();
  const data = [
    { range: "A1:D1", values: [["a", "", "", "d"]] },
    { range: "A4:D4", values: [["e", "", "", "f"]] },
  ];
  const done = ok(c.call("values.batchUpdate", { body: { valueInputOption: "RAW", data } }));
  assert.deepEqual(
    [
      done["totalUpdatedRows"],
      done["totalUpdatedColumns"],
      done["totalUpdatedCells"],
      done["totalUpdatedSheets"],
    ],
    [2, 4, 8, 1],
  );
  const before = JSON.stringify(c.engine.dump());
  const bad = c.call("values.batchUpdate", {
    body: {
      valueInputOption: "RAW",
      data: [
        { range: "A1", values: [["lost"]] },
        { range: "NoSuchTab!A1", values: [[1]] },
      ],
    },
  });
  assert.equal(refusal(bad), "Invalid data[1]: Unable to parse range: NoSuchTab!A1");
  assert.equal(bad.mutated, false);
  assert.equal(JSON.stringify(c.engine.dump()), before);
});

test("clearing empties values and keeps formats", () => {
  const c = client();
  ok(c.put("A1", [["2020-01-01", "x"]]));
  assert.deepEqual(ok(c.call("values.clear", { path: { range: "'Sheet1'" } })), {
    spreadsheetId: c.id,
    clearedRange: "Sheet1!A1:Z1000",
  });
  assert.equal(c.values("A1:B1"), undefined);
  ok(c.put("A1", [[43_831]]));
  assert.deepEqual(c.values("A1"), [["2020-01-01"]]);
  const done = ok(c.call("values.batchClear", { body: { ranges: ["A1:B1", "C2:E2"] } }));
  assert.deepEqual(done["clearedRanges"], ["Sheet1!A1:B1", "Sheet1!C2:E2"]);
});

test("batchGet answers in the order of its ranges; one that can't be read refuses all", () => {
  const c = client();
  ok(c.put("A1", [["x"]]));
  const found = ok(c.call("values.batchGet", { query: { ranges: ["B1", "A1"] } }));
  assert.deepEqual(found["valueRanges"], [
    { range: "Sheet1!B1", majorDimension: "ROWS" },
    { range: "Sheet1!A1", majorDimension: "ROWS", values: [["x"]] },
  ]);
  assert.equal(
    refusal(c.call("values.batchGet", { query: { ranges: ["A1", "no such"] } })),
    "Unable to parse range: no such",
  );
});

test("an unknown spreadsheet or option is refused, never an exception", () => {
  const c = client();
  const missing = c.engine.call({
    method: "sheets.spreadsheets.get",
    path: { spreadsheetId: "nope" },
    query: {},
    body: undefined,
  });
  assert.deepEqual([missing.status, refusal(missing)], [404, "Requested entity was not found."]);
  assert.equal(
    c.call("values.get", { path: { range: "A1" }, query: { valueRenderOption: "PRETTY" } }).status,
    400,
  );
  assert.equal(
    c.call("values.get", { path: { range: "A1" }, query: { majorDimension: "DIAGONAL" } }).status,
    400,
  );
  assert.equal(c.call("batchUpdate", { body: "x" }).status, 400);
  assert.equal(c.call("batchUpdate", { body: { requests: [null] } }).status, 400);
});
