import assert from "node:assert/strict";
import fs, { readFileSync } from "node:fs";
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
import { eventually } from "../support/wait.ts";

const TABLES = 100;
const log = makeLogger({ role: "broker" }, "silent", { write() {} });

/** Counts how often broker.json is replaced, and by how many bytes. */
function counting(t: TestContext): { renames: number; bytes: number } {
  const count = { renames: 0, bytes: 0 };
  const rename = fs.renameSync;
  const mock = t.mock.method(fs, "renameSync", (from: string, to: string) => {
    if (to.endsWith("broker.json")) {
      count.renames += 1;
      count.bytes += readFileSync(from).length;
    }
    rename(from, to);
  });
  syncBuiltinESMExports();
  t.after(() => {
    mock.mock.restore();
    syncBuiltinESMExports();
  });
  return count;
}

interface File {
  readonly quota: { readonly spent: readonly number[] };
  readonly tables: Readonly<Record<string, { readonly checkedAt: number }>>;
}
const fileIn = (dir: string): File => JSON.parse(readFileSync(join(dir, "broker.json"), "utf8")) as File;

test("a hundred tables that are read at once are a few writes of broker.json, and all are in it at the end", async (t) => {
  const count = counting(t);
  const dataDir = temporaryFolder("store");
  const names = Array.from({ length: TABLES }, (_, i) => `t${i}`);
  const upstream: Upstream = {
    read: async (ranges) => {
      assert.ok(fileIn(dataDir).quota.spent.length > 0, "a call is counted on disk before it is made");
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
  assert.equal(Object.keys(fileIn(dataDir).tables).length, TABLES);
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
  store.close();
  assert.equal(openStore(dataDir, now, log).checked("a")?.hash, "last");
  const before = count.renames;
  store.keepChecked(checked("too late"));
  await new Promise((r) => setTimeout(r, ms(300)));
  assert.equal(count.renames, before);
});

test("a read of broker.json that fails once costs nothing", (t) => {
  const folder = temporaryFolder("store");
  const path = join(folder, "broker.json");
  const accepted = { identity: "journal", lsn: 7 };
  const first = openStore(folder, 1 as Timestamp, log);
  first.noteAccepted(accepted);
  first.keepReaders(1);
  first.close();
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
  second.close();
  assert.deepEqual(second.lastAccepted(), accepted);
});
