/** Broker processes of two generations, and who has the journal. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { makeLogger } from "../../src/base/log.ts";
import { DroverError } from "../../src/base/errors.ts";
import type { FromChild, ToChild } from "../../src/base/protocol.ts";
import { mebibytes, ms, perMinute, seconds } from "../../src/base/units.ts";
import type { BrokerConfig } from "../../src/broker/config.ts";
import { runBroker } from "../../src/broker/main.ts";
import { brokerTransport } from "../../src/sheets/broker-transport.ts";
import { createTables, type Tables } from "../../src/sheets/client.ts";
import { UnavailableError } from "../../src/sheets/unavailable.ts";
import type { WriteAnswer } from "../../src/sheets/writes.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Disk, means } from "./fakes.ts";
import { FakeGoogle, keyFile, SPREADSHEET } from "./upstream.ts";
import { eventually } from "../support/wait.ts";

const key = keyFile();
let fake: FakeGoogle;
let folder: string;
let disk: Disk;
let lines: string[];
let closing: (() => unknown)[];
const log = makeLogger({ role: "broker" }, "debug", { write: (line: string) => void lines.push(line) });

beforeEach(async () => {
  fake = await new FakeGoogle().start();
  fake.tabs.set("players", [
    ["id", "name"],
    ["p1", "Ada"],
  ]);
  folder = temporaryFolder("s");
  writeFileSync(join(folder, "tables.json"), JSON.stringify({ tables: { players: { key: "id", append: "public" } } }));
  disk = new Disk();
  lines = [];
  closing = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  await fake.stop();
});

/** @param open fails the start when it throws. */
function run(open: () => void = () => {}) {
  const sent: FromChild[] = [];
  const exits: number[] = [];
  let say!: (message: ToChild) => void;
  let lose!: () => void;
  const port = {
    send: (message: FromChild) => void sent.push(message),
    onMessage: (handler: (message: ToChild, handle: unknown) => void) => void (say = (m) => handler(m, undefined)),
    onLost: (handler: () => void) => void (lose = handler),
  };
  const openWrites = () => {
    open();
    return Promise.resolve(means(disk).means);
  };
  void runBroker(port, { log, reopen: () => {}, openWrites, exit: (code) => void exits.push(code) });
  const config: BrokerConfig = {
    spreadsheetId: SPREADSHEET,
    keyFile: key,
    sheetsEndpoint: fake.url,
    oauthEndpoint: fake.url,
    sessionKey: null,
    tablesFile: join(folder, "tables.json"),
    ttl: seconds(30),
    readsPerMinute: perMinute(60),
    writesPerMinute: perMinute(60),
    journalSize: mebibytes(1),
    upstreamTimeout: seconds(2),
    slots: { max: 10, perUser: 1, conflict: "take-over", lease: seconds(600) },
    sessionStore: null,
    zone: "UTC",
    dataDir: folder,
    socket: join(folder, "broker.sock"),
    log: { target: { fd: 1 }, level: "info" },
  };
  say({ type: "configure", role: "broker", slot: 0, generation: 1, masterPid: process.pid, beatEvery: ms(20), addresses: [], config });
  closing.push(() => lose());
  const ready = (): boolean => sent.some(({ type }) => type === "ready");
  return { sent, exits, ready, drain: () => say({ type: "drain", within: seconds(1) }) };
}

function worker(): Tables {
  const path = join(folder, "broker.sock");
  const tables = createTables(brokerTransport({ path, slot: 0, generation: 1, timeout: seconds(10), log }), { log });
  closing.push(() => tables.close());
  return tables;
}
const write = (tables: Tables, id: string): Promise<WriteAnswer> =>
  tables.write({ table: "players", changes: [{ op: "append", values: { id } }] }, "journal");

test("the next generation is ready once it has the journal; the writes of that time are held, and written once", async () => {
  const old = run();
  await eventually("ready", old.ready);
  const tables = worker();
  await tables.table("players");
  assert.equal((await write(tables, "a")).is, "written");
  disk.commit = 100;
  const slow = write(tables, "b"); // on its way to the disk when the journal is asked for
  const next = run();
  await eventually("it was asked for", () => lines.some((line) => line.includes("another broker takes over")));
  const held = write(tables, "c");
  assert.equal(next.ready(), false);
  await eventually("ready", next.ready);
  disk.commit = 0;
  old.drain();
  assert.deepEqual([(await slow).is, (await held).is], ["written", "written"]);
  await eventually("gone", () => old.exits.length > 0);
  assert.deepEqual(old.exits, [0]);
  assert.deepEqual(
    disk.entries.map(({ key: k }) => k),
    ["a", "b", "c"],
  );
  assert.deepEqual(
    ["a", "b", "c"].map((id) => tables.peek("players")?.snapshot.indexOfKey(id)),
    [1, 2, 3],
  );
  await eventually("its beat tells of writes", () => next.sent.some((m) => m.type === "beat" && m.upstream?.writes !== undefined));
});

test("a successor that fails leaves the journal where it was, and no write is lost or refused", async () => {
  const old = run();
  await eventually("ready", old.ready);
  const tables = worker();
  await tables.table("players");
  assert.equal((await write(tables, "a")).is, "written");
  let held: Promise<WriteAnswer> | undefined;
  const next = run(() => {
    held = write(tables, "b");
    throw new Error("no memory");
  });
  await eventually("it has failed", () => next.exits.length > 0);
  closing.pop()?.(); // its process ends, and its connections with it
  next.drain();
  assert.equal(next.ready(), false);
  assert.equal((await held)?.is, "written");
  assert.equal((await write(tables, "c")).is, "written");
  assert.deepEqual(
    disk.entries.map(({ key: k }) => k),
    ["a", "b", "c"],
  );
  assert.ok(lines.some((line) => line.includes("open here again")));
});

test("a journal that has no room to open: reads, writes refused for the disk, and accepted once there is room", async () => {
  let full = true;
  const broker = run(() => {
    if (full) throw new DroverError("DROVER_E_DISK", "the journal can't be opened: the disk is full");
  });
  await eventually("ready", broker.ready);
  const tables = worker();
  assert.equal((await tables.table("players")).snapshot.rowCount, 1);
  const refused = await write(tables, "a");
  assert.deepEqual(refused.is === "refused" && [refused.refusal.reason, refused.refusal.unsure], ["disk", undefined]);
  const change = { op: "append", values: { id: "z" } } as const;
  const repeated = await tables.write({ table: "players", changes: [change], once: { key: "k", digest: "d" } }, "journal");
  assert.equal(repeated.is === "refused" && repeated.refusal.unsure, true, "it may have been accepted before");
  await assert.rejects(tables.findWrite("01M7Z0Q2HMS5H88DF4P939G17F"), UnavailableError);
  assert.deepEqual(broker.exits, []);
  full = false;
  await eventually("it is open", () => lines.some((line) => line.includes("accepted again")));
  assert.equal((await write(tables, "b")).is, "written");
  assert.equal(await tables.findWrite("01M7Z0Q2HMS5H88DF4P939G17F"), undefined);
});

test("a broker whose tables nobody may write to opens no journal", async () => {
  writeFileSync(join(folder, "tables.json"), JSON.stringify({ tables: { players: { read: "public" } } }));
  let opened = 0;
  const only = run(() => void (opened += 1));
  await eventually("ready", only.ready);
  assert.equal(opened, 0);
  const answer = await (async () => {
    const tables = worker();
    await tables.table("players");
    return write(tables, "a");
  })();
  assert.equal(answer.is === "refused" && answer.refusal.reason, "not-writable");
});
