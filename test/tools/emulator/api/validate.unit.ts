import assert from "node:assert/strict";
import { test } from "node:test";
import { METHODS } from "../../../../src/tools/emulator/api/discovery.ts";
import { violationsOf } from "../../../../src/tools/emulator/api/validate.ts";

interface Parts {
  readonly path?: Record<string, string>;
  readonly query?: Record<string, string[]>;
  readonly body?: unknown;
}

/** What Google says against a call. */
function words(name: string, { path = {}, query = {}, body = {} }: Parts): readonly string[] {
  const method = METHODS.get(`sheets.spreadsheets.${name}`);
  assert.ok(method, name);
  return violationsOf(method, { method: method.id, path, query, body }).map((v) => v.description);
}
const update = (body: unknown): readonly string[] => words("values.update", { body });
const batch = (request: unknown): readonly string[] =>
  words("batchUpdate", { body: { requests: [request] } });

const SHEETS = "type.googleapis.com/google.apps.sheets.v4";
const LIST = "type.googleapis.com/google.protobuf.ListValue";
/** Bodies and what Google says against them; the forms are recorded answers of the Sheets and Docs APIs. */
const REFUSED: readonly [what: string, said: readonly string[], message: string][] = [
  [
    "a recorded one: a string for rows",
    update({ values: "X", majorDimension: null }),
    `Invalid value at 'data.values' (${LIST}), "X"`,
  ],
  [
    "a cell for a row",
    update({ values: [["a"], 5] }),
    `Invalid value at 'data.values[1]' (${LIST}), 5`,
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
    words("batchUpdate", { body: { nope: 1 } }),
    `Invalid JSON payload received. Unknown name "nope": Cannot find field.`,
  ],
  [
    "a field in snake_case",
    batch({ delete_sheet: {} }),
    `Invalid JSON payload received. Unknown name "delete_sheet" at 'requests[0]': Cannot find field.`,
  ],
  [
    "an enum",
    words("values.batchUpdate", { body: { valueInputOption: "Text" } }),
    `Invalid value at 'value_input_option' (${SHEETS}.ValueInputOption), "Text"`,
  ],
  [
    "an enum of a message",
    batch({ sortRange: { sortSpecs: [{ sortOrder: "UP" }] } }),
    `Invalid value at 'requests[0].sort_range.sort_specs[0].sort_order' (${SHEETS}.SortSpec.SortOrder), "UP"`,
  ],
  [
    "an enum's number",
    update({ majorDimension: 2 }),
    `Invalid value at 'data.major_dimension' (${SHEETS}.Dimension), 2`,
  ],
  [
    "text for a number",
    batch({ deleteSheet: { sheetId: "7" } }),
    `Invalid value at 'requests[0].delete_sheet.sheet_id' (TYPE_INT32), "7"`,
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
    "an object for a string",
    batch({ addSheet: { properties: { title: {} } } }),
    `Invalid JSON payload received. Unknown name "title" at 'requests[0].add_sheet.properties': Starting an object on a scalar field.`,
  ],
  [
    "a list for a message",
    batch({ deleteSheet: [] }),
    `Invalid JSON payload received. Unknown name "deleteSheet" at 'requests[0]': Proto field is not repeating, cannot start list.`,
  ],
  ["null for a request", batch(null), `Invalid value at 'requests[0]' (${SHEETS}.Request), null`],
  [
    "a list in a list of requests",
    batch([{ deleteSheet: {} }]),
    `Invalid value at 'requests[0]' (${SHEETS}.Request), [{"deleteSheet":{}}]`,
  ],
  [
    "two kinds in one request",
    batch({ deleteSheet: {}, addSheet: {} }),
    `Invalid value at 'requests[0]' (oneof), oneof field 'kind' is already set. Cannot set 'addSheet'`,
  ],
  [
    "a body that is no object",
    update([1]),
    `Invalid JSON payload received. Unknown name "": Root element must be a message.`,
  ],
  [
    "a prototype",
    update(JSON.parse('{"__proto__":{}}')),
    `Invalid JSON payload received. Unknown name "__proto__" at 'data': Cannot find field.`,
  ],
];
for (const [what, said, message] of REFUSED)
  test(`refused: ${what}`, () => assert.deepEqual(said, [message]));

test("every complaint is named, up to a bound", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, 1]));
  assert.equal(update(many).length, 100);
});

test("cells keep null, empty and every type; a null row is an empty one; a null field is absent", () => {
  assert.deepEqual(update({ values: [["a", null, "", 1.5, true], null, []], range: null }), []);
});

test("every kind of the API passes, also those that came after the discovery document", () => {
  for (const kind of ["addChart", "addTable"]) assert.deepEqual(batch({ [kind]: {} }), []);
});

test("path and query parameters: unknown names, wrong values, repetition, Python's booleans", () => {
  const query = (given: Record<string, string[]>) => words("values.batchGet", { query: given });
  assert.deepEqual(query({ range: ["A1"] }), [
    `Invalid JSON payload received. Unknown name "range": Cannot bind query parameter. Field 'range' could not be found in request message.`,
  ]);
  assert.deepEqual(query({ majorDimension: ["DIAGONAL"] }), [
    `Invalid value at 'major_dimension' (${SHEETS}.Dimension), "DIAGONAL"`,
  ]);
  assert.deepEqual(query({ prettyPrint: ["maybe"] }), [
    `Invalid value at 'pretty_print' (TYPE_BOOL), "maybe"`,
  ]);
  assert.match(query({ alt: ["proto"] }).join(), /alt=json/);
  assert.deepEqual(query({ ranges: ["A", "B"], majorDimension: ["ROWS", "COLUMNS"] }), []);
  assert.deepEqual(words("get", { query: { includeGridData: ["True"] } }), []);
  assert.deepEqual(words("developerMetadata.get", { path: { metadataId: "x" } }), [
    `Invalid value at 'metadata_id' (TYPE_INT32), "x"`,
  ]);
});

test("what was sent is not sent back by the megabyte, and depth is no crash", () => {
  const long = "x".repeat(5_000_000);
  const most = 20_000;
  assert.ok(batch({ addSheet: { properties: { sheetId: long } } }).join("").length < most);
  assert.ok(update({ [long]: 1 }).join("").length < most);
  const deep: unknown = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
  assert.equal(update({ range: { deep } }).length, 1);
  assert.equal(batch({ addSheet: { properties: { title: "t", sheetType: { deep } } } }).length, 1);
  assert.equal(words("batchUpdate", { body: { requests: deep } }).length, 1);
});
