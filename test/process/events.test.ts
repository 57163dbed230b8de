/** Changes of the spreadsheet at the clients of a real daemon: edits by hand in the emulator, reloads and kills between them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSource, type Told } from "../app/eventsource.ts";
import { SPREADSHEET } from "../broker/upstream.ts";
import { world as emulatorWorld } from "../tools/emulator/world.ts";
import { get, start, type Daemon } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAYERS = 500;
const code = (i: number): string => `hidden-${i}-4711`;
const rowOf = (i: number, score: number): unknown[] => [`p${i}`, `Name ${i}`, score, code(i)];

interface World {
  readonly daemon: Daemon;
  /** Writes cells by hand, as a person in the spreadsheet does. */
  edit(range: string, values: readonly (readonly unknown[])[]): Promise<void>;
  append(values: readonly unknown[]): Promise<void>;
  source(query?: string): EventSource;
  /** All rows by key, as they are served. */
  rows(): Promise<Map<string, unknown>>;
}

async function world(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<World> {
  const rows = [["id", "name", "score", "code"], ...Array.from({ length: PLAYERS }, (_, i) => rowOf(i, 0))] as string[][];
  const book = {
    id: SPREADSHEET,
    title: "Game",
    tabs: [
      { title: "players", rows },
      { title: "private", rows: [["id"], ["x1"]] },
    ],
  };
  const emulator = await emulatorWorld(t, { spreadsheets: [book] });
  const cwd = folder(t);
  const tables = { players: { ttl: "200ms", key: "id", read: "public", columns: { code: { hidden: true } } }, private: { ttl: "200ms" } };
  writeFileSync(join(cwd, "tables.json"), JSON.stringify({ tables }));
  const daemon = await start(t, {
    cwd,
    env: {
      DROVER_SPREADSHEET_ID: SPREADSHEET,
      DROVER_SHEETS_ENDPOINT: `${emulator.url}/`,
      DROVER_OAUTH_ENDPOINT: `${emulator.url}/`,
      GOOGLE_APPLICATION_CREDENTIALS: emulator.emulator.keyFile,
      DROVER_TABLES: join(cwd, "tables.json"),
      DROVER_READS_PER_MINUTE: "10000",
      DROVER_RECONNECT: "300ms",
      ...env,
    },
  });
  const sources: EventSource[] = [];
  t.after(() => sources.forEach((source) => source.close()));
  const values = `/v4/spreadsheets/${SPREADSHEET}/values`;
  return {
    daemon,
    async edit(range, cells) {
      const answer = await emulator.call("PUT", `${values}/${range}?valueInputOption=RAW`, { values: cells });
      assert.equal(answer.status, 200, answer.body.toString());
    },
    async append(row) {
      const answer = await emulator.call("POST", `${values}/players:append?valueInputOption=RAW`, { values: [row] });
      assert.equal(answer.status, 200, answer.body.toString());
    },
    source(query = "") {
      const source = new EventSource(`${daemon.url}/api/events${query}`, { again: true, patience: 500 });
      sources.push(source);
      return source;
    },
    async rows() {
      const { status, body } = await get(`${daemon.url}/api/tables/players?limit=1000`);
      assert.equal(status, 200, body);
      return new Map((JSON.parse(body) as { rows: { id: string }[] }).rows.map((row) => [row.id, row]));
    },
  };
}

const score = (n: number) => (event: Told) => event.data.row?.["score"] === n;

/** One stream on each of the two workers. */
async function onEach(w: World): Promise<EventSource[]> {
  const found = new Map<string, EventSource>();
  await eventually("streams on both workers", async () => {
    const source = w.source();
    await eventually("the stream is open", () => source.open && source.lastId !== "");
    const [worker = ""] = source.workers;
    if (found.has(worker)) source.close();
    else found.set(worker, source);
    return found.size === 2;
  });
  return [...found.values()];
}

test("an edit by hand is an event on a stream of each worker; nothing hidden is", async (t) => {
  const w = await world(t);
  const streams = await onEach(w);
  await w.edit("players!C2:C3", [[7], [8]]);
  await w.append(rowOf(PLAYERS, 9));
  await w.edit("private!A2", [["x2"]]);
  for (const stream of streams) {
    await eventually("three events", () => stream.events.length >= 3);
    assert.deepEqual(
      stream.events.map(({ type, data }) => [type, data.table, data.key, data.row]),
      [
        ["row.updated", "players", "p0", { id: "p0", name: "Name 0", score: 7 }],
        ["row.updated", "players", "p1", { id: "p1", name: "Name 1", score: 8 }],
        ["row.created", "players", `p${PLAYERS}`, { id: `p${PLAYERS}`, name: `Name ${PLAYERS}`, score: 9 }],
      ],
    );
    assert.equal(stream.retry, 300);
  }
  assert.equal(
    streams[0]?.raw.replace(/^retry.*\n\nid.*\n\n/, ""),
    streams[1]?.raw.replace(/^retry.*\n\nid.*\n\n/, ""),
    "the same ids everywhere",
  );
  await w.edit("players!A2:D2", [["", "", "", ""]]);
  const [first] = streams;
  await eventually("a row that was emptied is gone", () =>
    first?.events.some(({ type, data }) => type === "row.deleted" && data.key === "p0"),
  );
  // Every row at once: too much to tell one by one, or each by itself, but never with what is hidden.
  await w.edit(
    `players!C3:C${PLAYERS + 2}`,
    Array.from({ length: PLAYERS }, () => [99]),
  );
  await eventually("all rows", () => streams.every(({ events }) => events.filter(score(99)).length === PLAYERS));
  const told = streams.map(({ raw }) => raw).join("\n");
  assert.ok(told.length > PLAYERS * 50);
  const found = Array.from({ length: PLAYERS + 1 }, (_, i) => code(i)).filter((hidden) => told.includes(hidden));
  console.log(`searched ${(told.length / 1_024).toFixed(0)} KiB of event streams for ${PLAYERS + 1} codes: ${found.length} hits`);
  assert.deepEqual(found, []);
  assert.ok(!told.includes("private") && !told.includes('"code"'));
});

test("over reloads and killed brokers each client hears every event once, whichever worker it comes back to", async (t) => {
  const w = await world(t);
  await w.rows();
  const clients = [...(await onEach(w)), w.source(), w.source("?tables=players")];
  await eventually("all are open", () => clients.every(({ lastId }) => lastId !== ""));
  const state = { on: true, edits: 0 };
  const editing = (async () => {
    for (; state.on; state.edits += 1) {
      await sleep(20);
      const row = (state.edits * 7) % 50;
      await w.edit(`players!C${row + 2}`, [[state.edits + 1]]);
      if (state.edits % 10 === 9) await w.append(rowOf(1_000 + state.edits, state.edits));
    }
  })();
  for (const round of [2, 3]) {
    const edits = state.edits;
    w.daemon.signal("SIGHUP");
    await eventually(
      `generation ${round}`,
      async () => (await w.daemon.status()).lastRoll?.generation === round && (await w.daemon.status()).lastRoll?.is === "done",
    );
    await eventually("some edits more", () => state.edits > edits + 20);
    const { child } = await w.daemon.place("broker/0");
    sent(child?.pid ?? 0, "SIGKILL");
    await eventually("another broker", async () => {
      const place = await w.daemon.place("broker/0");
      return place.state === "ready" && place.child?.pid !== child?.pid;
    });
  }
  state.on = false;
  await editing;
  await w.edit("players!C2", [[999_999]]);
  await eventually("the last edit everywhere", () => clients.every(({ events }) => events.some(score(999_999))));
  const served = await w.rows();
  const [first] = clients;
  for (const client of clients) {
    const ids = client.events.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "no event twice");
    assert.deepEqual(
      client.events.filter(({ type }) => type === "reset"),
      [],
    );
    const seen = new Map(client.events.map(({ data }) => [data.key, data.row]));
    for (const [key, row] of seen) assert.deepEqual(served.get(String(key)), row, `${key} at ${client.lastId}`);
  }
  const common = clients.map(({ events }) =>
    events
      .map(({ id }) => id)
      .slice(-50)
      .join(),
  );
  assert.equal(new Set(common).size, 1, "the same sequence at all");
  const created = first?.events.filter(({ type }) => type === "row.created").length;
  const edits = state.edits;
  assert.equal(created, Math.floor(edits / 10));
  console.log(
    `${edits} edits over 2 reloads and 2 killed brokers: ${clients.map(({ events, ends }) => `${events.length} events, ${ends} reconnections`).join("; ")}`,
  );
});
