import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs, { readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { makeLogger } from "../../src/base/log.ts";
import { mebibytes, ms, perMinute, seconds, type Timestamp } from "../../src/base/units.ts";
import { Broker } from "../../src/broker/broker.ts";
import { openStore } from "../../src/broker/store.ts";
import type { Upstream } from "../../src/broker/upstream.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { temporaryFolder } from "../support/folder.ts";
import { needsStrace } from "../support/needs.ts";
import { eventually } from "../support/wait.ts";

const TABLES = 100;
const log = makeLogger({ role: "broker" }, "silent", { write() {} });

/** Counts how often broker.json is replaced, and by how many bytes. */
function counting(t: TestContext): { renames: number; bytes: number } {
  const count = { renames: 0, bytes: 0 };
  const counted = (from: unknown, to: unknown): void => {
    if (!String(to).endsWith("broker.json")) return;
    count.renames += 1;
    count.bytes += readFileSync(String(from)).length;
  };
  const { renameSync } = fs;
  const { rename } = fs.promises;
  const mocks = [
    t.mock.method(fs, "renameSync", (from: string, to: string) => (counted(from, to), renameSync(from, to))),
    t.mock.method(fs.promises, "rename", (from: string, to: string) => (counted(from, to), rename(from, to))),
  ];
  syncBuiltinESMExports();
  t.after(() => {
    for (const { mock } of mocks) mock.restore();
    syncBuiltinESMExports();
  });
  return count;
}

type Tables = Readonly<Record<string, { readonly checkedAt: number }>>;
const fileIn = (dir: string, name: string): unknown => JSON.parse(readFileSync(join(dir, name), "utf8"));
const tablesIn = (dir: string): Tables => (fileIn(dir, "broker.json") as { tables: Tables }).tables;
const spentIn = (dir: string): readonly number[] => (fileIn(dir, "quota.json") as { quota: { spent: readonly number[] } }).quota.spent;

test("a hundred tables that are read at once are a few writes of broker.json, and all are in it at the end", async (t) => {
  const count = counting(t);
  const dataDir = temporaryFolder("store");
  const names = Array.from({ length: TABLES }, (_, i) => `t${i}`);
  const upstream: Upstream = {
    read: async (ranges) => {
      assert.ok(spentIn(dataDir).length > 0, "a call is counted on disk before it is made");
      return { is: "ok", value: ranges.map(() => [["id"], ["r1"]]) };
    },
    tabs: () => Promise.resolve({ is: "ok", value: names }),
    close: () => {},
  };
  const tables = parseTables(JSON.stringify({ tables: Object.fromEntries(names.map((name) => [name, {}])) }), "f", seconds(30));
  const options = { spreadsheetId: "s", tables, ttl: seconds(30), readsPerMinute: perMinute(600), dataDir, journalSize: mebibytes(1) };
  const broker = new Broker({ ...options, upstream, clock: systemClock, log });
  broker.start();
  assert.deepEqual(new Set(await Promise.all(names.map((name) => broker.want(name)))), new Set([undefined]));
  await broker.close();
  t.diagnostic(`${TABLES} tables: broker.json was replaced ${count.renames} times, ${count.bytes} bytes`);
  assert.ok(count.renames <= 10, `${count.renames} renames`);
  assert.equal(Object.keys(tablesIn(dataDir)).length, TABLES);
});

test("what a store keeps late is on disk soon without another change, and at once when it is closed; later it writes nothing", async (t) => {
  const count = counting(t);
  const dataDir = temporaryFolder("store");
  const now = systemClock.wall();
  const store = openStore(dataDir, now, log);
  const checked = (hash: string) => new Map([["a", { hash, checkedAt: 7 as Timestamp }]]);
  for (let i = 0; i < 50; i += 1) store.keepChecked(checked(`h${i}`));
  assert.equal(count.renames, 1, "nothing yet but its beginning");
  await eventually("it is on disk", () => count.renames >= 2);
  assert.equal(count.renames, 2);
  assert.equal(openStore(dataDir, now, log).checked("a")?.hash, "h49");
  store.keepChecked(checked("last"));
  await store.close();
  assert.equal(openStore(dataDir, now, log).checked("a")?.hash, "last");
  const before = count.renames;
  store.keepChecked(checked("too late"));
  await new Promise((r) => setTimeout(r, ms(300)));
  assert.equal(count.renames, before);
});

test("a read of broker.json that fails once costs nothing", async (t) => {
  const folder = temporaryFolder("store");
  const path = join(folder, "broker.json");
  const accepted = { identity: "journal", lsn: 7 };
  const first = openStore(folder, 1 as Timestamp, log);
  first.noteAccepted(accepted);
  await first.close();
  const read = fs.readFileSync;
  let failures = 1;
  const mock = t.mock.method(fs, "readFileSync", (...args: Parameters<typeof read>) => {
    if (args[0] === path && (failures -= 1) >= 0) throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    return read(...args);
  });
  syncBuiltinESMExports();
  t.after(() => {
    mock.mock.restore();
    syncBuiltinESMExports();
  });
  const second = openStore(folder, 2 as Timestamp, log);
  await second.close();
  assert.deepEqual(second.lastAccepted(), accepted);
});

test("the last write that was accepted is on disk within a second or so, without any other change", async (t) => {
  const count = counting(t);
  const folder = temporaryFolder("store");
  const store = openStore(folder, 1 as Timestamp, log);
  for (let lsn = 1; lsn <= 50; lsn += 1) store.noteAccepted({ identity: "journal", lsn });
  await eventually("it is on disk", () => count.renames >= 2);
  assert.deepEqual((fileIn(folder, "broker.json") as { lastAccepted: unknown }).lastAccepted, { identity: "journal", lsn: 50 });
  await store.close();
  assert.equal(count.renames, 2);
});

test("what comes while the file is written is on disk when the store is closed", async () => {
  const folder = temporaryFolder("store");
  const store = openStore(folder, 1 as Timestamp, log);
  store.keepReaders(1);
  await new Promise((resolve) => setTimeout(resolve, 1)); // the first one is under way, or done
  store.keepReaders(2);
  await store.close();
  assert.equal((fileIn(folder, "broker.json") as { readers: unknown }).readers, 2);
});

test("the quota that an older drover counted in broker.json is taken over", async () => {
  const folder = temporaryFolder("store");
  const spent = [1_790_000_000_000];
  writeFileSync(
    join(folder, "broker.json"),
    JSON.stringify({ epoch: 3, quota: { spent, lockedUntil: 5 }, writeQuota: { spent, lockedUntil: 0 } }),
  );
  const store = openStore(folder, 1 as Timestamp, log);
  assert.deepEqual([store.quota(), store.writeQuota().spent], [{ spent, lockedUntil: 5 }, spent]);
  await store.close();
});

test("what is in broker.json is on the disk before it has its name", { skip: needsStrace() }, () => {
  const folder = temporaryFolder("store");
  const store = new URL("../../src/broker/store.ts", import.meta.url).href;
  const program = `
    import { openStore } from ${JSON.stringify(store)};
    const store = openStore(${JSON.stringify(folder)}, 1, { warn() {}, error() {} });
    store.noteAccepted({ identity: "journal", lsn: 7 });
    await store.close();`;
  const trace = join(folder, "trace");
  const args = [
    "-f",
    "-y",
    "-o",
    trace,
    "-e",
    "trace=fsync,fdatasync,rename,renameat,renameat2",
    process.execPath,
    "--input-type=module",
    "-e",
    program,
  ];
  assert.equal(spawnSync("strace", args, { encoding: "utf8", timeout: 60_000 }).status, 0);
  const calls = readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => line.includes("broker.json"))
    .map((line) => (/ f(data)?sync\(/.test(line) ? "synced" : "named"));
  assert.deepEqual(calls, ["synced", "named", "synced", "named"], "at the start, and with the write that was accepted");
});
