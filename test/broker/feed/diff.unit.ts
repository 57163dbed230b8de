import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { applyChanges, diffRows, keyedRows, rowsFromTexts, textsOf, type KeyedRows } from "../../../src/broker/feed/diff.ts";
import { encodeSnapshot, Snapshot, type Cell } from "../../../src/sheets/snapshot.ts";

const COLUMNS = ["name", "id", "__proto__"].map((name) => ({ name, type: "auto" as const }));
/** The key is the second column. */
const rowsOf = (rows: readonly (readonly Cell[])[], before?: KeyedRows): KeyedRows => {
  const { bytes } = encodeSnapshot({ columns: COLUMNS, key: 1, rows });
  return keyedRows(new Snapshot(new Uint8Array(bytes).buffer), before);
};
/** By hand: the text of the first row of each key. */
const byKey = (rows: readonly (readonly Cell[])[]): Map<string, unknown> => {
  const found = new Map<string, unknown>();
  for (const row of rows) if (!found.has(String(row[1]))) found.set(String(row[1]), row);
  return found;
};

const cell = fc.oneof(fc.constantFrom<Cell>("a", "1", 1, true, null, "ümlaut 🦊", 'q"uo\\te\n'), fc.string());
const key = fc.oneof(fc.constantFrom<Cell>("k1", "k2", "k3", 1, "1", true, "é🦊"), fc.integer({ min: 0, max: 30 }));
const table = fc.array(fc.tuple(cell, key, cell), { maxLength: 40 });
/** Rows that are many more than are compared at once. */
const FILLING = Array.from({ length: 300 }, (_, i): readonly Cell[] => [`n${i}`, `f${i}`, i]);

/** Another reading of the same table: rows edited, taken out, put in, doubled and sorted. */
const pair = fc.tuple(table, table, fc.array(fc.nat(60), { maxLength: 60 }), fc.boolean()).map(([a, extra, picks, sorted]) => {
  const from = [...a, ...extra];
  const b = picks.flatMap((i) => from[i] ?? []).length === 0 ? a : picks.flatMap((i) => (from[i] === undefined ? [] : [from[i]]));
  return [a, sorted ? b.toSorted((x, y) => String(x[1]).localeCompare(String(y[1]))) : b] as const;
});

test("applying the difference of two readings to the first gives the second, by key", () => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const before = rowsOf(a);
      const after = rowsOf(b, before);
      assert.deepEqual(after.keys, rowsOf(b).keys, "keys that were not parsed are those that would have been");
      for (const key of [...before.keys, ...after.keys, "none"]) assert.equal(after.first.get(key), rowsOf(b).first.get(key), key);
      const changes = diffRows(before, after);
      const texts = textsOf(before);
      applyChanges(changes, texts);
      assert.deepEqual(texts, textsOf(after));
      // Each kind means what it says, and each key changes once.
      const [was, is] = [byKey(a), byKey(b)];
      assert.equal(new Set(changes.map((change) => change.key)).size, changes.length);
      for (const change of changes) {
        assert.equal(change.kind === "row.created", !was.has(change.key));
        assert.equal(change.kind === "row.deleted", !is.has(change.key));
        if (change.kind === "row.updated") assert.notDeepEqual(was.get(change.key), is.get(change.key));
      }
      // The same from rows that were kept as texts.
      assert.deepEqual(diffRows(rowsFromTexts(textsOf(before)), after), changes);
    }),
    { numRuns: 1_000 },
  );
});

test("rows that only move have not changed, and a second row of a key counts once the first is gone", () => {
  const rows = Array.from({ length: 100 }, (_, i): Cell[] => [`n${i}`, `k${i}`, i]);
  const before = rowsOf(rows);
  assert.deepEqual(diffRows(before, rowsOf(rows.toReversed(), before)), []);
  assert.equal(rowsOf(rows, before).first, before.first, "nothing is made again where all keys stand where they stood");
  const twice = rowsOf([
    ["first", "k", 1],
    ["second", "k", 2],
  ]);
  assert.deepEqual(diffRows(twice, rowsOf([["second", "k", 2]], twice)), [
    { kind: "row.updated", key: "k", row: '{"name":"second","id":"k","__proto__":2}' },
  ]);
  assert.deepEqual(diffRows(twice, rowsOf([["first", "k", 1]], twice)), []);
});

test("a large table with changes at both ends and in the middle, and rows that come at the end for long", () => {
  fc.assert(
    fc.property(pair, fc.nat(300), fc.boolean(), ([a, b], cut, ends) => {
      const around = (rows: readonly (readonly Cell[])[]) =>
        ends ? [...rows.slice(0, 3), ...FILLING, ...rows.slice(3)] : [...FILLING.slice(0, cut), ...rows, ...FILLING.slice(cut)];
      const before = rowsOf(around(a));
      const after = rowsOf(around(b), before);
      const texts = textsOf(before);
      applyChanges(diffRows(before, after), texts);
      assert.deepEqual(texts, textsOf(rowsOf(around(b))));
      assert.deepEqual(diffRows(before, after), diffRows(rowsFromTexts(textsOf(before)), after));
    }),
    { numRuns: 200 },
  );
  let rows: (readonly Cell[])[] = [...FILLING];
  let keyed = rowsOf(rows);
  for (let i = 0; i < 2_500; i += 50) {
    rows = [...rows, ...Array.from({ length: 50 }, (_, j): Cell[] => ["x", `m${(i + j) % 2_000}`, 0])];
    const next = rowsOf(rows, keyed);
    assert.equal(diffRows(keyed, next).length, i < 2_000 ? 50 : 0);
    keyed = next;
  }
  assert.deepEqual(keyed.keys, rowsOf(rows).keys);
});
