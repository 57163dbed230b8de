import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { parseFormula } from "../../../src/emulator/engine/formula/parse.ts";
import { client, ok } from "./client.ts";

/** What a formula gives beside A1:B4 = 1,2 / 3,4 / "x",TRUE / empty. */
function result(formula: string): unknown {
  const c = client();
  ok(
    c.put("A1", [
      [1, 2],
      [3, 4],
      ["x", true],
    ]),
  );
  ok(c.put("D1", [[formula]]));
  return (c.values("D1", { valueRenderOption: "UNFORMATTED_VALUE" }) as unknown[][])[0]?.[0];
}

test("operators, precedence and types", () => {
  const known: [string, unknown][] = [
    ["=1+2*3^2", 19],
    ["=-2^2", 4],
    ["=(1+2)*3%", 0.09],
    ["=2^-1", 0.5],
    ["=10-3-2", 5],
    ['="a"&1&TRUE', "a1TRUE"],
    ['="5"+1', 6],
    ['="A"="a"', true],
    ["=1<2", true],
    ['=2<"1"', true],
    ["=A4=0", true],
    ["=1;2", "#ERROR!"],
  ];
  for (const [formula, value] of known) assert.deepEqual(result(formula), value, formula);
});

test("functions over ranges, text, logic and lookups", () => {
  const known: [string, unknown][] = [
    ["=SUM(A1:B4)", 10],
    ["=sum(A1:A2;10)", 14],
    ["=AVERAGE(A1:B2)", 2.5],
    ["=COUNT(A:B)", 4],
    ["=COUNTA(A1:B4)", 6],
    ["=MAX(A1:B2)-MIN(A1:B2)", 3],
    ['=IF(A1>0,"yes","no")', "yes"],
    ["=IFERROR(1/0,7)", 7],
    ["=ROUND(2.345,2)", 2.35],
    ["=MOD(-1,3)", 2],
    ['=CONCATENATE("a",A1,B3)', "a1TRUE"],
    ['=JOIN("-",A1:B2)', "1-2-3-4"],
    ['=LEFT("hello",2)&RIGHT("hello",1)&MID("hello",2,2)&LEN("hello")', "heoel5"],
    ['=COUNTIF(A1:B2,">=2")', 3],
    ["=SUMIF(A1:A2,3,B1:B2)", 4],
    ["=VLOOKUP(3,A1:B2,2,FALSE)", 4],
    ["=INDEX(A1:B2,2,1)", 3],
    ['=MATCH("x",A1:A3,0)', 3],
    ["=YEAR(DATE(2020,13,1))", 2021],
    ["=ROW(A3)+COLUMN(B1)", 5],
    ["=ISBLANK(A4)", true],
    ["=Sheet1!A2*2", 6],
    ["=SUM('Sheet1'!A1:A2)", 4],
  ];
  for (const [formula, value] of known) assert.deepEqual(result(formula), value, formula);
});

test("errors are values with Google's names", () => {
  const known: [string, unknown][] = [
    ["=1/0", "#DIV/0!"],
    ["=NOPE(1)", "#NAME?"],
    ["=nope", "#NAME?"],
    ["=NoTab!A1", "#REF!"],
    ['="x"+1', "#VALUE!"],
    ["=SQRT(-1)", "#NUM!"],
    ["=VLOOKUP(9,A1:B2,2,FALSE)", "#N/A"],
    ["=A1:A2", "#VALUE!"],
    ["=D1", "#REF!"],
    ["=(", "#ERROR!"],
    ["=SUM(A1,1/0)", "#DIV/0!"],
    ['=REPT("x",99999999)', "#VALUE!"],
    ["=#REF!+1", "#REF!"],
  ];
  for (const [formula, value] of known) assert.deepEqual(result(formula), value, formula);
});

test("a chain of thousands of cells is computed from its far end, and doubling text stops", () => {
  const c = client();
  const n = 5000;
  ok(c.put("A1", [[1], ...Array.from({ length: n - 1 }, (_, i) => [`=A${i + 1}+1`])]));
  assert.deepEqual(c.values(`A${n}`), [[String(n)]]);
  ok(c.put("B1", [["xxxxxxxxxx"], ...Array.from({ length: 60 }, (_, i) => [`=B${i + 1}&B${i + 1}`])]));
  assert.deepEqual(c.values("B61"), [["#VALUE!"]]);
});

test("references follow inserted, deleted and moved rows and a new title", () => {
  const c = client();
  const formula = (cell: string): unknown => (c.values(cell, { valueRenderOption: "FORMULA" }) as unknown[][])[0]?.[0];
  ok(c.put("A1", [[1], [2], [3], ["=SUM(A1:A3)+$A$2+Sheet1!A3"]]));
  ok(c.batch({ insertDimension: { range: { sheetId: 0, dimension: "ROWS", startIndex: 1, endIndex: 3 } } }));
  assert.equal(formula("A6"), "=SUM(A1:A5)+$A$4+Sheet1!A5");
  ok(c.batch({ deleteDimension: { range: { sheetId: 0, dimension: "ROWS", startIndex: 1, endIndex: 4 } } }));
  assert.equal(formula("A3"), "=SUM(A1:A2)+#REF!+Sheet1!A2");
  ok(c.batch({ updateSheetProperties: { properties: { sheetId: 0, title: "My Tab" }, fields: "title" } }));
  assert.equal(formula("A3"), "=SUM(A1:A2)+#REF!+'My Tab'!A2");
});

test("a string that looks like a formula stays a string when it is sent as one", () => {
  const c = client();
  ok(
    c.batch({
      appendCells: {
        sheetId: 0,
        fields: "userEnteredValue",
        rows: [{ values: [{ userEnteredValue: { stringValue: "=1+1" } }, { userEnteredValue: { formulaValue: "=1+1" } }] }],
      },
    }),
  );
  assert.deepEqual(c.values("A1:B1"), [["=1+1", "2"]]);
});

test("no text makes the parser throw", () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => void parseFormula(`=${text}`)));
  assert.equal(parseFormula(`=${"(".repeat(5000)}`), undefined);
  assert.equal(parseFormula(`=${"-".repeat(1900)}1`), undefined);
});
