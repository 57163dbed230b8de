/** Before a refused row is tried again its table is read: a person may have typed the row meanwhile, and nobody may have looked. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import type { Dealt } from "../../src/base/aside.ts";
import { makeLogger } from "../../src/base/log.ts";
import { mebibytes, ms, perMinute, seconds, type Timestamp } from "../../src/base/units.ts";
import { Broker } from "../../src/broker/broker.ts";
import type { Outcome, Upstream } from "../../src/broker/upstream.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import type { Change } from "../../src/sheets/writes.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Disk, means } from "./fakes.ts";

/** Rows stay fresh for longer than any test: only who insists reads them again. */
const TTL = "1h";
const OPEN = { key: "id", ttl: TTL, read: "public", append: "public", update: "public" };
const log = makeLogger({ role: "broker" }, "silent", { write() {} });

/** Google, with two tables. */
class Sheet implements Upstream {
  readonly rows = new Map<string, unknown[][]>(["players", "teams"].map((name) => [name, [["id", "name"], ["old", "Ada"]]])); // prettier-ignore
  readonly asked: string[] = [];
  readonly down = new Set<string>();
  /** Answers as of their question wait for it. */
  gate: Promise<unknown> | undefined;

  async read(ranges: readonly string[]): Promise<Outcome<readonly unknown[]>> {
    this.asked.push(...ranges.map((range) => range.replaceAll("'", "")));
    if (ranges.some((range) => this.down.has(range.replaceAll("'", "")))) return { is: "unavailable", message: "Google is down" };
    const value = structuredClone(ranges.map((range) => this.rows.get(range.replaceAll("'", ""))));
    await this.gate;
    return { is: "ok", value };
  }

  tabs(): Promise<Outcome<readonly string[]>> {
    return Promise.resolve({ is: "ok", value: [...this.rows.keys()] });
  }
  close(): void {}
}

interface World {
  readonly sheet: Sheet;
  readonly broker: Broker;
  /** Has Google refuse these changes. @returns their ids. */
  parked(table: string, ...changes: readonly Change[]): Promise<readonly string[]>;
  retry(ids: readonly string[]): Promise<Dealt>;
}

async function world(t: TestContext, clock = systemClock): Promise<World> {
  const sheet = new Sheet();
  const tables = parseTables(JSON.stringify({ tables: { players: OPEN, teams: OPEN } }), "tables.json", ms(200));
  const options = { spreadsheetId: "s", tables, ttl: seconds(3_600), readsPerMinute: perMinute(6_000), journalSize: mebibytes(1) };
  const broker = new Broker({ ...options, dataDir: temporaryFolder("reread"), upstream: sheet, clock, log });
  const { means: given, flusher } = means(new Disk());
  broker.openWrites(given);
  broker.start();
  t.after(() => broker.close());
  for (const table of ["players", "teams"]) assert.equal(await broker.want(table), undefined);
  const parked = async (table: string, ...changes: readonly Change[]): Promise<readonly string[]> => {
    const answer = await broker.write({ table, changes }, { wait: "journal", within: seconds(5) });
    assert.ok(answer.is === "written", JSON.stringify(answer));
    flusher().flush(() => true);
    return answer.writes.map(({ id }) => id);
  };
  const retry = async (ids: readonly string[]): Promise<Dealt> => {
    const { ok, text } = await broker.aside({ do: "retry", ids });
    assert.ok(ok, text);
    return JSON.parse(text) as Dealt;
  };
  sheet.asked.splice(0);
  return { sheet, broker, parked, retry };
}

const append = (id: string): Change => ({ op: "append", values: { id, name: "Grace" } });
const DOUBLE = /would double the row/;

test("a row that a person has typed meanwhile is seen, in a table that nobody reads; each table is read once", async (t) => {
  const { sheet, parked, retry } = await world(t);
  const [typed = "", other = ""] = await parked("players", append("typed"), append("other"));
  const [third = ""] = await parked("teams", append("third"));
  sheet.rows.get("players")?.push(["typed", "by hand"]);
  const { done, refused } = await retry([typed, other, third]);
  assert.deepEqual([done, refused.map(({ id }) => id)], [[other, third], [typed]]);
  assert.match(refused[0]?.why ?? "", DOUBLE);
  assert.deepEqual(sheet.asked.toSorted(), ["players", "teams"]);
});

test("a change of a row that is there cannot double it: nothing is read for it", async (t) => {
  const { sheet, parked, retry } = await world(t);
  const [change = ""] = await parked("players", { op: "update", key: "old", values: { name: "Augusta" } });
  sheet.down.add("players");
  assert.deepEqual((await retry([change])).done, [change]);
  assert.deepEqual(sheet.asked, []);
});

test("a table that can't be read now: its new rows wait for another try, those of the others go", async (t) => {
  const { sheet, parked, retry } = await world(t);
  const [row = "", change = ""] = await parked("players", append("row"), { op: "update", key: "old", values: { name: "Augusta" } });
  sheet.down.add("players");
  const { done, refused, left } = await retry([row, change]);
  assert.deepEqual([done, refused.map(({ id }) => id), left], [[change], [row], 1]);
  assert.match(refused[0]?.why ?? "", /could not be read just now, and a row with its key may stand in it: try again$/);
  assert.ok(sheet.asked.includes("players"));
});

test("a read that had begun before does not count: it may not know what was typed since", async (t) => {
  const { sheet, broker, parked, retry } = await world(t);
  const [row = ""] = await parked("players", append("row"));
  const gate = Promise.withResolvers<void>();
  sheet.gate = gate.promise;
  broker.refresh("players");
  while (sheet.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  sheet.rows.get("players")?.push(["row", "by hand"]);
  const tried = retry([row]);
  setTimeout(gate.resolve, 60); // the question is under way by now
  const { done, refused } = await tried;
  assert.deepEqual(done, []);
  assert.match(refused[0]?.why ?? "", DOUBLE);
  assert.deepEqual(sheet.asked, ["players", "players"]);
});

test("the wall clock is set back while the table is read: the row that a person has typed is seen all the same", async (t) => {
  let shift = 0;
  const clock = { now: systemClock.now, wall: () => (systemClock.wall() + shift) as Timestamp };
  const { sheet, parked, retry } = await world(t, clock);
  const [row = "", other = ""] = await parked("players", append("row"), append("other"));
  sheet.rows.get("players")?.push(["row", "by hand"]);
  const gate = Promise.withResolvers<void>();
  sheet.gate = gate.promise;
  const tried = retry([row, other]);
  shift = -3_600_000;
  gate.resolve();
  const { done, refused } = await tried;
  assert.deepEqual([done, refused.map(({ id }) => id)], [[other], [row]]);
  assert.match(refused[0]?.why ?? "", DOUBLE);
});
