import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { indexKeys, overlay, type Laid } from "../../src/broker/overlay.ts";
import { encodeSnapshot, type Cell, type Content } from "../../src/sheets/snapshot.ts";

const COLUMNS = [
  { name: "id", type: "auto" },
  { name: "a", type: "integer" },
  { name: "b", type: "string" },
] as const;
const content = (rows: Cell[][]): Content => ({ columns: COLUMNS, key: 0, rows });
const lay = (base: Content, entries: readonly Laid[]): Content => overlay(base, indexKeys(base), entries);

const key = fc.constantFrom("k1", "k2", "k3", "k4", "k5");
const cells = fc.record({ a: fc.option(fc.integer()), b: fc.option(fc.string({ minLength: 1 })) }, { requiredKeys: [] });
const entry: fc.Arbitrary<Laid> = fc.oneof(
  fc.record({ op: fc.constant("append" as const), key, values: cells }).map((e) => ({ ...e, values: { id: e.key, ...e.values } })),
  fc.record({ op: fc.constant("update" as const), key, values: cells }),
  fc.record({ op: fc.constant("delete" as const), key, values: fc.constant({}) }),
);
const base = fc.uniqueArray(fc.tuple(key, fc.option(fc.integer()), fc.option(fc.string({ minLength: 1 }))), { selector: ([k]) => k });

/** As the broker accepts them: no append of a key that is there, no change of one that is not. */
function acceptable(rows: readonly Cell[][], entries: readonly Laid[]): readonly Laid[] {
  const there = new Set(rows.map(([k]) => String(k)));
  return entries.filter(({ op, key: k }) => {
    if ((op === "append") === there.has(k)) return false;
    if (op === "append") there.add(k);
    if (op === "delete") there.delete(k);
    return true;
  });
}
const byKey = ({ rows }: Content): Cell[][] => rows.map((row) => [...row]).toSorted((x, y) => (String(x[0]) < String(y[0]) ? -1 : 1));

test("laid over a base that has any part of the entries already, the rows are the same", () => {
  fc.assert(
    fc.property(base, fc.array(entry, { maxLength: 12 }), fc.nat(12), (rows, some, n) => {
      const entries = acceptable(rows, some);
      const once = lay(content(rows), entries);
      const landed = lay(content(rows), entries.slice(0, n));
      assert.deepEqual(byKey(lay(landed, entries)), byKey(once), "the sheet has the first of them, and all are laid over it");
      assert.deepEqual(byKey(lay(landed, entries.slice(n))), byKey(once), "those that have landed are laid no longer");
      assert.deepEqual(byKey(lay(once, entries)), byKey(once));
    }),
  );
});

test("and in the same order, as long as no key is deleted and made again", () => {
  fc.assert(
    fc.property(base, fc.array(entry, { maxLength: 12 }), fc.nat(12), (rows, some, n) => {
      const gone = new Set<string>();
      const entries = acceptable(rows, some).filter(({ op, key: k }) => {
        if (gone.has(k)) return false;
        if (op === "delete") gone.add(k);
        return true;
      });
      const once = lay(content(rows), entries);
      const landed = lay(content(rows), entries.slice(0, n));
      assert.equal(encodeSnapshot(lay(landed, entries)).hash, encodeSnapshot(once).hash);
      assert.equal(encodeSnapshot(lay(landed, entries.slice(n))).hash, encodeSnapshot(once).hash);
    }),
  );
});

test("rows that nobody touched are the base's own; the base itself never changes", () => {
  const from = content([
    ["k1", 1, "x"],
    ["k2", 2, "y"],
  ]);
  const before = structuredClone(from);
  const out = lay(from, [{ op: "update", key: "k2", values: { a: null } }]);
  assert.equal(out.rows[0], from.rows[0]);
  assert.deepEqual(out.rows[1], ["k2", null, "y"]);
  assert.deepEqual(from, before);
  assert.equal(lay(from, []), from);
});

test("hidden columns and lost ones have no place; cells are as they will be read; the upper of two rows is meant", () => {
  const from = content([
    ["k1", 1, "x"],
    ["k1", 2, "y"],
  ]);
  const values = { secret: "s", a: "7", b: "" };
  assert.deepEqual(lay(from, [{ op: "update", key: "k1", values }]).rows, [
    ["k1", 7, null],
    ["k1", 2, "y"],
  ]);
  assert.deepEqual(lay(from, [{ op: "delete", key: "k1", values: {} }]).rows, [["k1", 2, "y"]]);
  assert.deepEqual(lay(from, [{ op: "update", key: "k9", values }]).rows, from.rows, "somebody has removed the row from the sheet");
  assert.deepEqual(lay(content([]), [{ op: "append", key: "__proto__", values: { id: "__proto__" } }]).rows, [["__proto__", null, null]]);
});
