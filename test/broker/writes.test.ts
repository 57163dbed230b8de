import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { encodeFrame, FrameReader } from "../../src/base/frames.ts";
import { makeLogger } from "../../src/base/log.ts";
import type { WritesQuestion } from "../../src/base/protocol.ts";
import { mebibytes, ms, perMinute, seconds, type Bytes } from "../../src/base/units.ts";
import { Broker } from "../../src/broker/broker.ts";
import { serveBroker, type RpcServer } from "../../src/broker/rpc.ts";
import { askForJournal } from "../../src/broker/succession.ts";
import type { Outcome, Upstream } from "../../src/broker/upstream.ts";
import { brokerTransport } from "../../src/sheets/broker-transport.ts";
import { createTables, type Tables } from "../../src/sheets/client.ts";
import { directTransport } from "../../src/sheets/direct-transport.ts";
import { rowBody, rowTag } from "../../src/sheets/snapshot.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { PROTOCOL } from "../../src/sheets/wire.ts";
import { UnavailableError } from "../../src/sheets/unavailable.ts";
import type { Change, Values, WriteAnswer, WriteRefusal } from "../../src/sheets/writes.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Disk, means, type FakeFlusher } from "./fakes.ts";
import { eventually } from "../support/wait.ts";

const TABLES = {
  players: { key: "id", ttl: "200ms", read: "public", append: "public", update: "public", columns: { target: { hidden: true } } },
  log: { ttl: "200ms" },
};

/** Google, as rows in memory. */
class Sheet implements Upstream {
  rows: unknown[][] = [["id", "name", "target"], ...Array.from({ length: 10 }, (_, i) => [`p${i}`, `Name ${i}`, `secret-${i}`])];
  reads = 0;
  down = false;
  /** Answers wait for it. */
  gate: Promise<unknown> | undefined;

  async read(ranges: readonly string[]): Promise<Outcome<readonly unknown[]>> {
    this.reads += 1;
    if (this.down) return { is: "unavailable", message: "Google is down" };
    const rows = structuredClone(this.rows);
    await this.gate;
    return { is: "ok", value: ranges.map((range) => (range === "'players'" ? rows : [["id"], ["l1"]])) };
  }

  /** As a flusher would. */
  take(changes: readonly { op: string; key: string; values: Values }[]): void {
    for (const { op, key, values } of changes) {
      const header = this.rows[0] as string[];
      const at = this.rows.findIndex((row, i) => i > 0 && row[0] === key);
      if (op === "append") this.rows.push(header.map((name) => values[name] ?? ""));
      else if (op === "update")
        this.rows[at] = header.map((name, i) => (Object.hasOwn(values, name) ? values[name] : this.rows[at]?.[i]) ?? "");
      else this.rows[at] = [];
    }
  }

  tabs(): Promise<Outcome<readonly string[]>> {
    return Promise.resolve({ is: "ok", value: ["players", "log"] });
  }
  close(): void {}
}

let sheet: Sheet;
let disk: Disk;
let folder: string;
let lines: string[];
let closing: (() => unknown)[];
const log = makeLogger({ role: "broker" }, "debug", { write: (line: string) => void lines.push(line) });

beforeEach(() => {
  sheet = new Sheet();
  disk = new Disk();
  folder = temporaryFolder("w");
  lines = [];
  closing = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});

const socket = (): string => join(folder, "broker.sock");

interface Opened {
  readonly broker: Broker;
  readonly flusher: FakeFlusher;
}

function openBroker(said: object = TABLES, journalSize: Bytes = mebibytes(1)): Opened {
  const tables = parseTables(JSON.stringify({ tables: said }), "tables.json", ms(200));
  const options = { spreadsheetId: "s", tables, ttl: ms(200), readsPerMinute: perMinute(6_000), dataDir: folder, journalSize };
  const broker = new Broker({ ...options, upstream: sheet, clock: systemClock, log });
  const opened = means(disk);
  broker.openWrites(opened.means);
  broker.start();
  closing.push(() => broker.close());
  return { broker, flusher: opened.flusher() };
}

function serve(broker: Broker): RpcServer {
  const rpc = serveBroker(broker, socket(), log, {
    yield: () => broker.closeWrites(),
    takeBack: () => {},
    copy: () => Promise.reject(new Error("no")),
  });
  closing.push(() => rpc.close());
  rpc.takeOver();
  return rpc;
}

function worker(timeout = seconds(5)): Tables {
  const tables = createTables(brokerTransport({ path: socket(), slot: 0, generation: 1, timeout, log }), { log });
  closing.push(() => tables.close());
  return tables;
}

