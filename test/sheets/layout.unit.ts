import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { lastRow, origin } from "../../src/sheets/a1.ts";
import { readCell, writeCell } from "../../src/sheets/cell.ts";
import { readLayout } from "../../src/sheets/layout.ts";
import type { Cell } from "../../src/sheets/snapshot.ts";
import type { ColumnType } from "../../src/sheets/types.ts";

const RANGES = [
  ["players", "players", 0, 0, undefined],
  ["players!B3:F", "players", 2, 1, undefined],
  ["'My ''tab'!B3:F99", "My 'tab", 2, 1, 98],
  ["'My! tab'", "My! tab", 0, 0, undefined],
  ["'My! tab'!C:D", "My! tab", 0, 2, undefined],
  ["tab!A1", "tab", 0, 0, 0],
  ["tab!2:9", "tab", 1, 0, 8],
  ["B2:K", "B2:K", 0, 0, undefined],
  ["Q1", "Q1", 0, 0, undefined],
  ["Q1!Q1", "Q1", 0, 16, 0],
  [" 'Q1'!A1", " 'Q1'", 0, 0, 0],
  ["Wow!", "Wow!", 0, 0, undefined],
  ["!A1", "!A1", 0, 0, undefined],
  ["tab!Name", "tab!Name", 0, 0, undefined],
] as const;
for (const [range, tab, row, column, end] of RANGES)
  test(`where ${range} stands`, () => {
    assert.deepEqual([origin(range), lastRow(range)], [{ tab, row, column }, end]);
  });

test("what was written is read again as it was, whatever the type", () => {
  const cell: fc.Arbitrary<Cell> = fc.oneof(
    fc.string(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.constant("2026-05-09 18:30"),
  );
  const type = fc.constantFrom<ColumnType>("auto", "string", "number", "integer", "boolean", "date");
  fc.assert(
    fc.property(cell, type, (value, as) => {
      const written = writeCell(value, as);
      if (written.is === "misfit") return;
      assert.deepEqual(readCell(written.cell, as), written.cell);
      if (value !== "" && as !== "date") assert.deepEqual(written.cell, value);
    }),
  );
});

test("a layout from disk is believed only when it is one", () => {
  const layout = { table: "t", tab: "T", row: 0, column: 1, columns: ["id", undefined, "x"], key: "id", deleted: undefined };
  assert.deepEqual(readLayout(JSON.parse(JSON.stringify(layout)), "t"), layout);
  for (const change of [{ row: -1 }, { key: "y" }, { columns: "id" }, { columns: ["id", 7] }, { deleted: "y" }, { tab: 7 }])
    assert.equal(readLayout({ ...layout, ...change }, "t"), undefined);
  for (const raw of [null, 7, "x", []]) assert.equal(readLayout(raw, "t"), undefined);
});
