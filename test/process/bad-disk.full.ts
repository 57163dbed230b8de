/** A journal that is full, and starts on a disk that is full or read-only. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { keysOf } from "../../src/cli/session-key.ts";
import { again, fill, ids, known, LARGE, TABS } from "./bad-disk-helper.ts";
import { book } from "./book.ts";
import { get, ONE, start, type Daemon } from "./harness.ts";
import { request, type Reply } from "../tools/emulator/world.ts";
import { fillUp, tinyDisk } from "../support/tiny-disk.ts";
import { eventually } from "../support/wait.ts";

test("a full journal: 503 with Retry-After, nothing of it acknowledged, and all that was is in the sheet once Google is back", async (t) => {
  const it = await book(t, TABS, { ...ONE, DROVER_JOURNAL_SIZE: "1m" });
  await known(it);
  it.emulator.order("status=503,method=write,every=1");
  const { status, code, retryAfter, taken } = await fill(it, 1);
  assert.deepEqual([status, code, Number(retryAfter) >= 1], [503, "full", true]);
  assert.ok(taken.length >= 10, `${taken.length}`);
  const small = await it.write("POST", "notes", { id: "small", note: LARGE });
  assert.equal(small.status, 503);
  const listed = JSON.parse((await get(`${it.daemon.url}/api/tables/notes?limit=1000`)).body) as { total: number };
  assert.equal(listed.total, taken.length + 1, "who reads sees what was acknowledged, and nothing else");
  it.emulator.faults.clear();
  for (const write of taken) assert.equal((await it.ended(write)).state, "landed");
  assert.deepEqual(await ids(it), ["n0", ...taken.map(({ key }) => key)]);
  assert.equal((await it.write("POST", "notes", { id: "again", note: "there is room" })).status, 201);
});

test("a restart on a full disk: reads are served, writes get 507, and are accepted within 5 s once there is room", async (t) => {
  const disk = tinyDisk(t, 12_000_000);
  if (disk === undefined) return;
  const it = await book(t, TABS, ONE, disk);
  await known(it);
  it.emulator.order("status=503,method=write,every=1");
  await it.taken("POST", "notes", { id: "n1", note: "before" });
  const broker = (await it.daemon.status()).places.find(({ role }) => role === "broker")?.child?.pid;
  assert.ok(broker);
  process.kill(broker, "SIGKILL"); // leaves a WAL with the write in it
  await it.daemon.stop("SIGKILL").catch(() => {});
  const freeFirst = fillUp(disk);
  const killed = await again(t, it);
  const rows = async (daemon: Daemon): Promise<number> => {
    const { status, body } = await get(`${daemon.url}/api/tables/notes`);
    return status === 200 ? (JSON.parse(body) as { total: number }).total : -status;
  };
  assert.equal(await rows(killed), 2, "with the accepted write");
  const write = async (daemon: Daemon, id: string): Promise<Reply> =>
    request(`${daemon.url}/api/tables/notes`, "POST", { "content-type": "application/json" }, JSON.stringify({ id, note: LARGE }));
  let refused: Reply | undefined; // a stopped daemon may have left some room
  for (let nr = 0; nr < 100 && refused?.status !== 507; nr += 1) refused = await write(killed, `m${nr}`);
  assert.equal(refused?.status, 507);
  freeFirst();
  const freed = performance.now();
  await eventually("it accepts", async () => (await write(killed, "n3")).status === 201);
  t.diagnostic(`accepted ${(performance.now() - freed).toFixed(0)} ms after there was room`);
  await killed.stop();
  rmSync(join(disk, "var/journal.db")); // a journal has to be made: reads go on without one
  const free = fillUp(disk);
  const fresh = await again(t, it);
  assert.ok((await rows(fresh)) > 0, "reads are served");
  assert.equal((await write(fresh, "n4")).status, 507);
  free();
  const since = performance.now();
  await eventually("it accepts", async () => (await write(fresh, "n5")).status === 201);
  t.diagnostic(`without a journal: accepted ${(performance.now() - since).toFixed(0)} ms after there was room`);
});

test("a start on a read-only file system, or without room for the first files: one clear line, exit 75", async (t) => {
  const disk = tinyDisk(t, 1_000_000);
  if (disk === undefined) return;
  const refusal = async (): Promise<string> => {
    const daemon = await start(t, { cwd: disk, env: ONE, noWait: true });
    assert.equal((await daemon.exited).code, 75, daemon.stderr);
    return daemon.stderr;
  };
  mkdirSync(join(disk, "var"));
  spawnSync("mount", ["-o", "remount,ro", disk]);
  assert.match(await refusal(), /^drover: DROVER_DATA_DIR: .*var can't be used: EROFS.*\. Make the file system writable again\n$/);
  spawnSync("mount", ["-o", "remount,rw", disk]);
  fillUp(disk);
  assert.match(await refusal(), /ENOSPC.*\. Free space/);
  assert.throws(() => keysOf(join(disk, "var")), { code: "DROVER_E_DISK", message: /session\.key can't be read or made: ENOSPC/ });
  assert.deepEqual(
    readdirSync(join(disk, "var")).filter((name) => name.startsWith("session")),
    [],
  );
});