/** A connection whose words are the test's own. */
async function raw(): Promise<{ socket: Socket; say: (...messages: unknown[]) => void; heard: Record<string, unknown>[] }> {
  const it = connect(socket());
  const reader = new FrameReader();
  const heard: Record<string, unknown>[] = [];
  it.on("error", () => {});
  it.on("data", (chunk: Buffer) => heard.push(...reader.push(chunk).map(({ head }) => head as Record<string, unknown>)));
  const say = (...messages: unknown[]): void => void it.write(Buffer.concat(messages.flatMap((message) => encodeFrame(message))));
  closing.push(() => it.destroy());
  say({ type: "hello", protocol: PROTOCOL, slot: 7, generation: 1, held: {} });
  await eventually("a greeting", () => heard.length > 0);
  return { socket: it, say, heard };
}

const append = (values: Values): Change => ({ op: "append", values });
const one = (change: Change, table = "players") => ({ table, changes: [change] });
function written(answer: WriteAnswer) {
  assert.ok(answer.is === "written", JSON.stringify(answer));
  return answer;
}
function refused(answer: WriteAnswer): WriteRefusal {
  assert.ok(answer.is === "refused", JSON.stringify(answer));
  return answer.refusal;
}
const rowIn = (tables: Tables, key: string) => {
  const snapshot = tables.peek("players")?.snapshot;
  const at = snapshot?.indexOfKey(key);
  return at === undefined ? undefined : snapshot?.row(at);
};

test("who has a table's rows is told what a write changes, not the table; who has lost them gets them whole", async () => {
  const { broker, flusher } = openBroker({ players: { ...TABLES.players, ttl: "60s" } }); // no reading meanwhile, which comes whole
  serve(broker);
  const tables = worker();
  await tables.table("players");
  const { say, heard } = await raw();
  const rows = () => heard.filter(({ type }) => type === "snapshot" || type === "edited");
  await eventually("the rows at first", () => rows().length > 0);
  const first = rows().length;
  for (const id of ["n1", "n2"]) written(await tables.write(one(append({ id, name: id })), "journal"));
  written(await tables.write(one({ op: "update", key: "n1", values: { name: "other" } }), "journal"));
  written(await tables.write(one({ op: "delete", key: "n2" }), "journal"));
  await eventually("a frame for each", () => rows().length >= first + 4);
  assert.deepEqual(
    rows()
      .slice(first)
      .map(({ type }) => type),
    Array.from({ length: 4 }, () => "edited"),
  );
  assert.equal(rowIn(tables, "n1")?.["name"], "other");
  assert.equal(rowIn(tables, "n2"), undefined);
  say({ type: "behind", table: "players" });
  await eventually("the table", () => rows().at(-1)?.["type"] === "snapshot");
  flusher.flush();
  written(await tables.write(one(append({ id: "n3", name: "n3" })), "journal"));
  await eventually("what is new", () => rows().at(-1)?.["type"] === "edited");
  assert.deepEqual(
    ["n1", "n2", "n3"].map((id) => rowIn(tables, id)?.["id"]),
    ["n1", undefined, "n3"],
  );
});

test("a write is on disk and in every worker when it is answered, and no call of Google is needed for it", async () => {
  const { broker } = openBroker();
  serve(broker);
  const workers = Array.from({ length: 4 }, () => worker());
  await Promise.all(workers.map((tables) => tables.table("players")));
  const [writer] = workers as [Tables];
  const { writes, delivery, repeated } = written(await writer.write(one(append({ name: "New", target: "secret-x" })), "journal"));
  const [write] = writes;
  assert.deepEqual([write?.op, write?.state, write?.table, delivery, repeated], ["append", "journaled", "players", "exactly-once", false]);
  assert.equal(write?.key, write?.id);
  for (const tables of workers) assert.deepEqual(rowIn(tables, write?.key ?? ""), { id: write?.key, name: "New" });
  assert.deepEqual(disk.waiting()[0]?.values, { id: write?.key, name: "New", target: "secret-x" });
  written(await writer.write(one({ op: "update", key: "p1", values: { name: "Changed" } }), "journal"));
  written(await writer.write(one({ op: "delete", key: "p2" }), "journal"));
  for (const tables of workers) assert.deepEqual([rowIn(tables, "p1")?.["name"], rowIn(tables, "p2")], ["Changed", undefined]);
  assert.equal((await writer.findWrite(write?.id ?? ""))?.state, "journaled");
  assert.equal(await writer.findWrite("01ARZ3NDEKTSV4RRFFQ69G5FAV"), undefined);
});

