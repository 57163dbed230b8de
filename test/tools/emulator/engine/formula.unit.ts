import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { computed } from "../../../../src/tools/emulator/engine/constant-formula.ts";
import { client, ok } from "./client.ts";

test("an operation on two constants is computed, with Sheets' types", () => {
  const known: [string, unknown][] = [
    ["=5/2", 2.5],
    ["=1=1", true],
    ["=1=2", false],
    ["=-2^2", 4],
    ["=2^-1", 0.5],
    ["=50%*3", 1.5],
    ["= 1 + 1 ", 2],
    ["=7", 7],
    ['="a"&TRUE', "aTRUE"],
    ['="say ""hi"""', 'say "hi"'],
    ['="5"+1', 6],
    ['="A"="a"', true],
    ["=1<2", true],
    ['=2<"1"', true],
    ["=false<>TRUE", true],
  ];
  for (const [formula, value] of known) assert.deepEqual(computed(formula), value, formula);
});

test("errors have Google's names; any other formula is #NAME?", () => {
  const known: [string, string][] = [
    ["=1/0", "#DIV/0!"],
    ['="x"+1', "#VALUE!"],
    ["=1E+300*1E+300", "#NUM!"],
  ];
  for (const [formula, error] of known) assert.deepEqual(computed(formula), { error }, formula);
  const others = ["=A1", "=SUM(1,2)", "=TRUE()", "=Sheet1!A1", "=(1)", "=1+2+3", "=1 2", "=1+"];
  for (const formula of others) assert.deepEqual(computed(formula), { error: "#NAME?" }, formula);
});

test("a formula is stored as typed, and stays so whatever happens to rows and tabs", () => {
  const c = client();
  const formula = "=SUM(A1:A3)+$A$2+Sheet1!A3";
  ok(c.put("A4", [[formula, "=4/2"]]));
  ok(
    c.batch({
      insertDimension: { range: { sheetId: 0, dimension: "ROWS", startIndex: 1, endIndex: 3 } },
    }),
  );
  ok(
    c.batch({
      updateSheetProperties: { properties: { sheetId: 0, title: "My Tab" }, fields: "title" },
    }),
  );
  assert.deepEqual(c.values("A6:B6", { valueRenderOption: "FORMULA" }), [[formula, "=4/2"]]);
  assert.deepEqual(c.values("A6:B6"), [["#NAME?", "2"]]);
  assert.deepEqual(c.values("A6:B6", { valueRenderOption: "UNFORMATTED_VALUE" }), [["#NAME?", 2]]);
  const [sheet] = c.book({
    ranges: "A6",
    fields: "sheets.data.rowData.values(userEnteredValue,effectiveValue)",
  })["sheets"] as [{ data: [{ rowData: [{ values: unknown[] }] }] }];
  assert.deepEqual(sheet.data[0].rowData[0].values, [
    {
      userEnteredValue: { formulaValue: formula },
      effectiveValue: { errorValue: { type: "NAME" } },
    },
  ]);
});

test("a string that looks like a formula stays a string when it is sent as one", () => {
  const c = client();
  ok(
    c.batch({
      appendCells: {
        sheetId: 0,
        fields: "userEnteredValue",
        rows: [
          {
            values: [
              { userEnteredValue: { stringValue: "=1+1" } },
              { userEnteredValue: { formulaValue: "=1+1" } },
            ],
          },
        ],
      },
    }),
  );
  assert.deepEqual(c.values("A1:B1"), [["=1+1", "2"]]);
});

test("no text makes the evaluation throw", () => {
  const marks = fc.constantFrom(
    "1",
    ".5",
    '"',
    "a",
    "TRUE",
    "+",
    "-",
    "^",
    "&",
    "<",
    "%",
    "(",
    " ",
  );
  const texts = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(marks).map((all) => all.join("")),
  );
  fc.assert(fc.property(texts, (text) => void computed(`=${text}`)));
});
