/** A table without a key column: each row has an id that is not shown, so no column of the sheet is taken for one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds } from "../../src/base/units.ts";
import { diffRows, keyedRows } from "../../src/broker/feed/diff.ts";
import { contentOf, encodeSnapshot, Snapshot, type Cell } from "../../src/sheets/snapshot.ts";
import type { Values, WriteAnswer } from "../../src/sheets/writes.ts";
import { whole, type Whole } from "./whole.ts";

const SIGN_UP = { range: "Signups", ttl: "200ms", read: "public", append: "public" };
const HEADER = ["Name", "Brings"];

function snapshotOf({ broker }: Whole): Snapshot {
  const held = broker.peek("signups");
  assert.ok(held !== undefined, "nothing is known of the table");
  return new Snapshot(Uint8Array.from(held.bytes).buffer);
}

const add = ({ broker }: Whole, rows: readonly Values[]): Promise<WriteAnswer> =>
  broker.write({ table: "signups", changes: rows.map((values) => ({ op: "append", values })) }, { wait: "sheet", within: seconds(20) });

test("a sign-up sheet without a key: names stay in their column, equal rows are all kept, none needs a first cell", async (t) => {
  const w = await whole(t, { Signups: [HEADER, ["Ada", "cake"], ["", "plates"], ["", false]] }, { signups: SIGN_UP });
  assert.equal(await w.broker.want("signups"), undefined);
  const before = [
    ["Ada", "cake"],
    [null, "plates"],
  ];
  assert.deepEqual(contentOf(snapshotOf(w)).rows, before, "a row with an empty first cell is a row");
  const answer = await add(w, [{ Name: "Ada", Brings: "cake" }, { Brings: "forks" }, { Name: "Ada", Brings: "cake" }]);
  assert.ok(answer.is === "written" && answer.writes.every(({ state }) => state === "landed"), JSON.stringify(answer));
  const keys = answer.writes.map(({ key }) => key);
  assert.equal(new Set(keys).size, 3, "each row has an id of its own");
  const rows = [...before, ["Ada", "cake"], [null, "forks"], ["Ada", "cake"]];
  assert.deepEqual(contentOf(snapshotOf(w)).rows, rows);
  const landed = Date.now();
  while ((w.broker.peek("signups")?.head.checkedAt ?? 0) <= landed) await w.broker.want("signups");
  const snapshot = snapshotOf(w);
  assert.deepEqual(contentOf(snapshot).rows, rows, "read back, a row that was accepted is not there twice");
  const places = keys.map((key) => snapshot.indexOfKey(key));
  assert.deepEqual(places, [2, 3, 4], "the id of the answer finds the row");
  const inSheet = (await w.rows("Signups")).slice(4).map((row) => HEADER.map((_, i) => row[i] ?? ""));
  assert.deepEqual(inSheet, rows.slice(2).map((row) => row.map((cell) => cell ?? "")), "no value is made up"); // prettier-ignore
});

test("rows without a key are told as gone and come when they change, and equal ones are counted", () => {
  const columns = HEADER.map((name) => ({ name, type: "auto" as const }));
  const keyed = (rows: Cell[][], before?: ReturnType<typeof keyedRows>): ReturnType<typeof keyedRows> =>
    keyedRows(new Snapshot(encodeSnapshot({ columns, key: -1, rows }).bytes.buffer), before);
  const one = keyed([["Ada", "cake"], ["Ada", "cake"], ["Kim", null]]); // prettier-ignore
  const kinds = (rows: Cell[][]): readonly string[] => diffRows(one, keyed(rows, one)).map(({ kind }) => kind);
  assert.deepEqual(kinds([["Kim", null], ["Ada", "cake"], ["Ada", "cake"]]), [], "moved"); // prettier-ignore
  assert.deepEqual(kinds([["Ada", "cake"], ["Ada", "cake"], ["Ada", "cake"], ["Kim", null]]), ["row.created"]); // prettier-ignore
  assert.deepEqual(kinds([["Ada", "cake"], ["Kim", null]]), ["row.deleted"]); // prettier-ignore
  assert.deepEqual(kinds([["Ada", "cake"], ["Ada", "tea"], ["Kim", null]]), ["row.deleted", "row.created"]); // prettier-ignore
  const ids = (rows: Cell[][]): readonly string[] => keyed(rows).keys;
  assert.deepEqual(ids([["Ada", "cake"]]), [one.keys[0]], "the same in every process"); // prettier-ignore
});