test("1,000 writes and reads over eight connections, one of them stuck: nobody reads a row that is older", async () => {
  const { broker } = openBroker();
  serve(broker);
  const stuck = await raw(); // hears everything and acknowledges nothing
  const workers = Array.from({ length: 7 }, () => worker());
  await Promise.all(workers.map((tables) => tables.table("players")));
  let stale = 0;
  const times: number[] = [];
  let nr = 0;
  const pairs = async (lane: number): Promise<void> => {
    while (nr < 1_000) {
      const n = (nr += 1);
      const tables = workers[n % 7] as Tables;
      const began = performance.now();
      const change: Change =
        n % 3 === 0 ? { op: "update", key: `p${lane}`, values: { name: `n${n}` } } : append({ id: `w${n}`, name: `n${n}` });
      const { writes } = written(await tables.write(one(change), "journal"));
      times.push(performance.now() - began);
      for (const reader of workers) if (rowIn(reader, writes[0]?.key ?? "")?.["name"] !== `n${n}`) stale += 1;
    }
  };
  await Promise.all(Array.from({ length: 4 }, (_, lane) => pairs(lane)));
  times.sort((a, b) => a - b);
  console.log(
    `1000 write-then-read pairs: ${stale} stale reads of 7000; answered after p50 ${times[500]?.toFixed(1)} ms, p99 ${times[990]?.toFixed(1)} ms`,
  );
  assert.equal(stale, 0);
  assert.equal(disk.entries.length, 1_000);
  assert.ok(!stuck.socket.destroyed);
});

test("what is not on disk yet is seen by nobody, and counts for those that follow", async () => {
  const { broker } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  disk.commit = 60;
  const first = tables.write(one(append({ id: "n", name: "x" })), "journal");
  const second = tables.write(one({ op: "update", key: "n", values: { name: "y" } }), "journal");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(rowIn(tables, "n"), undefined);
  written(await first);
  written(await second);
  assert.equal(rowIn(tables, "n")?.["name"], "y");
  disk.full = "disk";
  const failing = tables.write(one(append({ id: "m" })), "journal");
  const same = tables.write(one(append({ id: "m" })), "journal");
  assert.equal(refused(await failing).reason, "disk");
  assert.equal(refused(await same).reason, "disk", "not a duplicate of what never was");
  disk.full = undefined;
  written(await tables.write(one(append({ id: "m" })), "journal"));
});

test("all of a request or nothing; a refusal says where; an unknown table, one that is read only", async () => {
  const { broker } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  const both = await tables.write({ table: "players", changes: [append({ id: "a" }), append({ id: "b", nome: "x" })] }, "journal");
  assert.deepEqual([refused(both).reason, refused(both).nr, refused(both).column], ["invalid", 1, "nome"]);
  assert.equal(rowIn(tables, "a"), undefined);
  assert.equal(refused(await tables.write(one(append({ id: "a" }), "nope"), "journal")).reason, "unknown-table");
  assert.equal(refused(await tables.write(one(append({ id: "a" }), "log"), "journal")).reason, "not-writable");
  const snapshot = tables.peek("players")?.snapshot;
  const tag = rowTag(rowBody("players", snapshot?.rowSlice(1, 2) ?? ""));
  written(await tables.write(one({ op: "update", key: "p1", values: { name: "x" }, ifMatch: tag }), "journal"));
  assert.equal(
    refused(await tables.write(one({ op: "update", key: "p1", values: { name: "y" }, ifMatch: tag }), "journal")).reason,
    "conflict",
  );
});

test("a client's own name makes its request once, whoever hears it, before and after a restart", async () => {
  const first = openBroker();
  serve(first.broker).close();
  const direct = createTables(directTransport(first.broker));
  await direct.table("players");
  const request = { ...one(append({ id: "mine", name: "x" })), once: { key: "k", digest: "d" } };
  disk.commit = 5;
  const twice = await Promise.all([direct.write(request, "journal"), direct.write(request, "journal")]);
  assert.deepEqual(
    twice.map((a) => written(a).repeated).toSorted((x, y) => Number(x) - Number(y)),
    [false, true],
  );
  assert.deepEqual(written(twice[0]).writes[0]?.id, written(twice[1]).writes[0]?.id);
  assert.equal(refused(await direct.write({ ...request, once: { key: "k", digest: "other" } }, "journal")).reason, "reused-key");
  await first.broker.close();
  const again = createTables(directTransport(openBroker().broker));
  await again.table("players");
  const after = written(await again.write(request, "journal"));
  assert.deepEqual([after.repeated, after.writes[0]?.id], [true, written(twice[0]).writes[0]?.id]);
  assert.equal(disk.entries.length, 1);
});

