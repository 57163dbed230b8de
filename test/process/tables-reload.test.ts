/** Reloads that change the tables file: a table that was served must not go down because of a typing error. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { book } from "./book.ts";
import type { Status } from "../../src/cli/snapshot.ts";
import { get, ONE } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const ROWS = [
  ["id", "name", "score"],
  ["p1", "Ada", 1],
  ["p2", "Bob", 2],
];

test("a reload whose tables can't be read as before is rolled back, and says which table and why", async (t) => {
  const it = await book(t, { players: { rows: ROWS, table: { key: "id" } }, empty: { rows: [] } }, ONE);
  const { daemon, env } = it;
  const file = String(env["DROVER_TABLES"]);
  const good = JSON.parse(readFileSync(file, "utf8")) as { tables: Record<string, object> };
  const set = (players: object): void =>
    writeFileSync(file, JSON.stringify({ tables: { ...good.tables, players: { ...good.tables["players"], ...players } } }));
  const read = async (): Promise<[number, number]> => {
    const { status, body } = await get(`${daemon.url}/api/tables/players`);
    return [status, (JSON.parse(body) as { total: number }).total];
  };
  assert.deepEqual(await read(), [200, 2]);
  const reload = async (): Promise<NonNullable<Status["lastRoll"]>> => {
    const { generation } = JSON.parse((await daemon.control("reload")).body) as { generation: number };
    return await eventually(`the roll to generation ${generation} has ended`, async () => {
      const { roll, lastRoll } = await daemon.status();
      return roll === null && lastRoll?.generation === generation && lastRoll;
    });
  };
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ key: "ident" }, /table players.*no column \\?"ident\\?"/],
    [{ range: "plyers" }, /table players.*no range/],
    [{ range: "empty" }, /table players.*the range empty is empty/],
    [{ columns: { scroe: { type: "integer" } } }, /table players.*no column \\?"scroe\\?"/],
  ];
  for (const [players, why] of wrong) {
    set(players);
    const last = await reload();
    assert.deepEqual([last.is, await read()], ["rolledBack", [200, 2]], JSON.stringify(last));
    assert.match(JSON.stringify(last), why);
  }
  set({ columns: { score: { type: "integer" } } });
  const last = await reload();
  assert.deepEqual([last.is, await read()], ["done", [200, 2]], JSON.stringify(last));
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
