import assert from "node:assert/strict";
import { test } from "node:test";
import { ANY_CHARACTER } from "../support/characters.ts";
import { fc } from "../support/fast-check.ts";
import { contentOf, encodeSnapshot, Snapshot, stamp, type Cell, type Content } from "../../src/sheets/snapshot.ts";

const read = (content: Content): Snapshot => {
  const { bytes } = encodeSnapshot(content);
  stamp(bytes, 7, 3);
  return new Snapshot(Uint8Array.from(bytes).buffer);
};
const PLAYERS: Content = {
  columns: [
    { name: "id", type: "string" },
    { name: "score", type: "integer" },
    { name: "__proto__", type: "auto" },
  ],
  key: 0,
  rows: [
    ["p1", 3, "x"],
    ["p2", null, true],
    ["p1", 9, 'Ünï \u2028"\\ 日本'],
  ],
};

test("a slice of rows is the inside of a JSON array as it stands", () => {
  const snapshot = read(PLAYERS);
  const text = (i: number, j: number): string => Buffer.from(snapshot.rowSlice(i, j)).toString();
  assert.equal(text(0, 2), '{"id":"p1","score":3,"__proto__":"x"},{"id":"p2","score":null,"__proto__":true}');
  assert.equal((JSON.parse(`[${text(0, 3)}]`) as unknown[]).length, 3);
  assert.deepEqual([text(1, 1), text(3, 9), text(-4, 0), text(2, 1)], ["", "", "", ""]);
  assert.equal(text(2, 99), JSON.stringify({ id: "p1", score: 9 }).slice(0, -1) + ',"__proto__":"Ünï \u2028\\"\\\\ 日本"}');
});

test("rows, columns, keys and header", () => {
  const snapshot = read(PLAYERS);
  assert.deepEqual([snapshot.epoch, snapshot.version, snapshot.rowCount, snapshot.key], [7, 3, 3, "id"]);
  assert.deepEqual(snapshot.columns, PLAYERS.columns);
  assert.deepEqual(snapshot.columnValues("score"), [3, null, 9]);
  assert.deepEqual(snapshot.columnValues("__proto__")?.slice(0, 2), ["x", true]);
  assert.equal(snapshot.columnValues("constructor"), undefined);
  assert.deepEqual([snapshot.indexOfKey("p1"), snapshot.indexOfKey("p2"), snapshot.indexOfKey("toString")], [0, 1, undefined]);
  assert.deepEqual(
    [snapshot.row(3), snapshot.row(-1), snapshot.row(0.5), snapshot.row(Number.NaN)],
    [undefined, undefined, undefined, undefined],
  );
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
});

test("an empty table is a snapshot", () => {
  const snapshot = read({ columns: [{ name: "id", type: "auto" }], key: 0, rows: [] });
  assert.equal(snapshot.rowCount, 0);
  assert.equal(snapshot.rowSlice(0, 10).length, 0);
  assert.deepEqual(snapshot.columnValues("id"), []);
});

test("the hash is the content's: not the version's", () => {
  const { hash } = encodeSnapshot(PLAYERS);
  assert.match(hash, /^[0-9a-f]{16}$/);
  assert.equal(encodeSnapshot(PLAYERS).hash, hash);
  assert.notEqual(encodeSnapshot({ ...PLAYERS, key: 1 }).hash, hash);
  assert.notEqual(encodeSnapshot({ ...PLAYERS, rows: PLAYERS.rows.slice(1) }).hash, hash);
});

const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.string({ unit: ANY_CHARACTER }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const content = fc.integer({ min: 1, max: 4 }).chain((width) =>
  fc.record({
    columns: fc
      .uniqueArray(fc.string(), { minLength: width, maxLength: width })
      .map((names) => names.map((name) => ({ name, type: "auto" as const }))),
    key: fc.integer({ min: 0, max: width - 1 }),
    rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 8 }),
  }),
);

test("what goes in comes out (property)", () => {
  fc.assert(
    fc.property(content, fc.nat(9), fc.nat(9), (given, i, j) => {
      const snapshot = read(given);
      const rows = given.rows.map((row) => row.map((value) => JSON.parse(JSON.stringify(value)) as Cell));
      for (const [at, column] of given.columns.entries())
        assert.deepEqual(
          snapshot.columnValues(column.name),
          rows.map((row) => row[at]),
        );
      assert.equal(
        (JSON.parse(`[${Buffer.from(snapshot.rowSlice(i, j)).toString()}]`) as unknown[]).length,
        Math.max(0, Math.min(j, rows.length) - i),
      );
    }),
  );
});

test("bytes that were cut, grown or changed in the frame are refused, never read beyond", () => {
  const whole = Uint8Array.from(encodeSnapshot(PLAYERS).bytes);
  for (let length = 0; length < whole.length; length += 1) assert.throws(() => new Snapshot(whole.slice(0, length).buffer), RangeError);
  assert.throws(() => new Snapshot(Uint8Array.from([...whole, 0]).buffer), RangeError);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] as number) ^ flip;
      try {
        const snapshot = new Snapshot(bytes.buffer);
        assert.ok(snapshot.rowSlice(0, snapshot.rowCount).byteLength <= whole.length);
      } catch (e) {
        assert.ok(e instanceof RangeError, String(e));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a table without columns, because its tab is empty, makes the round trip", () => {
  const { bytes } = encodeSnapshot({ columns: [], key: 0, rows: [] });
  const content = contentOf(new Snapshot(bytes.buffer));
  assert.deepEqual(content, { columns: [], key: 0, rows: [] });
  assert.equal(new Snapshot(encodeSnapshot(content).bytes.buffer).key, undefined);
});