test("a replay gets the answer of an accepted request, also of one under way, and never writes", async () => {
  const { broker } = openBroker();
  serve(broker);
  const tables = worker();
  await tables.table("players");
  const request = { ...one(append({ id: "mine", name: "x" })), once: { key: "k", digest: "d" } };
  const replay = { ...request, replay: true } as const;
  assert.equal(refused(await tables.write(replay, "journal")).reason, "unknown-key");
  assert.equal(disk.entries.length, 0);
  disk.commit = 5;
  const [first, during] = (await Promise.all([tables.write(request, "journal"), tables.write(replay, "journal")])).map(written);
  const after = written(await tables.write(replay, "journal"));
  assert.deepEqual([first?.repeated, during?.repeated, after.repeated], [false, true, true]);
  assert.deepEqual([during?.writes[0]?.id, after.writes[0]?.id], [first?.writes[0]?.id, first?.writes[0]?.id]);
  assert.equal(refused(await tables.write({ ...replay, once: { key: "k", digest: "other" } }, "journal")).reason, "reused-key");
  assert.equal(disk.entries.length, 1);
});

test("a journal that can't be read is an answer, and costs no worker its connection", async () => {
  const { broker } = openBroker();
  serve(broker);
  const tables = worker();
  await tables.table("players");
  const request = { ...one(append({ id: "mine", name: "x" })), once: { key: "k", digest: "d" } };
  const [{ id } = { id: "" }] = written(await tables.write(request, "journal")).writes;
  disk.unreadable = "EIO: i/o error, read";
  for (const again of [request, { ...request, replay: true } as const]) {
    const { reason, unsure } = refused(await tables.write(again, "journal"));
    assert.deepEqual([reason, unsure], ["disk", true], "it was taken, and the disk does not say so");
  }
  await assert.rejects(Promise.resolve(broker.find("01ARZ3NDEKTSV4RRFFQ69G5FAV")), (error) => error instanceof UnavailableError);
  await assert.rejects(tables.findWrite("01ARZ3NDEKTSV4RRFFQ69G5FAV"), (error) => error instanceof UnavailableError);
  disk.unreadable = undefined;
  assert.equal((await tables.findWrite(id))?.state, "journaled");
});

test("a write that another broker has set aside meanwhile is not shown when the journal comes back", async () => {
  const { broker } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  const [bad, good] = ["bad", "good"].map((key) => append({ id: key, name: key }));
  const ids = written(await tables.write({ table: "players", changes: [bad as Change, good as Change] }, "journal")).writes.map(
    (w) => w.id,
  );
  await eventually("both are shown", () => rowIn(tables, "bad") !== undefined && rowIn(tables, "good") !== undefined);
  await broker.closeWrites();
  disk.states.set(ids[0] ?? "", { state: "parked", reason: "Google does not want it" });
  disk.holder = undefined;
  broker.openWrites(means(disk).means);
  await eventually("it is gone", () => rowIn(tables, "bad") === undefined);
  assert.ok(rowIn(tables, "good") !== undefined);
});

test("an order that names more writes than it takes says of the others that they were not tried", async () => {
  const { broker, flusher } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  const ids: string[] = [];
  for (const count of [500, 2]) {
    const changes = Array.from({ length: count }, (_, nr) => append({ id: `${count}-${nr}`, name: "x" }));
    ids.push(...written(await tables.write({ table: "players", changes }, "journal")).writes.map((write) => write.id));
  }
  sheet.take(flusher.flush(() => true));
  const { ok, text } = await broker.aside({ do: "discard", ids });
  assert.ok(ok, text);
  const { done, refused, left } = JSON.parse(text) as { done: string[]; refused: { id: string; why: string }[]; left: number };
  const why = "it was not tried: an order takes 500 writes, name the others again";
  assert.deepEqual([done, refused, left], [ids.slice(0, 500), ids.slice(500).map((id) => ({ id, why })), 2]);
});

