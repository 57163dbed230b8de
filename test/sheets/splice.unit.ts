/** One version of a table made of the one before: whatever changes, it is byte for byte what encoding it all would give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { editsBetween, runsOf, type Edit } from "../../src/sheets/edits.ts";
import { encodeSnapshot, hashOf, Snapshot, stamp, type Cell, type Content } from "../../src/sheets/snapshot.ts";
import { splice } from "../../src/sheets/splice.ts";

const COLUMNS = ["id", "name", "__proto__"].map((name) => ({ name, type: "auto" as const }));
const content = (rows: readonly (readonly Cell[])[]): Content => ({ columns: COLUMNS, key: 0, rows });
const read = (of: Content): Snapshot => new Snapshot(encodeSnapshot(of).bytes.buffer);
const allocate = (size: number): ArrayBuffer => new ArrayBuffer(size);

const cell = fc.oneof(fc.constantFrom<Cell>("ümlaut 🦊", 'q"uo},{te', 1, null, true), fc.string({ maxLength: 12 }));
const row = fc.tuple(fc.constantFrom<Cell>("a", "b", "c", "d", 1, "1", null), cell, cell).map((cells): readonly Cell[] => cells);
const rows = fc.array(row, { maxLength: 25 });
/** What may become of rows: some stay, some go, some come, some move. */
const pair = fc.tuple(rows, rows, fc.array(fc.nat(60), { maxLength: 50 }), fc.boolean()).map(([before, extra, picks, keep]) => {
  const from = [...before, ...extra];
  const picked = picks.flatMap((i) => (from[i] === undefined ? [] : [from[i]]));
  return [before, keep ? [...before.filter((_, i) => !picks.includes(i)), ...extra] : [...new Set(picked)]] as const;
});

test("the spliced bytes are those of the whole, and so are its hash, its values and its index", () => {
  fc.assert(
    fc.property(pair, fc.boolean(), ([before, after], parsed) => {
      const base = read(content(before));
      if (parsed) base.indexOfKey("a");
      const { edits, rows: fresh } = editsBetween(before, after);
      const spliced = splice(base, { edits, added: read(content(fresh)), epoch: 3, version: 9, allocate });
      const whole = encodeSnapshot(content(after));
      stamp(whole.bytes, 3, 9);
      assert.deepEqual(Buffer.from(spliced.buffer), Buffer.from(whole.bytes.buffer));
      assert.equal(hashOf(new Uint8Array(spliced.buffer)), whole.hash);
      const again = new Snapshot(whole.bytes.buffer);
      for (const { name } of COLUMNS) assert.deepEqual(spliced.columnValues(name), again.columnValues(name));
      for (const key of ["a", "b", "c", "d", "1", "null", "e"]) {
        assert.equal(spliced.indexOfKey(key), again.indexOfKey(key), key);
        assert.equal(base.indexOfKey(key), read(content(before)).indexOfKey(key), "what is older is as it was");
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a row more, a row changed, a row less are edits of one row, wherever they stand", () => {
  const before = Array.from({ length: 1_000 }, (_, i): readonly Cell[] => [`k${i}`, i, null]);
  const [one, two]: (readonly Cell[])[] = [
    ["x", 1, null],
    ["y", 2, null],
  ] as const;
  assert.deepEqual(editsBetween(before, [...before, one]), { edits: [[1_000, 0, 1]], rows: [one] });
  assert.deepEqual(editsBetween(before, before.with(500, one)), { edits: [[500, 1, 1]], rows: [one] });
  assert.deepEqual(editsBetween(before, before.toSpliced(500, 1)), { edits: [[500, 1, 0]], rows: [] });
  assert.deepEqual(editsBetween(before, [...before.with(3, one).toSpliced(700, 2), two]), {
    edits: [
      [3, 1, 1],
      [700, 2, 0],
      [1_000, 0, 1],
    ],
    rows: [one, two],
  });
  assert.deepEqual(editsBetween(before, before), { edits: [], rows: [] });
});

test("edits that do not fit are refused, and new rows of other columns", () => {
  const bad: [Edit[], number][] = [
    [[[0, 5, 0]], 0],
    [[[5, 0, 1]], 1],
    [
      [
        [2, 1, 0],
        [1, 1, 0],
      ],
      0,
    ],
    [
      [
        [0, 2, 0],
        [1, 1, 0],
      ],
      0,
    ],
    [[[0, 0, 2]], 1],
    [[], 1],
  ];
  for (const [edits, added] of bad) assert.throws(() => runsOf(edits, 4, added), RangeError, JSON.stringify(edits));
  const others = read({ columns: COLUMNS.slice(0, 2), key: 0, rows: [["a", 1]] });
  assert.throws(() => splice(read(content([])), { edits: [[0, 0, 1]], added: others, epoch: 1, version: 1, allocate }), /other columns/);
});
