import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import { computed } from "../../../../src/tools/emulator/engine/constant-formula.ts";
import { client, ok } from "./client.ts";

test("constants are computed, with Sheets' operators, precedence and types", () => {
  const known: [string, unknown][] = [
    ["=5/2", 2.5],
    ["=1=1", true],
    ["=1=2", false],
    ["=1+2*3^2", 19],
    ["=-2^2", 4],
    ["=(1+2)*3%", 0.09],
    ["=2^-1", 0.5],
    ["=10-3-2", 5],
    ["= 1 + 1 ", 2],
    ['="a"&1&TRUE', "a1TRUE"],
    ['="say ""hi"""', 'say "hi"'],
    ['="5"+1', 6],
    ['="A"="a"', true],
    ["=1<2", true],
    ['=2<"1"', true],
    ["=false<>TRUE", true],
  ];
  for (const [formula, value] of known) assert.deepEqual(computed(formula), value, formula);
});

test("errors have Google's names; a reference, a function and what is no formula are #NAME?", () => {
  const known: [string, string][] = [
    ["=1/0", "#DIV/0!"],
    ['="x"+1', "#VALUE!"],
    ["=1E+300*1E+300", "#NUM!"],
  ];
  for (const [formula, error] of known) assert.deepEqual(computed(formula), { error }, formula);
  for (const formula of [
    "=A1",
    "=SUM(1,2)",
    "=TRUE()",
    "=nope",
    "=Sheet1!A1",
    "=(",
    "=1;2",
    "=1 2",
    "=#REF!",
    "=1+",
  ])
    assert.deepEqual(computed(formula), { error: "#NAME?" }, formula);
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
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => void computed(`=${text}`)));
  const marks = fc.array(
    fc.constantFrom(
      "1",
      "2.5",
      '"a"',
      "TRUE",
      "+",
      "-",
      "*",
      "/",
      "^",
      "&",
      "=",
      "<",
      ">",
      "%",
      "(",
      ")",
      " ",
    ),
  );
  fc.assert(fc.property(marks, (parts) => void computed(`=${parts.join("")}`)));
  assert.deepEqual(computed(`=${"(".repeat(5000)}`), { error: "#NAME?" });
  assert.deepEqual(computed(`=${"-".repeat(1900)}1`), { error: "#NAME?" });
});
