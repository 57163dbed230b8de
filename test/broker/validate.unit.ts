import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds, type Timestamp } from "../../src/base/units.ts";
import { indexKeys } from "../../src/broker/overlay.ts";
import { validate, type Standing, type Validated } from "../../src/broker/validate.ts";
import { readTable } from "../../src/sheets/rows.ts";
import { rowBody, rowTag, rowText } from "../../src/sheets/snapshot.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import type { Change, WriteRefusal } from "../../src/sheets/writes.ts";

const SAID = {
  range: "players!B2:K",
  key: "id",
  append: "public",
  update: "public",
  deleted: "gone",
  columns: {
    score: { type: "integer" },
    born: { type: "date" },
    alive: { type: "boolean" },
    weight: { type: "number" },
    nick: { type: "string" },
    target: { hidden: true },
  },
};
const HEADER = ["id", "name", "score", "born", "alive", "weight", "nick", "target", "gone"];

function standing(
  said: object = {},
  rows: unknown[][] = [
    ["p1", "Ada", 3],
    ["p2", "Bob"],
    ["twin", 1],
    ["twin", 2],
  ],
): Standing {
  const [table] = parseTables(JSON.stringify({ tables: { players: { ...SAID, ...said } } }), "f", seconds(30));
  assert.ok(table);
  const reading = readTable([HEADER, ...rows], table);
  assert.ok(reading.is === "ok", JSON.stringify(reading));
  const { content, layout } = reading;
  const index = indexKeys(content);
  return {
    table,
    layout,
    columns: content.columns,
    rows: content.rows.length,
    bytes: 0,
    shown: new Set(content.columns.map(({ name }) => name)),
    row: (key) => content.rows[index.get(key) ?? -1],
    isAmbiguous: (key) => content.rows.filter((row) => String(row[content.key]) === key).length > 1,
  };
}
let ids = 0;
const judge = (changes: readonly Change[], on = standing()): Validated => validate(on, changes, () => `ID${(ids += 1)}`, 7 as Timestamp);
function refusal(changes: readonly Change[], on = standing()): WriteRefusal {
  const judged = judge(changes, on);
  assert.ok(judged.is === "refused", JSON.stringify(judged));
  return judged.refusal;
}
function entries(changes: readonly Change[], on = standing()) {
  const judged = judge(changes, on);
  assert.ok(judged.is === "valid", JSON.stringify(judged));
  return judged.entries.map(({ op, key, values }) => ({ op, key, values }));
}
const append = (values: object): Change => ({ op: "append", values: values as Change extends { values: infer V } ? V : never });
const update = (key: string, values: object, ifMatch?: string): Change =>
  ({ op: "update", key, values, ...(ifMatch === undefined ? {} : { ifMatch }) }) as Change;

test("what is written: each type, hidden columns, text that looks like a formula, the key's own column", () => {
  const values = { id: "p9", name: "=1+1", score: 7, born: "2026-05-09 18:30", alive: false, weight: 1.5, nick: "+49", target: "p1" };
  assert.deepEqual(entries([append(values)]), [{ op: "append", key: "p9", values: { ...values, born: "2026-05-09T18:30" } }]);
  assert.deepEqual(entries([update("p1", { id: "p1", score: null, name: "" })]), [
    { op: "update", key: "p1", values: { score: null, name: null } },
  ]);
  assert.deepEqual(entries([{ op: "delete", key: "p1" }]), [{ op: "delete", key: "p1", values: {} }]);
});

test("without a key the row gets the write's id, where the column can hold it", () => {
  ids = 0;
  assert.deepEqual(entries([append({ name: "x" }), append({ name: "y", id: null })]), [
    { op: "append", key: "ID1", values: { name: "x", id: "ID1" } },
    { op: "append", key: "ID2", values: { name: "y", id: "ID2" } },
  ]);
  const numbers = standing({ columns: { ...SAID.columns, id: { type: "integer" } } }, [[1, "Ada"]]);
  assert.deepEqual([refusal([append({ name: "x" })], numbers).reason, refusal([append({ name: "x" })], numbers).column], ["invalid", "id"]);
  assert.deepEqual(entries([append({ id: 2 })], numbers), [{ op: "append", key: "2", values: { id: 2 } }]);
  assert.equal(refusal([append({ id: 1 })], numbers).reason, "duplicate-key");
});

