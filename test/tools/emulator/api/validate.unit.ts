import assert from "node:assert/strict";
import { test } from "node:test";
import { routes } from "../../../../src/tools/emulator/api/newer.ts";
import {
  checkBody,
  checkQuery,
  type Checked,
} from "../../../../src/tools/emulator/api/validate.ts";

const words = (checked: Checked<unknown>): readonly string[] =>
  checked.ok ? [] : checked.violations.map((v) => v.description);
const value = (checked: Checked<unknown>): unknown =>
  checked.ok ? checked.value : assert.fail(words(checked).join("\n"));
const batch = (request: unknown): Checked<unknown> =>
  checkBody("BatchUpdateSpreadsheetRequest", "", { requests: [request] });

const SHEETS = "type.googleapis.com/google.apps.sheets.v4";
/** Bodies and what Google says against them; the forms are recorded answers of the Sheets and Docs APIs. */
const REFUSED: readonly [what: string, checked: Checked<unknown>, message: string][] = [
  [
    "a recorded one: a string for rows",
    checkBody("ValueRange", "data", { values: "X", majorDimension: null }),
    `Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), "X"`,
  ],
  [
    "a cell for a row",
    checkBody("ValueRange", "data", { values: [["a"], 5] }),
    `Invalid value at 'data.values[1]' (type.googleapis.com/google.protobuf.ListValue), 5`,
  ],
  [
    "an unknown kind",
    batch({ DeleteRange: {} }),
    `Invalid JSON payload received. Unknown name "DeleteRange" at 'requests[0]': Cannot find field.`,
  ],
  [
    "an unknown field, named as sent, under a snake_case path",
    batch({ updateSheetProperties: { properties: { headerValues: [] } } }),
    `Invalid JSON payload received. Unknown name "headerValues" at 'requests[0].update_sheet_properties.properties': Cannot find field.`,
  ],
  [
    "an unknown field of the body",
    checkBody("BatchUpdateSpreadsheetRequest", "", { nope: 1 }),
    `Invalid JSON payload received. Unknown name "nope": Cannot find field.`,
  ],
  [
    "an enum",
    checkBody("BatchUpdateValuesRequest", "", { valueInputOption: "Text" }),
    `Invalid value at 'value_input_option' (${SHEETS}.ValueInputOption), "Text"`,
  ],
  [
    "a number",
    batch({ deleteSheet: { sheetId: "abc" } }),
    `Invalid value at 'requests[0].delete_sheet.sheet_id' (TYPE_INT32), "abc"`,
  ],
  [
    "a number over 32 bits",
    batch({ deleteSheet: { sheetId: 3_812_238_859 } }),
    `Invalid value at 'requests[0].delete_sheet.sheet_id' (TYPE_INT32), 3812238859`,
  ],
  [
    "a message",
    batch({ deleteSheet: "x" }),
    `Invalid value at 'requests[0].delete_sheet' (${SHEETS}.DeleteSheetRequest), "x"`,
  ],
  [
    "a string",
    batch({ addSheet: { properties: { title: 5 } } }),
    `Invalid value at 'requests[0].add_sheet.properties.title' (TYPE_STRING), 5`,
  ],
  [
    "a list for a message",
    batch({ deleteSheet: [] }),
    `Invalid JSON payload received. Unknown name "deleteSheet" at 'requests[0]': Proto field is not repeating, cannot start list.`,
  ],
  [
    "two kinds in one request",
    batch({ deleteSheet: {}, addSheet: {} }),
    `Invalid value at 'requests[0]' (oneof), oneof field 'kind' is already set. Cannot set 'addSheet'`,
  ],
  [
    "a body that is no object",
    checkBody("ValueRange", "data", [1]),
    `Invalid JSON payload received. Unknown name "": Root element must be a message.`,
  ],
  [
    "a prototype",
    checkBody("ValueRange", "data", JSON.parse('{"__proto__":{}}')),
    `Invalid JSON payload received. Unknown name "__proto__" at 'data': Cannot find field.`,
  ],
];
for (const [what, checked, message] of REFUSED)
  test(`refused: ${what}`, () => assert.deepEqual(words(checked), [message]));

test("every complaint is named, up to a bound", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, 1]));
  assert.equal(words(checkBody("ValueRange", "data", many)).length, 100);
});