test("a call that is said again under its id writes once: to the same broker, to its successor, with another request", async () => {
  const first = openBroker();
  const rpc = serve(first.broker);
  await worker().table("players");
  const call = (id: string, change: Change) => ({
    type: "call",
    id,
    method: "write",
    params: { request: one(change), wait: "journal", within: 1_000 },
  });
  const a = await raw();
  a.say(call("c-1", append({ id: "x" })), call("c-1", append({ id: "x" })));
  await eventually("two answers", () => a.heard.filter(({ type }) => type === "answer").length === 2);
  const b = await raw();
  b.say(call("c-1", append({ id: "x" })));
  await eventually("the same answer", () => b.heard.some(({ type }) => type === "answer"));
  rpc.close();
  await first.broker.close();
  serve(openBroker().broker);
  const c = await raw();
  c.say(call("c-1", append({ id: "x" })));
  await eventually("an answer", () => c.heard.some(({ type }) => type === "answer"));
  c.say(call("c-1", append({ id: "y" })));
  await eventually("answers", () => c.heard.filter(({ type }) => type === "answer").length === 2);
  const answers = [...a.heard, ...b.heard, ...c.heard].flatMap(({ type, answer }) => (type === "answer" ? [answer as WriteAnswer] : []));
  const ids = answers.flatMap((answer) => (answer.is === "written" ? answer.writes.map(({ id }) => id) : []));
  assert.deepEqual([answers.length, ids.length, new Set(ids).size], [5, 4, 1]);
  assert.equal(refused(answers.find(({ is }) => is === "refused") as WriteAnswer).reason, "reused-key");
  assert.equal(disk.entries.length, 1);
});

test("what is over its bounds never leaves the worker; from a worker that says it anyway, the connection is closed", async () => {
  const { broker } = openBroker();
  serve(broker);
  const tables = worker();
  await tables.table("players");
  const huge = Array.from({ length: 30 }, () => append({ name: "x".repeat(40_000) }));
  assert.match(refused(await tables.write({ table: "players", changes: huge }, "journal")).message, /bytes: the most is/);
  const many = Array.from({ length: 501 }, () => append({ name: "x" }));
  assert.match(refused(await tables.write({ table: "players", changes: many }, "journal")).message, /501 changes/);
  const long = one({ op: "delete", key: "x".repeat(2_000) });
  assert.equal(refused(await tables.write(long, "journal")).reason, "invalid");
  assert.equal(refused(await tables.write(one(append({ name: "x".repeat(50_001) })), "journal")).column, "name");
  const params = { request: one(append({ name: "x" })), wait: "journal", within: 1 };
  const wrong: unknown[] = [
    { ...params, request: { table: "players", changes: many } },
    { ...params, request: { table: "players", changes: huge } },
    { ...params, request: { table: "players", changes: [{ op: "drop" }] } },
    { ...params, request: one({ op: "append", values: { name: { deep: 1 } as unknown as string } }) },
    { ...params, request: one({ op: "append", values: { ["x".repeat(2_000)]: 1 } }) },
    { ...params, request: { ...params.request, once: { key: "k" } } },
    { ...params, wait: "never" },
    { ...params, within: -1 },
    { ...params, within: 1e9 },
  ];
  for (const said of wrong) {
    const bad = await raw();
    const closed = new Promise((resolve) => bad.socket.on("close", resolve));
    bad.say({ type: "call", id: "x", method: "write", params: said });
    await closed;
  }
  for (const message of [{ type: "seen", table: "players", epoch: "1", version: 1 }, { type: "succeed" }]) {
    const bad = await raw();
    const closed = new Promise((resolve) => bad.socket.on("close", resolve));
    bad.say(message);
    await closed;
  }
  assert.equal(disk.entries.length, 0);
  written(await tables.write(one(append({ name: "x" })), "journal"));
});

test("landed rows are shown until a reading that was asked for later has them, also when an older one arrives between", async () => {
  const { broker, flusher } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  const gate = Promise.withResolvers<void>();
  await eventually("expired", () => (tables.peek("players")?.source.freshUntil ?? 0) < performance.now());
  sheet.gate = gate.promise;
  const before = sheet.reads;
  tables.peek("players")?.source.expired();
  await eventually("a reading is under way", () => sheet.reads > before);
  written(await tables.write(one(append({ id: "n", name: "new" })), "journal"));
  written(await tables.write(one({ op: "delete", key: "p3" }), "journal"));
  sheet.take(flusher.flush());
  sheet.gate = undefined;
  gate.resolve();
  await eventually(
    "the older reading was taken",
    () => (tables.peek("players")?.head.checkedAt ?? 0) > 0 && broker.report().state === "ok",
  );
  assert.deepEqual([rowIn(tables, "n")?.["name"], rowIn(tables, "p3")], ["new", undefined]);
  sheet.rows[0] = ["id", "name", "target"];
  sheet.take([{ op: "update", key: "n", values: { name: "changed by hand" } }]);
  await eventually(
    "later readings rule",
    async () => ((await tables.table("players"), rowIn(tables, "n")?.["name"]) as unknown) === "changed by hand",
  );
  assert.equal(rowIn(tables, "p3"), undefined);
});

