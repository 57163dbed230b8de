import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { GoogleError } from "../../../../src/tools/emulator/google-errors.ts";
import { applyMask, parseMask } from "../../../../src/tools/emulator/engine/field-mask.ts";
import { type Body, client, ok, refusal } from "./client.ts";

const shape = (text: string): unknown => {
  const json = (mask: ReturnType<typeof parseMask>): unknown =>
    Object.fromEntries(Array.from(mask, ([name, child]) => [name, json(child)]));
  return json(parseMask(text, "Spreadsheet"));
};

test("paths, lists and groups are one tree", () => {
  assert.deepEqual(shape("sheets.properties.title,sheets/data/rowData,spreadsheetId"), {
    sheets: { properties: { title: {} }, data: { rowData: {} } },
    spreadsheetId: {},
  });
  assert.deepEqual(shape("sheets(properties(title,sheetId),data)"), {
    sheets: { properties: { title: {}, sheetId: {} }, data: {} },
  });
  assert.deepEqual(shape("sheets.properties.title,sheets"), { sheets: {} });
  assert.deepEqual(shape(" sheets( properties , data ), spreadsheetId "), {
    sheets: { properties: {}, data: {} },
    spreadsheetId: {},
  });
  assert.deepEqual(shape("*"), { "*": {} });
});

test("names that the answer doesn't have are listed, each with its path", () => {
  const c = client();
  const bad = c.call("get", { query: { fields: "sheets.foo,bar" } });
  assert.equal(bad.status, 400);
  const { error } = bad.body as {
    error: {
      message: string;
      details: { fieldViolations: { field: string; description: string }[] }[];
    };
  };
  assert.equal(error.message, "Request contains an invalid argument.");
  assert.deepEqual(error.details[0]?.fieldViolations, [
    {
      field: "sheets.foo",
      description:
        "Error expanding 'fields' parameter. Cannot find matching fields for path 'sheets.foo'.",
    },
    {
      field: "bar",
      description:
        "Error expanding 'fields' parameter. Cannot find matching fields for path 'bar'.",
    },
  ]);
  for (const fields of [
    "sheets(",
    "sheets)",
    ",",
    "sheets..a",
    "a b",
    "sheets. properties",
    "properties,",
    "constructor",
    "__proto__",
    "sheets.title.x",
    "spreadsheet_id",
    "(".repeat(999),
  ])
    assert.equal(c.call("get", { query: { fields } }).status, 400, fields);
});

test("a bad mask refuses a write before it is done", () => {
  const c = client();
  const answer = c.put("A1", [["x"]], { fields: "nope" });
  assert.deepEqual([answer.status, answer.mutated, c.values("A1")], [400, false, undefined]);
  assert.deepEqual(ok(c.put("A1", [["x"]], { fields: "updatedCells" })), { updatedCells: 1 });
});

test("an answer keeps what is selected; lists keep their length", () => {
  const mask = parseMask("sheets(properties.title,data.rowData.values.note)", "Spreadsheet");
  const value = {
    spreadsheetId: "x",
    sheets: [
      { properties: { title: "T", index: 0 } },
      { data: [{ rowData: [{}, { values: [{ note: "n", formattedValue: "v" }, {}] }] }] },
    ],
  };
  assert.deepEqual(applyMask(mask, value), {
    sheets: [
      { properties: { title: "T" } },
      { data: [{ rowData: [{}, { values: [{ note: "n" }, {}] }] }] },
    ],
  });
});

test("grid data comes with a mask that reaches it, and only then", () => {
  const c = client();
  ok(c.put("B2", [["x"]]));
  const sheets = (query: Record<string, string>): unknown => c.book(query)["sheets"];
  assert.deepEqual(
    sheets({ fields: "sheets.data.rowData.values.formattedValue", includeGridData: "false" }),
    [{ data: [{ rowData: [{}, { values: [{}, { formattedValue: "x" }] }] }] }],
  );
  assert.deepEqual(sheets({ fields: "sheets.data.rowData.values.note", ranges: "A1" }), [
    { data: [{}] },
  ]);
  assert.deepEqual(
    sheets({ fields: "sheets.data(startRow,rowData.values.formattedValue)", ranges: "A2:B3" }),
    [{ data: [{ startRow: 1, rowData: [{ values: [{}, { formattedValue: "x" }] }] }] }],
  );
  assert.equal((sheets({ includeGridData: "false" }) as Body[])[0]?.["data"], undefined);
});

test("an update needs a mask, and one of fields that exist", () => {
  const c = client();
  const cells = (fields?: string): string =>
    refusal(
      c.batch({
        updateCells: {
          start: { sheetId: 0 },
          rows: [{ values: [{ note: "n" }] }],
          ...(fields === undefined ? {} : { fields }),
        },
      }),
    );
  const none =
    "Invalid requests[0].updateCells: At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)";
  assert.equal(cells(), none);
  assert.equal(cells(""), none);
  assert.equal(cells("nope"), "Invalid requests[0].updateCells: Invalid field: nope");
});

test("any text is a mask or a refusal", () => {
  const text = fc.oneof(fc.string({ maxLength: 30 }), fc.stringMatching(/^[a-z.,/()*]{0,30}$/));
  fc.assert(
    fc.property(text, (t) => {
      try {
        parseMask(t, "Spreadsheet");
      } catch (thrown) {
        assert.ok(thrown instanceof GoogleError);
      }
    }),
  );
});