test("what protobuf takes, the engine gets in one form", () => {
  const sent = {
    requests: [
      {
        update_sheet_properties: {
          fields: "title",
          properties: { sheet_id: "7", hidden: "true", index: null },
        },
      },
    ],
  };
  const got = {
    requests: [
      { updateSheetProperties: { fields: "title", properties: { sheetId: 7, hidden: true } } },
    ],
  };
  assert.deepEqual(value(checkBody("BatchUpdateSpreadsheetRequest", "", sent)), got);
  assert.deepEqual(
    value(checkBody("BatchGetValuesByDataFilterRequest", "", { majorDimension: 2 })),
    { majorDimension: "COLUMNS" },
  );
  assert.deepEqual(
    value(checkBody("BatchClearValuesRequest", "", { ranges: "A1" })),
    { ranges: ["A1"] },
    "one stands for a list of one",
  );
});

test("lists as Google's transcoder reads them: nested ones are one, null is nothing, an empty one is absent", () => {
  const one = { deleteSheet: { sheetId: 1 } };
  const other = { deleteSheet: { sheetId: 2 } };
  for (const requests of [[[one, other]], [one, null, other], [[one], [[null, other]]]])
    assert.deepEqual(value(checkBody("BatchUpdateSpreadsheetRequest", "", { requests })), {
      requests: [one, other],
    });
  for (const requests of [[], [null], [[]]])
    assert.deepEqual(value(checkBody("BatchUpdateSpreadsheetRequest", "", { requests })), {});
  assert.deepEqual(value(batch({ sortRange: { range: { sheetId: 0 }, sortSpecs: [] } })), {
    requests: [{ sortRange: { range: { sheetId: 0 } } }],
  });
  assert.deepEqual(value(checkBody("BatchClearValuesRequest", "", { ranges: [["A1"], "B1"] })), {
    ranges: ["A1", "B1"],
  });
  const at =
    "Invalid value at 'requests[1]' (type.googleapis.com/google.apps.sheets.v4.Request), 5";
  assert.deepEqual(
    words(checkBody("BatchUpdateSpreadsheetRequest", "", { requests: [[one], [5]] })),
    [at],
  );
});

test("cells keep null, empty and every type; a null row is an empty one", () => {
  const rows = [["a", null, "", 1.5, true], null, []];
  assert.deepEqual(value(checkBody("ValueRange", "data", { values: rows })), {
    values: [["a", null, "", 1.5, true], [], []],
  });
});

test("request kinds that came after the discovery document pass", () => {
  assert.ok(batch({ addTable: { table: { name: "t", range: { sheetId: 0 } } } }).ok);
});

test("query parameters: unknown names, wrong values, both spellings, repetition", () => {
  const route = routes.find((r) => r.id === "sheets.spreadsheets.values.batchGet");
  assert.ok(route);
  const query = (entries: [string, string[]][]) => checkQuery(route, new Map(entries));
  assert.deepEqual(words(query([["range", ["A1"]]])), [
    `Invalid JSON payload received. Unknown name "range": Cannot bind query parameter. Field 'range' could not be found in request message.`,
  ]);
  assert.deepEqual(words(query([["majorDimension", ["DIAGONAL"]]])), [
    `Invalid value at 'major_dimension' (${SHEETS}.Dimension), "DIAGONAL"`,
  ]);
  assert.deepEqual(words(query([["prettyPrint", ["maybe"]]])), [
    `Invalid value at 'pretty_print' (TYPE_BOOL), "maybe"`,
  ]);
  assert.deepEqual(
    value(
      query([
        ["ranges", ["A", "B"]],
        ["major_dimension", ["ROWS", "COLUMNS"]],
      ]),
    ),
    { ranges: ["A", "B"], majorDimension: ["COLUMNS"] },
  );
});

test("what was sent is not sent back by the megabyte, and depth is no crash", () => {
  const long = "x".repeat(5_000_000);
  const most = 20_000;
  assert.ok(words(batch({ addSheet: { properties: { sheetId: long } } })).join("").length < most);
  assert.ok(words(checkBody("ValueRange", "data", { [long]: 1 })).join("").length < most);
  const deep: unknown = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
  assert.deepEqual(words(checkBody("ValueRange", "data", { range: { deep } })).length, 1);
  assert.deepEqual(
    words(batch({ addSheet: { properties: { title: "t", sheetType: { deep } } } })).length,
    1,
  );
  assert.deepEqual(words(checkBody("BatchUpdateSpreadsheetRequest", "", { requests: deep })), []);
});