test("what Google refuses is gone from the rows, and its write says why", async () => {
  const { broker, flusher } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  const waiting = tables.write({ table: "players", changes: [append({ id: "good" }), append({ id: "bad" })] }, "sheet");
  await eventually("both wait", () => flusher.waiting.length === 2);
  assert.ok(rowIn(tables, "bad"));
  sheet.take(flusher.flush(({ key }) => key === "bad"));
  const { writes } = written(await waiting);
  assert.deepEqual(
    writes.map(({ state, reason }) => [state, reason]),
    [
      ["landed", undefined],
      ["parked", "Google does not want it"],
    ],
  );
  assert.ok((writes[0]?.landedAt ?? 0) > 0);
  await eventually("it is gone", () => rowIn(tables, "bad") === undefined && rowIn(tables, "good") !== undefined);
  assert.equal((await tables.findWrite(writes[1]?.id ?? ""))?.reason, "Google does not want it");
});

test("what was refused is tried again under its id, once however often it is asked for, or given up", async () => {
  const { broker, flusher } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  const ids: string[] = [];
  for (const key of ["one", "two", "three"])
    ids.push(written(await tables.write(one(append({ id: key, name: key })), "journal")).writes[0]?.id ?? "");
  sheet.take(flusher.flush(() => true));
  const [first = "", second = "", third = ""] = ids;
  const said = async (question: WritesQuestion): Promise<unknown> => {
    const { ok, text } = await broker.aside(question);
    return ok ? JSON.parse(text) : text;
  };
  const listed = (await said({ do: "aside", most: 2 })) as { count: number; writes: { id: string; reason: string }[] };
  assert.deepEqual(
    [listed.count, listed.writes.map(({ id, reason }) => [id, reason])],
    [3, [first, second].map((id) => [id, "Google does not want it"])],
  );
  await eventually("its row is gone", () => rowIn(tables, "one") === undefined);
  const retry = { do: "retry", ids: [first, "nobody"] } as const;
  const both = await Promise.all([said(retry), said(retry)]);
  assert.deepEqual(both, [
    { done: [first], refused: [], unknown: ["nobody"], left: 2 },
    { done: [], refused: [{ id: first, why: "it waits for the spreadsheet already" }], unknown: ["nobody"], left: 2 },
  ]);
  assert.ok(rowIn(tables, "one"), "its row is there again");
  assert.equal((await tables.findWrite(first))?.state, "journaled");
  assert.deepEqual(
    flusher.waiting.map(({ id, key }) => [id, key]),
    [[first, "one"]],
  );
  sheet.take(flusher.flush());
  assert.equal((await tables.findWrite(first))?.state, "landed");
  assert.deepEqual(await said({ do: "retry", ids: [first] }), {
    done: [],
    refused: [{ id: first, why: "it is in the spreadsheet" }],
    unknown: [],
    left: 2,
  });
  // Somebody has sent the second row anew: it must not be doubled. Meanwhile the third is refused again, and then given up.
  written(await tables.write(one(append({ id: "two", name: "anew" })), "journal"));
  const all = (await said({ do: "retry", ids: null })) as { done: string[]; refused: { id: string; why: string }[] };
  assert.deepEqual([all.done, all.refused.map(({ id }) => id)], [[third], [second]]);
  assert.match(all.refused[0]?.why ?? "", /double the row/);
  sheet.take(flusher.flush(({ key }) => key === "three"));
  assert.deepEqual(await said({ do: "discard", ids: null }), { done: [second, third], refused: [], unknown: [], left: 0 });
  assert.deepEqual(await said({ do: "retry", ids: null }), { done: [], refused: [], unknown: [], left: 0 });
  assert.match(JSON.stringify(await said({ do: "retry", ids: [third] })), /given up/);
  await broker.close();
  assert.match(String(await said({ do: "retry", ids: null })), /try again/);
});

test("who waits for the sheet is told the state at the end of its time, or when the broker leaves", async () => {
  const { broker } = openBroker();
  await createTables(directTransport(broker)).table("players");
  const late = written(await broker.write(one(append({ id: "a" })), { wait: "sheet", within: ms(30) }));
  assert.equal(late.writes[0]?.state, "journaled");
  const leaving = broker.write(one(append({ id: "b" })), { wait: "sheet", within: seconds(3_600) });
  await eventually("it waits", () => disk.entries.length === 2);
  await broker.close();
  assert.equal(written(await leaving).writes[0]?.state, "journaled", "not after its hour");
});

