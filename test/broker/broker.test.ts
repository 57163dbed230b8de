import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs, { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { encodeFrame, FrameReader, type Frame } from "../../src/base/frames.ts";
import { makeLogger } from "../../src/base/log.ts";
import type { FromChild, ToChild } from "../../src/base/protocol.ts";
import { probeDirectory } from "../../src/base/storage.ts";
import { mebibytes, ms, perMinute, seconds } from "../../src/base/units.ts";
import { Broker } from "../../src/broker/broker.ts";
import type { BrokerConfig } from "../../src/broker/config.ts";
import { readServiceAccount } from "../../src/broker/credentials.ts";
import { createGoogle } from "../../src/broker/google.ts";
import { runBroker } from "../../src/broker/main.ts";
import { serveBroker, type RpcServer } from "../../src/broker/rpc.ts";
import { brokerTransport } from "../../src/sheets/broker-transport.ts";
import { createTables, UnavailableError, type Tables } from "../../src/sheets/client.ts";
import { directTransport } from "../../src/sheets/direct-transport.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { PROTOCOL } from "../../src/sheets/wire.ts";
import { temporaryFolder } from "../support/folder.ts";
import { tinyDisk } from "../support/tiny-disk.ts";
import { EMAIL, FakeGoogle, googleError, keyFile, quotaError, SPREADSHEET } from "./upstream.ts";
import { eventually } from "../support/wait.ts";

const key = keyFile();
const TABLES = { players: { key: "id", ttl: "200ms", read: "public", columns: { target: { hidden: true } } }, log: { ttl: "200ms" } };

let fake: FakeGoogle;
let folder: string;
let lines: string[];
let closing: (() => unknown)[];
const log = makeLogger({ role: "broker" }, "debug", { write: (line: string) => void lines.push(line) });

beforeEach(async () => {
  fake = await new FakeGoogle().start();
  const players = Array.from({ length: 50 }, (_, i) => [`p${i}`, `Name ${i}`, i, `secret-code-${i}`, `secret-target-${i}`]);
  fake.tabs.set("players", [["id", "name", "score", "code", "target"], ...players]).set("log", [["id"], ["l1"]]);
  folder = temporaryFolder("b");
  lines = [];
  closing = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  await fake.stop();
});

const socket = (): string => join(folder, "broker.sock");

function openBroker(tables: object | null = TABLES): Broker {
  const endpoints = { sheetsEndpoint: fake.url, oauthEndpoint: fake.url };
  const upstream = createGoogle({
    spreadsheetId: SPREADSHEET,
    account: readServiceAccount(key),
    ...endpoints,
    timeout: seconds(2),
    clock: systemClock,
  });
  const parsed = tables === null ? undefined : parseTables(JSON.stringify({ tables }), "tables.json", ms(200));
  const options = {
    spreadsheetId: SPREADSHEET,
    tables: parsed,
    ttl: ms(200),
    readsPerMinute: perMinute(600),
    dataDir: folder,
    journalSize: mebibytes(1),
  };
  const broker = new Broker({ ...options, upstream, clock: systemClock, log });
  closing.push(() => broker.close());
  broker.start();
  return broker;
}

function serve(broker: Broker): RpcServer {
  const rpc = serveBroker(broker, socket(), log);
  closing.push(() => rpc.close());
  rpc.takeOver();
  return rpc;
}

function worker(slot = 0): Tables {
  const tables = createTables(brokerTransport({ path: socket(), slot, generation: 1, timeout: seconds(5), log }), { log });
  closing.push(() => tables.close());
  return tables;
}

const expired = (tables: Tables): Promise<boolean> =>
  eventually("expired", () => (tables.peek("players")?.source.freshUntil ?? 0) < performance.now());

test("rows from Google to workers through the socket: one call for all tables and all workers", async () => {
  serve(openBroker());
  const views = await Promise.all([0, 1, 2, 3].map((slot) => worker(slot).table("players")));
  assert.deepEqual(
    views.map(({ snapshot }) => snapshot.rowCount),
    [50, 50, 50, 50],
  );
  assert.deepEqual(
    views[0]?.snapshot.columns.map((c) => c.name),
    ["id", "name", "score"],
  );
  assert.equal(new Set(views.map(({ head }) => head.hash)).size, 1);
  assert.ok(views[0].snapshot.buffer instanceof SharedArrayBuffer);
  assert.deepEqual(
    fake.apiCalls.map(({ query }) => query.getAll("ranges")),
    [["'players'", "'log'"]],
  );
});

test("the herd at expiry: 200 readers in 8 workers are one call, and new rows reach every worker", async () => {
  serve(openBroker());
  const workers = Array.from({ length: 8 }, (_, slot) => worker(slot));
  await Promise.all(workers.map((tables) => tables.table("players")));
  await expired(workers[0] as Tables);
  const before = fake.apiCalls.length;
  fake.tabs.get("players")?.push(["p99", "New", 1, "secret-code-99", "secret-target-99"]);
  await Promise.all(Array.from({ length: 200 }, (_, i) => (workers[i % 8] as Tables).table("players")));
  await eventually("51 rows everywhere", () => workers.every((tables) => tables.peek("players")?.snapshot.rowCount === 51));
  assert.equal(fake.apiCalls.length - before, 1);
});

test("hidden values, and names that the tables file hides, are in no frame, no file and no log line", async () => {
  const broker = openBroker();
  serve(broker);
  const heard: Buffer[] = [];
  const spy = connect(socket());
  closing.push(() => spy.destroy());
  spy.on("data", (chunk: Buffer) => heard.push(chunk));
  spy.write(Buffer.concat(encodeFrame({ type: "hello", protocol: PROTOCOL, slot: 0, generation: 1, held: {} })));
  await worker().table("players");
  await eventually("rows at the spy", () => Buffer.concat(heard).includes("Name 49"));
  await broker.close();
  const files = readdirSync(join(folder, "snapshots")).map((name) => readFileSync(join(folder, "snapshots", name)));
  assert.ok(files.some((file) => file.includes("Name 49")));
  const feed = readFileSync(join(folder, "feed.db"));
  assert.ok(feed.includes("Name 49"));
  for (const place of [Buffer.concat(heard), ...files, feed, Buffer.from(lines.join("")), readFileSync(join(folder, "broker.json"))])
    assert.ok(!place.includes("secret-") && !place.includes('"target"'));
});

test("a column that is hidden because of its name is named to workers and in the report; an empty tab is an empty table", async () => {
  fake.tabs.set("log", []);
  const broker = openBroker();
  serve(broker);
  const tables = worker();
  assert.deepEqual((await tables.table("players")).head.hidden, ["code"]);
  const empty = await tables.table("log");
  assert.deepEqual([empty.snapshot.rowCount, empty.snapshot.columns, empty.head.warnings, empty.failure], [0, [], 1, undefined]);
  const [players, emptied] = broker.report().tables;
  assert.deepEqual([players?.hidden, players?.warnings, emptied?.rows, emptied?.failure], [["code"], 1, 0, undefined]);
  fake.tabs.set("log", [["id"], ["l1"]]);
  await eventually("the rows are there", async () => (await tables.table("log")).snapshot.rowCount === 1);
});

test("a view knows whether its request waited for Google: rows that the broker holds, and rows that were evicted, did not", async () => {
  serve(openBroker({ players: { ...TABLES.players, ttl: "30s" }, log: { ttl: "30s" } }));
  const first = await Promise.all([worker(0), worker(1)].map((tables) => tables.table("players")));
  assert.ok(
    first.some(({ waited }) => waited === true),
    "no rows were known",
  );
  const small = createTables(brokerTransport({ path: socket(), slot: 2, generation: 1, timeout: seconds(5), log }), {
    log,
    maxBytes: (first[0]?.snapshot.buffer.byteLength ?? 0) + 10,
  });
  closing.push(() => small.close());
  for (const name of ["players", "log", "players", "log"]) assert.equal((await small.table(name)).waited, undefined, name);
  assert.equal(fake.apiCalls.length, 1);
});

test("tabs beyond the first 500 are in the report", async () => {
  for (let nr = 0; nr < 501; nr += 1) fake.tabs.set(`t${nr}`, [["id"]]);
  const broker = openBroker(null);
  await eventually("the tabs are known", () => broker.report().unlisted === 3);
  assert.ok(
    lines.some((line) => line.includes("3 of 503 tabs are no tables") && line.includes('"level":"warn"')),
    lines.join(""),
  );
});

test("only the owner may use the socket and read the files", async () => {
  serve(openBroker());
  await worker().table("players");
  await eventually("a file", () => existsSync(join(folder, "snapshots", "players.snap")));
  for (const path of [socket(), join(folder, "snapshots", "players.snap"), join(folder, "broker.json")])
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
});

test("a restart serves at once from disk, with the rows' true age, and with Google down", async () => {
  const first = openBroker({ ...TABLES, players: { ...TABLES.players, ttl: "30s" } });
  serve(first).close();
  const before = await createTables(directTransport(first)).table("players");
  await first.close();
  await fake.stop();
  serve(openBroker({ ...TABLES, players: { ...TABLES.players, ttl: "30s" } }));
  const after = await worker().table("players");
  assert.deepEqual([after.head.hash, after.head.asOf, after.head.checkedAt], [before.head.hash, before.head.asOf, before.head.checkedAt]);
  assert.ok(after.head.epoch > before.head.epoch);
  await fake.start();
});

test("a snapshot of other settings, a damaged one and half a one are not served", async () => {
  const path = (): string => join(folder, "snapshots", "players.snap");
  const first = openBroker();
  await first.want("players");
  await first.close();
  const whole = readFileSync(path());
  assert.equal(
    openBroker({ players: { columns: { name: { hidden: true }, target: { hidden: true } } } }).peek("players"),
    undefined,
    "name is hidden now",
  );
  for (const damaged of [
    whole.subarray(0, whole.length - 7),
    whole.subarray(0, 20),
    Buffer.from(whole.map((b, i) => (i === 300 ? b ^ 1 : b))),
    Buffer.alloc(0),
  ]) {
    writeFileSync(path(), damaged);
    assert.equal(openBroker().peek("players"), undefined);
  }
  assert.ok(lines.some((line) => line.includes("the snapshot on disk is not used")));
});

test("the first start with Google down: reasons at once, then rows when it is back", async () => {
  const { port } = new URL(fake.url);
  await fake.stop();
  const broker = openBroker();
  serve(broker);
  const tables = worker();
  await assert.rejects(
    tables.table("players"),
    (e: unknown) => e instanceof UnavailableError && e.why.reason === "upstream" && e.why.retryAfter >= 1_000,
  );
  assert.equal(broker.report().state, "down");
  await fake.start(Number(port));
  await eventually("rows", () =>
    tables.table("players").then(
      (view) => view.snapshot.rowCount === 50,
      () => false,
    ),
  );
  assert.equal(broker.report().state, "ok");
});

test("a spreadsheet that is not shared says with whom to share it, to workers, status and log", async () => {
  fake.standing = googleError(403, "PERMISSION_DENIED", "The caller does not have permission");
  const broker = openBroker();
  serve(broker);
  await assert.rejects(
    worker().table("players"),
    (e: unknown) => e instanceof UnavailableError && e.why.reason === "denied" && e.message.includes(`share it with ${EMAIL}`),
  );
  assert.deepEqual([broker.report().state, broker.report().message.includes(EMAIL)], ["denied", true]);
  assert.ok(lines.some((line) => line.includes(EMAIL)));
});

test("429: stale rows with the reason, and not one call inside the lock-out", async () => {
  const broker = openBroker();
  serve(broker);
  const tables = worker();
  const { snapshot } = await tables.table("players");
  const begun = Math.floor(Date.now() / 1_000) - 20;
  fake.standing = quotaError({ window_start_time: String(begun) });
  await expired(tables);
  await eventually("locked", async () => (await tables.table("players")).failure?.reason === "quota");
  const before = fake.apiCalls.length;
  for (let i = 0; i < 200; i += 1) {
    const view = await tables.table("players");
    view.source.expired();
    assert.equal(view.snapshot, snapshot);
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(fake.apiCalls.length, before);
  const { quota, state } = broker.report();
  assert.equal(state, "locked");
  const locked = Math.round(quota.lockedUntil / 1_000 - begun);
  assert.ok(locked >= 60 && locked <= 61, `a window of a minute: ${locked} s`);
  await broker.close();
  const next = openBroker().report().quota.lockedUntil;
  assert.ok(Math.abs(next - quota.lockedUntil) < 1_000, "the next broker knows it too");
  assert.equal(fake.apiCalls.length, before);
});

test("an answer of the wrong shape changes nothing", async () => {
  serve(openBroker());
  const tables = worker();
  const { snapshot } = await tables.table("players");
  fake.tabs.set("players", [
    ["id", "name", "score", "code", "aim"],
    ["p1", "x", 1, "c", "secret-target-1"],
  ]); // the hidden column was renamed
  await expired(tables);
  await eventually("refused", async () => (await tables.table("players")).failure?.message.includes('no column "target"') === true);
  assert.equal((await tables.table("players")).snapshot, snapshot);
});

test("a failure that names something endless reaches workers, and they stay connected", async () => {
  const broker = openBroker({ ...TABLES, long: { range: "log", columns: { ["c".repeat(6_000)]: {} } } });
  serve(broker);
  const tables = worker();
  await assert.rejects(tables.table("long"), (e) => e instanceof UnavailableError && e.why.reason === "upstream");
  assert.equal((await tables.table("players")).snapshot.rowCount, 50);
});

test("without a tables file every tab is a private table; the list survives a restart without Google", async () => {
  fake.tabs.set("Équipe A", [
    ["id", "pin"],
    ["e1", "secret-pin"],
  ]);
  const first = openBroker(null);
  const direct = createTables(directTransport(first));
  assert.deepEqual(
    (await direct.table("equipe-a")).snapshot.columns.map((c) => c.name),
    ["id"],
  );
  assert.deepEqual(
    direct.list().map(({ name, read }) => [name, read]),
    [
      ["players", "nobody"],
      ["log", "nobody"],
      ["equipe-a", "nobody"],
    ],
  );
  await first.close();
  await fake.stop();
  const again = createTables(directTransport(openBroker(null)));
  assert.equal((await again.table("equipe-a")).snapshot.rowCount, 1);
  await fake.start();
});

test("a new broker takes over: no call is lost, workers get the new one's rows", async () => {
  const old = openBroker();
  const oldRpc = serve(old);
  const workers = Array.from({ length: 4 }, (_, slot) => worker(slot));
  await Promise.all(workers.map((tables) => tables.table("players")));
  // Beside the workers, callers without a cache: each of their calls goes over the socket.
  const transports = Array.from({ length: 4 }, (_, slot) =>
    brokerTransport({ path: socket(), slot, generation: 1, timeout: seconds(5), log }),
  );
  closing.push(() => transports.forEach((transport) => transport.close()));
  for (const transport of transports)
    transport.listen({ snapshot() {}, edited: () => true, renewed() {}, failed() {}, tables() {}, changes() {}, link() {} });
  const stop = new AbortController();
  const failures: unknown[] = [];
  let done = 0;
  const load = transports.map(async (transport) => {
    while (!stop.signal.aborted)
      await transport.want("players", undefined).then(
        () => (done += 1),
        (e: unknown) => failures.push(e),
      );
  });
  await eventually("calls before", () => done > 50);
  serve(openBroker());
  oldRpc.close();
  await old.close();
  fake.tabs.set("players", [
    ["id", "name", "target"],
    ["only", "one", "x"],
  ]);
  await eventually("the new broker's rows", () => workers.every((tables) => tables.peek("players")?.snapshot.rowCount === 1));
  const before = done;
  await eventually("calls after", () => done > before + 50);
  stop.abort();
  await Promise.all(load);
  assert.deepEqual(failures, []);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".b")),
    [],
    "no socket is left behind",
  );
});