const WRONG: readonly (readonly [string, Change, WriteRefusal["reason"], string | undefined, RegExp])[] = [
  ["an unknown column", append({ nome: "x" }), "invalid", "nome", /no column "nome"/],
  ["a column named like Object's own", append({ constructor: "x" }), "invalid", "constructor", /no column/],
  ["the mark of deleted rows", update("p1", { gone: true }), "invalid", "gone", /no column "gone"/],
  ["text for a number", append({ weight: "7" }), "invalid", "weight", /a number/],
  ["a fraction for an integer", append({ score: 1.5 }), "invalid", "score", /whole number/],
  ["more than 2^53", append({ score: 2 ** 60 }), "invalid", "score", /whole number/],
  ["text for a boolean", append({ alive: "true" }), "invalid", "alive", /true or false/],
  ["a number for text", append({ nick: 7 }), "invalid", "nick", /text/],
  ["a day that there is not", append({ born: "2026-02-30" }), "invalid", "born", /a date/],
  ["a cell over the limit", append({ name: "x".repeat(50_001) }), "invalid", "name", /50000 characters/],
  ["half a character", append({ name: "\ud83d" }), "invalid", "name", /whole characters/],
  ["NUL", append({ name: "a\0" }), "invalid", "name", /NUL/],
  ["an empty row", append({}), "invalid", undefined, /empty/],
  ["a row of empty cells", append({ name: null, nick: "" }), "invalid", undefined, /empty/],
  ["a blank key", append({ id: "  ", name: "x" }), "invalid", "id", /1 to 1000/],
  ["an endless key", append({ id: "x".repeat(1_001) }), "invalid", "id", /1 to 1000/],
  ["a key that is there", append({ id: "p1" }), "duplicate-key", "id", /already/],
  ["a key that is not", update("p7", { name: "x" }), "unknown-key", undefined, /no row/],
  ["a deleted row's key", { op: "delete", key: "p7" }, "unknown-key", undefined, /no row/],
  ["another key", update("p1", { id: "p2" }), "invalid", "id", /can't be changed/],
  ["no key", update("p1", { id: null }), "invalid", "id", /can't be changed/],
  ["nothing to change", update("p1", {}), "invalid", undefined, /no column is named/],
  ["only its own key", update("p1", { id: "p1" }), "invalid", undefined, /no column is named/],
  ["a key that two rows have", update("twin", { name: "x" }), "duplicate-key", undefined, /more than one row/],
  ["a row that is not what it was", update("p1", { name: "x" }, "tag"), "conflict", undefined, /not what it was/],
];
for (const [what, change, reason, column, message] of WRONG)
  test(`refused: ${what}`, () => {
    const said = refusal([append({ name: "fine" }), change]);
    assert.deepEqual([said.reason, said.column, said.nr], [reason, column, 1]);
    assert.match(said.message, message);
    assert.ok(said.message.length < 300);
  });

test("changes of one request follow each other", () => {
  const made = entries([append({ id: "n", name: "1" }), update("n", { name: "2" }), { op: "delete", key: "n" }, append({ id: "n" })]);
  assert.deepEqual(
    made.map(({ op }) => op),
    ["append", "update", "delete", "append"],
  );
  assert.deepEqual([refusal([append({ id: "n" }), append({ id: "n" })]).nr], [1]);
  assert.equal(refusal([{ op: "delete", key: "p1" }, update("p1", { name: "x" })]).reason, "unknown-key");
});

test("If-Match is the tag of the row's answer, as the changes before leave it", () => {
  const on = standing();
  const tag = (row: readonly (string | number | null)[]): string => rowTag(rowBody("players", rowText(on.columns, row)));
  const before = tag(["p1", "Ada", 3, null, null, null, null]);
  const between = tag(["p1", "Eve", 3, null, null, null, null]);
  assert.equal(entries([update("p1", { name: "Eve" }, before), update("p1", { name: "x" }, between)], on).length, 2);
  assert.deepEqual(refusal([update("p1", { name: "Eve" }, before), update("p1", { name: "x" }, before)], on).nr, 1);
});

test("tables that can't be written to, as a whole or at their end", () => {
  assert.match(refusal([append({ name: "x" })], standing({ append: "nobody" })).message, /lets nobody add rows/);
  assert.match(refusal([update("p1", { name: "x" })], standing({ update: "nobody" })).message, /lets nobody change/);
  assert.match(refusal([append({ name: "x" })], standing({ range: "players!B2:K99" })).message, /ends with row 99/);
  assert.equal(entries([update("p1", { name: "x" })], standing({ range: "players!B2:K99" })).length, 1);
  assert.equal(refusal([append({ name: "x" })], { ...standing(), rows: 2_000_000 }).reason, "not-writable");
});

test("no request without a change, and none with too many", () => {
  assert.match(refusal([]).message, /no change/);
  assert.match(refusal(Array.from({ length: 501 }, () => append({ name: "x" }))).message, /the most is 500/);
  assert.equal(entries(Array.from({ length: 500 }, () => append({ name: "x" }))).length, 500);
});