test("who waits for the sheet waits on at the successor; where there is none, what it was told stands", async () => {
  const old = openBroker();
  const oldRpc = serve(old.broker);
  const tables = worker(seconds(2));
  await tables.table("players");
  const answer = tables.write(one(append({ id: "a" })), "sheet");
  await eventually("it waits", () => disk.entries.length === 1);
  const letGo = await askForJournal(socket(), log, ms(0));
  const next = openBroker();
  const rpc = serve(next.broker);
  oldRpc.close();
  await old.broker.close();
  letGo();
  await tables.write(one(append({ id: "b" })), "journal");
  sheet.take(next.flusher.flush());
  const { writes, repeated } = written(await answer);
  assert.deepEqual([writes.map(({ key, state }) => [key, state]), repeated], [[["a", "landed"]], false]);
  const alone = tables.write(one(append({ id: "c" })), "sheet");
  await eventually("it waits too", () => disk.entries.length === 3);
  await next.broker.closeWrites();
  rpc.close();
  assert.equal(written(await alone).writes[0]?.state, "journaled");
  assert.equal(disk.entries.length, 3);
});

test("before a write is settled as landed its row is on disk: a kill in between takes it from nobody", async () => {
  const { broker, flusher } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  for (let n = 0; n < 20; n += 1) {
    void tables.write(one(append({ id: `row-${n}` })), "journal");
    await eventually("it is in the journal", () => disk.entries.length === n + 1);
    await flusher.landing();
    assert.ok(readFileSync(join(folder, "snapshots", "players.snap")).includes(`row-${n}`));
    sheet.take(flusher.flush());
  }
});

test("a restart with Google away: what waits is shown, and writes are taken, hidden columns too", async () => {
  const first = openBroker();
  serve(first.broker).close();
  const direct = createTables(directTransport(first.broker));
  await direct.table("players");
  written(await direct.write(one(append({ id: "waits", name: "x" })), "journal"));
  written(await direct.write(one(append({ id: "landed", name: "x" })), "journal"));
  sheet.take(first.flusher.flush(({ key }) => key !== "landed" && key !== "waits").filter(({ key }) => key === "landed"));
  await first.broker.close();
  sheet.down = true;
  const { broker } = openBroker();
  serve(broker);
  const tables = worker();
  await tables.table("players");
  assert.deepEqual([rowIn(tables, "waits")?.["name"], rowIn(tables, "landed")?.["name"]], ["x", "x"]);
  const { writes } = written(await tables.write(one({ op: "update", key: "waits", values: { target: "secret-y" } }), "journal"));
  assert.ok((writes[0]?.id ?? "") > (disk.entries[1]?.id ?? ""), "ids grow over a restart");
  assert.equal(disk.entries.at(-1)?.values["target"], "secret-y");
  const files = readdirSync(join(folder, "snapshots")).map((name) => readFileSync(join(folder, "snapshots", name)));
  assert.ok(files.some((file) => file.includes("landed")));
  assert.ok(!files.some((file) => file.includes("secret-")), "where hidden columns stand is on disk, what they hold is not");
});

test("a write waits for its table's first reading, and no longer than it may", async () => {
  const gate = Promise.withResolvers<void>();
  sheet.gate = gate.promise;
  const { broker } = openBroker();
  const late = await broker.write(one(append({ id: "x" })), { wait: "journal", within: ms(50) });
  assert.deepEqual([refused(late).reason, (refused(late).retryAfter ?? 0) > 0], ["not-writable", true]);
  const answer = broker.write(one(append({ id: "x" })), { wait: "journal", within: seconds(10) });
  gate.resolve();
  assert.equal(written(await answer).writes[0]?.key, "x");
});

test("a table that was never read takes no writes yet", async () => {
  sheet.down = true;
  const { broker } = openBroker();
  const answer = await broker.write(one(append({ id: "x" })), { wait: "journal", within: ms(0) });
  assert.deepEqual([refused(answer).reason, (refused(answer).retryAfter ?? 0) > 0], ["not-writable", true]);
});

test("no more may wait than was set, and there is room again when the sheet has it", async () => {
  const { broker, flusher } = openBroker(TABLES, 20_000 as Bytes);
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  let answer: WriteAnswer;
  let n = 0;
  do answer = await tables.write(one(append({ id: `n${(n += 1)}`, name: "x".repeat(1_000) })), "journal");
  while (answer.is === "written");
  assert.deepEqual([refused(answer).reason, (refused(answer).retryAfter ?? 0) > 0, n > 4 && n < 12], ["full", true, true]);
  assert.match(refused(answer).message, /DROVER_JOURNAL_SIZE/);
  sheet.take(flusher.flush());
  written(await tables.write(one(append({ id: "fits", name: "x".repeat(1_000) })), "journal"));
});