test("a call that was sent to a broker that dies is answered by the next, under the same id", async () => {
  const old = openBroker();
  const oldRpc = serve(old);
  fake.standing = () => {}; // hangs: the call is under way when the broker dies
  const tables = worker();
  const waiting = tables.table("players");
  await eventually("asked", () => fake.apiCalls.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  fake.standing = undefined;
  oldRpc.close();
  await old.close();
  serve(openBroker());
  assert.equal((await waiting).snapshot.rowCount, 50);
});

test("without a broker a call ends at its deadline, with the reason", async () => {
  const tables = createTables(brokerTransport({ path: socket(), slot: 0, generation: 1, timeout: ms(100) }), { patience: ms(100) });
  closing.push(() => tables.close());
  await assert.rejects(tables.table("players"), (e: unknown) => e instanceof UnavailableError && e.why.reason === "broker");
});

test("what is no message ends that connection, and only that", async () => {
  serve(openBroker());
  const tables = worker();
  await tables.table("players");
  const hello = { type: "hello", protocol: PROTOCOL, slot: 0, generation: 1, held: {} };
  const frame = (head: unknown): Buffer => Buffer.concat(encodeFrame(head));
  const huge = Buffer.alloc(8);
  huge.writeUInt32BE(0xffffffff, 0);
  const nonsense = [
    huge,
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    frame({ type: "touch", tables: ["players"] }), // before the hello
    Buffer.concat([frame(hello), frame(hello)]),
    Buffer.concat([frame(hello), frame({ type: "call", id: 7, method: "want", params: {} })]),
    Buffer.concat([frame(hello), frame({ type: "call", id: "x", method: "drop", params: { table: "players" } })]),
    Buffer.concat([frame(hello), frame({ type: "__proto__" })]),
    Buffer.concat([frame(hello), frame(null)]),
    frame({ ...hello, held: { x: "y".repeat(100) } }),
    frame({ ...hello, protocol: 1 }), // refused in words
  ];
  for (const bytes of nonsense) {
    const bad = connect(socket());
    bad.resume();
    bad.on("error", () => {});
    bad.write(bytes);
    await new Promise((resolve) => bad.on("close", resolve));
  }
  await expired(tables);
  assert.equal((await tables.table("players")).snapshot.rowCount, 50);
  assert.equal(tables.peek("players")?.failure, undefined);
});

test("a worker that does not read is held to one snapshot of each table", async () => {
  const wide = Array.from({ length: 2_000 }, (_, i) => [`p${i}`, "x".repeat(1_000), i, "", ""]);
  fake.tabs.set("players", [["id", "name", "score", "code", "target"], ...wide]);
  serve(openBroker());
  const deaf = connect(socket());
  closing.push(() => deaf.destroy());
  deaf.pause();
  deaf.write(Buffer.concat(encodeFrame({ type: "hello", protocol: PROTOCOL, slot: 9, generation: 1, held: {} })));
  const tables = worker();
  await tables.table("players");
  for (let i = 0; i < 5; i += 1) {
    wide[0] = [`p0`, String(i).repeat(1_000), 0, "", ""];
    fake.tabs.set("players", [["id", "name", "score", "code", "target"], ...wide]);
    await eventually("changed", async () => (await tables.table("players")).snapshot.row(0)?.["name"] === String(i).repeat(1_000));
  }
  const heard: Frame[] = [];
  const reader = new FrameReader();
  deaf.on("data", (chunk: Buffer) => heard.push(...reader.push(chunk).filter(({ body }) => body.length > 1_000_000)));
  deaf.resume();
  await eventually("the newest", () => heard.length > 0 && Buffer.from(heard.at(-1)?.body ?? []).includes("4".repeat(1_000)));
  assert.ok(heard.length <= 2, `${heard.length} snapshots of 6`);
});

test("a path that is too long for a socket is said before anything else happens", () => {
  const broker = openBroker();
  assert.throws(() => serveBroker(broker, join(folder, "x".repeat(120)), log), /over 107 bytes: set DROVER_RUN_DIR/);
});

function run(change: Partial<BrokerConfig> = {}) {
  const sent: FromChild[] = [];
  const exits: number[] = [];
  let say!: (message: ToChild) => void;
  let lose!: () => void;
  const port = {
    send: (message: FromChild) => void sent.push(message),
    onMessage: (handler: (message: ToChild, handle: unknown) => void) => void (say = (m) => handler(m, undefined)),
    onLost: (handler: () => void) => void (lose = handler),
  };
  void runBroker(port, { log, reopen: () => {}, exit: (code) => void exits.push(code) });
  const config: BrokerConfig = {
    spreadsheetId: SPREADSHEET,
    keyFile: key,
    sheetsEndpoint: fake.url,
    oauthEndpoint: fake.url,
    sessionKey: null,
    tablesFile: null,
    ttl: seconds(30),
    readsPerMinute: perMinute(60),
    writesPerMinute: perMinute(60),
    journalSize: mebibytes(1),
    upstreamTimeout: seconds(2),
    slots: { max: 10, perUser: 1, conflict: "take-over", lease: seconds(600) },
    sessionStore: null,
    zone: "UTC",
    dataDir: folder,
    socket: socket(),
    log: { target: { fd: 1 }, level: "info" },
    ...change,
  };
  say({ type: "configure", role: "broker", slot: 0, generation: 1, masterPid: process.pid, beatEvery: ms(20), addresses: [], config });
  closing.push(() => lose());
  return { sent, exits, say: (m: ToChild) => say(m), lose: () => lose() };
}

test("the process: ready at once, beats that tell of Google, gone when asked or orphaned, long before its time is over", async () => {
  for (const end of ["drain", "lost"] as const) {
    const child = run();
    await eventually("something is said", () => child.sent.length > 0);
    const [first, second] = child.sent;
    assert.deepEqual([first?.type === "beat" && first.slots?.max, second], [10, { type: "ready", where: socket() }]);
    await eventually("a beat with tables", () =>
      child.sent.some((m) => m.type === "beat" && m.upstream?.state === "ok" && m.upstream.tables.length === 2),
    );
    if (end === "drain") child.say({ type: "drain", within: seconds(3_600) });
    else child.lose();
    await eventually("exit", () => child.exits.length > 0);
    assert.equal(child.exits[0], 0);
  }
});

test("what an operator must mend ends the process with its code and one clear line", async () => {
  const cases: readonly [Partial<BrokerConfig>, number, RegExp][] = [
    [{ keyFile: "/nowhere/key.json" }, 78, /The Google key file \/nowhere\/key\.json does not exist/],
    [{ keyFile: null, sheetsEndpoint: null }, 78, /GOOGLE_APPLICATION_CREDENTIALS is not set/],
    [{ tablesFile: "/nowhere/tables.json" }, 78, /the tables file \/nowhere\/tables\.json can't be read/],
    [{ dataDir: join(key, "below-a-file") }, 78, /the data directory .*below-a-file can't be written/],
    [{ socket: "/nowhere/broker.sock" }, 3, /can't listen on the broker's socket/],
  ];
  for (const [change, exit, message] of cases) {
    const child = run(change);
    assert.deepEqual(child.exits, [exit]);
    const [fatal] = child.sent;
    assert.ok(fatal?.type === "fatal");
    assert.equal(fatal.exit, exit);
    assert.match(fatal.message, message);
  }
});

test("where no inode is left, or the file system is read-only, the broker's socket is refused with the cause, and may come later", (t) => {
  const disk = tinyDisk(t, 1_000_000, "nr_inodes=8");
  if (disk === undefined) return;
  const refused = (): FromChild | undefined => {
    const child = run({ socket: join(disk, "broker.sock") });
    assert.deepEqual(child.exits, [75]);
    return child.sent[0];
  };
  for (let nr = 0; nr < 8 && probeDirectory(disk) === undefined; nr += 1) writeFileSync(join(disk, `${nr}`), "");
  const full = refused();
  assert.match(full?.type === "fatal" ? full.message : "", /can't listen on the broker's socket .*ENOSPC.* Free space \(or inodes\)/);
  spawnSync("mount", ["-o", "remount,ro", disk]);
  const readOnly = refused();
  assert.match(readOnly?.type === "fatal" ? readOnly.message : "", /can't listen on the broker's socket .*EROFS.* writable again/);
});

test("a data directory that can't be written any more costs nothing but the next start", async () => {
  if (process.getuid?.() === 0) return; // root may write anywhere
  const broker = openBroker();
  serve(broker);
  chmodSync(join(folder, "snapshots"), 0o500);
  chmodSync(folder, 0o500);
  try {
    assert.equal((await worker().table("players")).snapshot.rowCount, 50);
  } finally {
    chmodSync(folder, 0o700);
    chmodSync(join(folder, "snapshots"), 0o700);
  }
});

test("a broker that starts on a full disk serves, says so, and writes again when there is room", async (t) => {
  const write = fs.writeFileSync;
  const { mock } = t.mock.method(fs, "writeFileSync", (...args: Parameters<typeof write>) => {
    if (String(args[0]).includes("broker.json"))
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    write(...args);
  });
  syncBuiltinESMExports();
  const broker = openBroker();
  mock.restore();
  syncBuiltinESMExports();
  serve(broker);
  assert.equal((await worker().table("players")).snapshot.rowCount, 50);
  assert.match(lines.join(""), /can't be written, the next broker will know less: ENOSPC/);
  await eventually("it is written", () => existsSync(join(folder, "broker.json")));
  await eventually("what could not be finished is gone", () => !readdirSync(folder).some((name) => name.startsWith("broker.json.")));
});
