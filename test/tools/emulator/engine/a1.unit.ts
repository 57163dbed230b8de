import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../support/fast-check.ts";
import {
  columnIndex,
  columnName,
  parseReference,
  quoteTitle,
  rangeName,
} from "../../../../src/tools/emulator/engine/a1.ts";

test("columns count like digits without a zero", () => {
  const known: [number, string][] = [
    [0, "A"],
    [25, "Z"],
    [26, "AA"],
    [701, "ZZ"],
    [702, "AAA"],
    [18_277, "ZZZ"],
  ];
  for (const [index, name] of known) {
    assert.equal(columnName(index), name);
    assert.equal(columnIndex(name.toLowerCase()), index);
  }
});

test("titles are quoted where they could be read as something else", () => {
  for (const plain of ["Sheet1", "food.csv", "players", "_x", "Sheet_2"])
    assert.equal(quoteTitle(plain), plain);
  for (const odd of ["D3", "profiles-10.csv", "my sheet", "🎊", "2020", "R1C1", "rc", "a!b"])
    assert.equal(quoteTitle(odd), `'${odd}'`);
  assert.equal(quoteTitle("it's"), "'it''s'");
});

test("open sides stay open and reversed corners are put right", () => {
  const area = (text: string): unknown => {
    const found = parseReference(text);
    return found?.is === "area" ? found.area : found;
  };
  assert.deepEqual(area("A1:C"), { startRow: 0, endRow: undefined, startColumn: 0, endColumn: 3 });
  assert.deepEqual(area("D4:A1"), { startRow: 0, endRow: 4, startColumn: 0, endColumn: 4 });
  assert.deepEqual(area("A2:2"), { startRow: 1, endRow: 2, startColumn: 0, endColumn: undefined });
  assert.deepEqual(area("1:3"), {
    startRow: 0,
    endRow: 3,
    startColumn: undefined,
    endColumn: undefined,
  });
  assert.deepEqual(parseReference("Sheet1"), { is: "name", name: "Sheet1" });
  assert.deepEqual(parseReference("'D3'"), { is: "sheet", title: "D3" });
});

test("what is no range is undefined, not an exception", () => {
  for (const text of ["", "!", "'", "''", "'x", "Sheet1!", "!A1", "'x'A1"])
    assert.equal(parseReference(text), undefined, text);
  for (const text of ["A0", "A1:B2:C3", "AAAA1:B2", "A1:", "x!y!z"])
    assert.notEqual(parseReference(text)?.is, "area", text);
});

test("a range's name reads back as the same range, whatever the title", () => {
  const side = fc.integer({ min: 0, max: 15_000 });
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }),
      side,
      side,
      side,
      side,
      (title, a, b, c, d) => {
        const rect = {
          startRow: Math.min(a, b),
          endRow: Math.max(a, b) + 1,
          startColumn: Math.min(c, d),
          endColumn: Math.max(c, d) + 1,
        };
        const read = parseReference(rangeName(title, rect));
        assert.ok(read?.is === "area");
        assert.equal(read.title, title);
        assert.deepEqual({ ...read.area }, rect);
      },
    ),
  );
});

test("RC1 is a cell of the column RC, R1C1 no range", () => {
  assert.deepEqual(parseReference("A1:RC1"), parseReference("RC1:A1"));
  const rc = parseReference("RC1");
  assert.ok(rc?.is === "area" && rc.area.startColumn === 470);
  assert.deepEqual(parseReference("R1C1"), { is: "name", name: "R1C1" });
});

test("any text is either a range or undefined", () => {
  fc.assert(fc.property(fc.string({ maxLength: 40 }), (text) => void parseReference(text)));
});