test("without a broker a write is refused after its time: nothing was written, or it is not known", async () => {
  const alone = refused(await worker(ms(80)).write(one(append({ id: "x" })), "journal"));
  assert.deepEqual([alone.reason, alone.retryAfter], ["away", 1_000]);
  assert.match(alone.message, /nothing was written/);
  const { broker } = openBroker();
  const rpc = serve(broker);
  const tables = worker(ms(500));
  await tables.table("players");
  disk.commit = 1_000;
  const lost = tables.write(one(append({ id: "y" })), "journal");
  await new Promise((resolve) => setTimeout(resolve, 50));
  rpc.close();
  const answer = refused(await lost);
  assert.equal(answer.reason, "away");
  assert.match(answer.message, /not known.*Idempotency-Key/);
  disk.commit = 0;
  await assert.rejects(tables.findWrite("x"), /broker/);
});

test("a successor gets the journal while clients write: no refusal, every write once, in its order", async () => {
  const old = openBroker();
  const oldRpc = serve(old.broker);
  const workers = Array.from({ length: 4 }, () => worker());
  await Promise.all(workers.map((tables) => tables.table("players")));
  disk.commit = 2;
  const stop = new AbortController();
  const keys: string[] = [];
  const lanes = workers.map(async (tables, lane) => {
    for (let n = 0; !stop.signal.aborted; n += 1) {
      const { writes } = written(await tables.write(one(append({ id: `${lane}-${n}`, name: "x" })), "journal"));
      keys.push(writes[0]?.key ?? "");
    }
  });
  await eventually("writes before", () => keys.length > 50);
  const letGo = await askForJournal(socket(), log, ms(0));
  assert.equal(disk.holder, undefined, "the old one has given it up");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const next = openBroker();
  next.broker.expectReaders();
  serve(next.broker);
  oldRpc.close();
  await old.broker.close();
  const before = keys.length;
  await eventually("writes after", () => keys.length > before + 50);
  stop.abort();
  await Promise.all(lanes);
  letGo();
  assert.deepEqual(disk.entries.map(({ key }) => key).toSorted(), keys.toSorted());
  assert.deepEqual(
    disk.entries.map(({ id }) => id),
    disk.entries.map(({ id }) => id).toSorted(),
  );
  for (const tables of workers) for (const key of keys) assert.ok(rowIn(tables, key), key);
});

test("what is wrong in the sheet is said in the report and with the rows", async () => {
  const { broker } = openBroker();
  const tables = createTables(directTransport(broker));
  await tables.table("players");
  assert.equal(broker.report().tables.find(({ name }) => name === "players")?.warnings, 0);
  sheet.rows = [
    ["id", "nom", "target"],
    ["p1", "a"],
    ["p1", "b"],
    ["", "c"],
  ];
  await eventually("warnings", async () => ((await tables.table("players")).head.warnings ?? 0) > 0);
  assert.equal(tables.peek("players")?.head.warnings, 3, "a double key, a missing key, a lost column");
  assert.equal(broker.report().tables.find(({ name }) => name === "players")?.warnings, 3);
  assert.equal(refused(await tables.write(one({ op: "update", key: "p1", values: { nom: "x" } }), "journal")).reason, "duplicate-key");
  sheet.rows = [
    ["id", "name", "aim"],
    ["p1", "a"],
  ];
  await eventually("a renamed hidden column", () => {
    void tables.table("players");
    return broker.report().tables.some(({ failure }) => failure?.includes('no column "target"') === true);
  });
  assert.ok(broker.report().writes?.delivery === "exactly-once");
  assert.ok(existsSync(join(folder, "broker.json")));
});

test("a table marked as deleted by a column: such rows are not shown, and the column can't be written", async () => {
  sheet.rows = [
    ["id", "name", "target", "gone"],
    ["a", "x", "", true],
    ["b", "y", "", ""],
    ["c", "z", "", "TRUE"],
  ];
  const { broker } = openBroker({ players: { ...TABLES.players, deleted: "gone" } });
  const tables = createTables(directTransport(broker));
  const { snapshot } = await tables.table("players");
  assert.deepEqual([snapshot.rowCount, snapshot.columns.map(({ name }) => name)], [1, ["id", "name"]]);
  assert.equal(refused(await tables.write(one(append({ id: "d", gone: true })), "journal")).column, "gone");
  written(await tables.write(one({ op: "delete", key: "b" }), "journal"));
  assert.equal(tables.peek("players")?.snapshot.rowCount, 0);
});
