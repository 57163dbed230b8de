/** Event streams of the built-in application in a real worker, and what a client may ask of them. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, test, type TestContext } from "node:test";
import * as application from "../../src/app/index.ts";
import { ms, seconds, type Timestamp } from "../../src/base/units.ts";
import { createTables } from "../../src/sheets/client.ts";
import type { FeedEvent, RowChange, TableChange } from "../../src/sheets/events.ts";
import type { WorkerConfig } from "../../src/worker/config.ts";
import { startRig, type Rig } from "../worker/rig.ts";
import { EventSource } from "./eventsource.ts";
import { loginServices, PLAYERS, players, sampleSheet, type Sheet } from "./world.ts";
import { eventually } from "../support/wait.ts";

const EPOCH = 1_795_000_000_000;

/** A worker with a broker by hand. */
interface World {
  readonly rig: Rig;
  readonly sheet: Sheet;
  /** The last place. */
  readonly at: { epoch: number; seq: number };
  url(query?: string): string;
  source(query?: string, headers?: Record<string, string>, more?: { again?: boolean; idle?: boolean }): EventSource;
  /** The feed begins, or begins anew. */
  know(): void;
  /** One batch. */
  tell(...events: readonly (Partial<FeedEvent> & { what: TableChange })[]): void;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function world(config: Partial<WorkerConfig> = {}, mostStreams = 20): Promise<World> {
  const sheet = sampleSheet();
  const at = { epoch: EPOCH, seq: 0 };
  const services = {
    tables: createTables(sheet, { patience: ms(200) }),
    site: { staticDir: undefined },
    live: { reconnect: seconds(5), mostStreams },
    ...loginServices(),
  };
  const rig = startRig({ builtIn: { ...application }, services, config });
  closing.push(async () => {
    rig.tell({ type: "drain", within: ms(2_000) });
    await rig.exited;
  });
  await rig.until("ready");
  const url = (query = ""): string => `http://127.0.0.1:${rig.port}/api/events${query}`;
  return {
    rig,
    sheet,
    at,
    url,
    source(query, headers = {}, more = {}) {
      const source = new EventSource(url(query), { headers, ...more });
      closing.push(() => source.close());
      return source;
    },
    know: () => sheet.events?.changes({ after: { ...at }, events: [], upTo: { ...at } }),
    tell(...given) {
      const after = { ...at };
      const events = given.map((event): FeedEvent => ({
        epoch: EPOCH,
        seq: (at.seq += 1),
        table: "players",
        definition: "d",
        version: at.seq,
        ...event,
      }));
      sheet.events?.changes({ after, events, upTo: { ...at } });
    },
  };
}

const updated = (key: string, score: number): { what: RowChange } => ({
  what: { kind: "row.updated", key, row: JSON.stringify({ id: key, name: `Joueur "${key}" é🦊`, score }) },
});
const opened = (source: EventSource): Promise<boolean> => eventually("a place in the stream", () => source.lastId !== "");
const keys = ({ events }: EventSource): (string | undefined)[] => events.map(({ data }) => data.key ?? data.reason);

test("a stream begins with when to come back and where it is; each event says what, where and the row as lists show it", async () => {
  const w = await world();
  w.know();
  const source = w.source();
  await opened(source);
  const { headers } = source;
  assert.deepEqual(
    [
      headers["content-type"],
      headers["cache-control"],
      headers["x-accel-buffering"],
      headers["content-encoding"],
      headers["transfer-encoding"],
    ],
    ["text/event-stream", "no-store", "no", undefined, "chunked"],
  );
  assert.match(String(headers["x-request-id"]), /./);
  assert.equal(headers["x-content-type-options"], "nosniff");
  w.tell(updated("p1", 7), { what: { kind: "row.deleted", key: "p 2\n" } }, { what: { kind: "reset", reason: "many" } });
  await eventually("three events", () => source.events.length === 3);
  const id = (seq: number): string => `${EPOCH}-${seq}`;
  assert.equal(
    source.raw,
    `retry: 5000\n\nid: ${id(0)}\n\n` +
      `id: ${id(1)}\nevent: row.updated\ndata: {"table":"players","key":"p1","version":1,"row":{"id":"p1","name":"Joueur \\"p1\\" é🦊","score":7}}\n\n` +
      `id: ${id(2)}\nevent: row.deleted\ndata: {"table":"players","key":"p 2\\n","version":2}\n\n` +
      `id: ${id(3)}\nevent: reset\ndata: {"table":"players","reason":"many"}\n\n`,
  );
});

test("a client that comes back gets what it missed, wherever it says where it was; who can't be helped is told to read again", async () => {
  const w = await world();
  const early = w.source("", { "last-event-id": `${EPOCH}-0` }); // before the worker knows the feed
  const fresh = w.source();
  await eventually("both are open", () => early.retry > 0 && fresh.retry > 0);
  assert.equal(early.lastId, "");
  const { at } = w;
  w.sheet.events?.changes({ after: { ...at }, events: [], upTo: { ...at } });
  w.tell(updated("p1", 1), updated("p2", 2), updated("p3", 3));
  await eventually("all three", () => early.events.length === 3 && fresh.events.length === 3);
  const resumed = {
    header: w.source("", { "last-event-id": `${EPOCH}-1` }),
    query: w.source(`?last-event-id=${EPOCH}-2`),
    "the header wins": w.source(`?last-event-id=${EPOCH}-0`, { "last-event-id": `${EPOCH}-2` }),
    "nothing missed": w.source("", { "last-event-id": `${EPOCH}-3` }),
    filtered: w.source("?tables=players", { "last-event-id": `${EPOCH}-2` }),
    "too new": w.source("", { "last-event-id": `${EPOCH}-4` }),
    "another life": w.source("", { "last-event-id": `${EPOCH - 1}-2` }),
    "no id": w.source("", { "last-event-id": "<script>" }),
    "no id either": w.source(`?last-event-id=${"9".repeat(30)}-1`),
    empty: w.source("?last-event-id="),
  };
  await Promise.all(Object.values(resumed).map(opened));
  await eventually("they are where the feed is", () => Object.values(resumed).every(({ lastId }) => lastId === `${EPOCH}-3`));
  assert.deepEqual(Object.fromEntries(Object.entries(resumed).map(([name, source]) => [name, keys(source)])), {
    header: ["p2", "p3"],
    query: ["p3"],
    "the header wins": ["p3"],
    "nothing missed": [],
    filtered: ["p3"],
    "too new": ["history"],
    "another life": ["history"],
    "no id": ["id"],
    "no id either": ["id"],
    empty: [],
  });
  assert.equal(resumed["no id"].events[0]?.type, "reset");
  assert.equal(resumed["no id"].events[0]?.data.table, null);
  // A gap in what the worker itself hears.
  w.at.seq = 50;
  w.know();
  await eventually("everybody is told", () => [early, ...Object.values(resumed)].every(({ lastId }) => lastId === `${EPOCH}-50`));
  assert.equal(early.events.at(-1)?.data.reason, "history");
});

test("only what anyone may read is told, judged when it is sent, and only of the tables that were asked for", async () => {
  const w = await world();
  w.sheet.table("teams", "public", PLAYERS, players(2));
  w.know();
  const [all, teams, both] = [w.source(), w.source("?tables=teams"), w.source("?tables=teams,players")];
  await Promise.all([all, teams, both].map(opened));
  const row = (text: string): RowChange => ({ kind: "row.created", key: "k", row: JSON.stringify({ text }) });
  w.tell(
    { table: "teams", what: row("told") },
    { table: "secrets", what: row("CANARY-1") },
    { table: "members", what: row("CANARY-2") },
    { table: "own", what: row("CANARY-3") },
    { table: "unheard of", what: row("CANARY-4") },
    { definition: "older", what: row("CANARY-5") },
    updated("p1", 1),
  );
  w.sheet.table("players", "nobody", PLAYERS, players(1));
  w.tell({ what: row("CANARY-6") }, { table: "teams", what: { kind: "row.deleted", key: "end" } });
  w.sheet.table("teams", "signed-in", PLAYERS, players(1));
  const late = w.source("", { "last-event-id": `${EPOCH}-0` });
  await opened(late);
  await eventually("the last event", () => [all, teams, both].every((source) => keys(source).at(-1) === "end"));
  assert.deepEqual([all, teams, both, late].map(keys), [["k", "p1", "end"], ["k", "end"], ["k", "p1", "end"], []]);
  assert.doesNotMatch([all, teams, both, late].map(({ raw }) => raw).join(""), /CANARY/);
});

test("what can't be asked is refused as everywhere else", async () => {
  const w = await world();
  w.know();
  const wanted: Readonly<Record<string, readonly [number, string]>> = {
    "?tables=nowhere": [404, "unknown-table"],
    "?tables=players,secrets": [404, "unknown-table"],
    "?tables=members": [401, "not-public"],
    "?tables=": [400, "bad-parameter"],
    "?tables=players,,": [400, "bad-parameter"],
    "?tables=players&tables=players": [400, "bad-parameter"],
    "?table=players": [400, "bad-parameter"],
    "?last-event-id=%ff": [400, "bad-parameter"],
    [`?tables=${"x,".repeat(5_000)}x`]: [414, "uri-too-long"],
  };
  for (const [query, [status, code]] of Object.entries(wanted)) {
    const answer = await fetch(w.url(query));
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [status, code], query.slice(0, 40));
  }
  const post = await fetch(w.url(), { method: "POST" });
  assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  const head = await fetch(w.url(), { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-type"), await head.text()], [200, "text/event-stream", ""]);
});

/** Speaks HTTP by hand. */
async function spoken(
  t: TestContext,
  port: number,
  text: string,
): Promise<{ socket: Socket; received: () => string; ended: () => boolean }> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  let received = "";
  let ended = false;
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.on("error", () => {});
  socket.on("close", () => (ended = true));
  socket.write(text);
  await eventually("a place", () => received.includes("id: "));
  return { socket, received: () => received, ended: () => ended };
}

test("HTTP/1.0 gets plain bytes; a stream behind another answer of the same connection waits for it", async (t) => {
  const w = await world();
  w.know();
  const old = await spoken(t, w.rig.port, "GET /api/events HTTP/1.0\r\n\r\n");
  const piped = await spoken(
    t,
    w.rig.port,
    "GET /api/tables/players?limit=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /api/events HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  w.tell(updated("p1", 1));
  await eventually("both have it", () => [old, piped].every(({ received }) => received().includes('"key":"p1"')));
  const [head = "", body] = old.received().split(/\r\n\r\n/);
  assert.doesNotMatch(head, /transfer-encoding/i);
  assert.match(head, /connection: close/i);
  assert.match(String(body), /^retry: 5000\n\nid: \d+-0\n\nid: \d+-1\nevent: row.updated\ndata: .*\n\n$/);
  const answers = piped.received().split("HTTP/1.1 200 OK");
  assert.equal(answers.length, 3, "two whole answers, one after the other");
  assert.match(answers[1] ?? "", /"rows":\[/);
});

test("a client that does not read is dropped, and nobody else notices", async () => {
  const w = await world();
  w.know();
  const [reader, slow] = [w.source(), w.source("", {}, { idle: true })];
  await opened(reader);
  await eventually("both are open", () => slow.workers.length === 1);
  const text = "x".repeat(60_000);
  let told = 0;
  const dropped = (): boolean => w.rig.log.some(({ msg }) => /does not read its event stream/.test(String(msg)));
  for (; !dropped() && told < 2_000; told += 1) {
    w.tell({ what: { kind: "row.updated", key: `k${told}`, row: JSON.stringify({ text }) } });
    if (told % 10 === 0) await eventually("the reader keeps up", () => reader.events.length >= told);
  }
  assert.ok(dropped(), `${told} events of ${text.length} bytes`);
  await eventually("the reader has all", () => reader.events.length === told);
  assert.deepEqual(new Set(keys(reader)).size, told);
});

test("so many streams and no more; a place is free again when one leaves", async () => {
  const w = await world({}, 3);
  w.know();
  const sources = [w.source(), w.source(), w.source()];
  await Promise.all(sources.map(opened));
  const refused = await fetch(w.url());
  assert.deepEqual([refused.status, refused.headers.get("x-drover-refused")], [503, "streams"]);
  assert.equal(((await refused.json()) as { code: string }).code, "busy");
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait >= 5 && wait <= 10, `Retry-After: ${wait}`);
  assert.equal((await fetch(`http://127.0.0.1:${w.rig.port}/api/tables/players`)).status, 200, "rows are read all the same");
  sources[0]?.close();
  let again: EventSource | undefined;
  await eventually("a place", () => {
    if (again?.statuses[0] === 503) again.close();
    if (again === undefined || again.statuses[0] === 503) again = w.source();
    return again.lastId !== "";
  });
});

test("the request timeout does not end a stream; a drain ends all at once, each with a moment of its own to come back", async (t) => {
  const w = await world({ requestTimeout: ms(100), drainIdle: ms(100) });
  w.know();
  const sources = Array.from({ length: 10 }, () => w.source());
  const raw = await spoken(t, w.rig.port, "GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n");
  await Promise.all(sources.map(opened));
  await new Promise((resolve) => setTimeout(resolve, 400)); // four times the limit
  w.tell(updated("p1", 1));
  await eventually("all live", () => sources.every(({ events }) => events.length === 1));
  w.rig.tell({ type: "drain", within: ms(5_000) });
  w.tell(updated("p2", 1)); // between the order and its execution, and after it
  setImmediate(() => setImmediate(() => w.tell(updated("p3", 1))));
  await eventually("all have ended", () => sources.every(({ ends }) => ends === 1));
  const retries = sources.map(({ retry }) => retry);
  assert.ok(retries.every((retry) => retry >= 500 && retry <= 3_000) && new Set(retries).size > 5, retries.join());
  assert.deepEqual(new Set(sources.map((source) => keys(source).join())), new Set(["p1,p2"]));
  await eventually("the connection is closed", raw.ended);
  assert.match(raw.received(), /retry: \d+\n\n\r\n0\r\n\r\n$/, "the last chunk is the last");
  await w.rig.exited;
  const latest = w.rig.said.findLast((message) => message.type === "beat");
  assert.equal(latest?.counters.timeouts, 0);
});

test("a table that is watched is kept fresh, and the places of all streams move on without an event", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const w = await world();
  const touched: string[] = [];
  w.sheet.touch = (table?: string) => void touched.push(String(table));
  w.sheet.push("players", PLAYERS, players(3));
  w.know();
  const sources = Array.from({ length: 15 }, (_, i) => w.source(i % 2 === 0 ? "" : "?tables=players"));
  await Promise.all(sources.map(opened));
  w.tell({ table: "members", what: { kind: "row.deleted", key: "m1" } }); // nobody here may hear of it
  t.mock.timers.tick(15_000);
  await eventually("a heartbeat each", () => sources.every(({ comments, lastId }) => comments >= 1 && lastId === `${EPOCH}-1`));
  assert.deepEqual(
    sources.flatMap(({ events }) => events),
    [],
  );
  const stale = Date.now() - 3_600_000;
  const head = { table: "players", epoch: 1, version: 99, asOf: stale as Timestamp, checkedAt: stale as Timestamp };
  const hash = (await fetch(`http://127.0.0.1:${w.rig.port}/api/tables/players`)).headers.get("etag")?.slice(1, 17) ?? "";
  w.sheet.events?.renewed({ ...head, hash });
  t.mock.timers.tick(1_000);
  assert.ok(touched.includes("players"), touched.join());
});
