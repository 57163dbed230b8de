/** A journal that is full, a disk that is, and a damaged file at the start: nothing is acknowledged that is not kept, and it is said. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { allLanded, get, ONE, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import { keysOf } from "../../src/cli/session-key.ts";
import { book, type Book, type Told } from "./book.ts";
import { request, type Reply } from "../emulator/world.ts";
import { fillUp, tinyDisk } from "../tiny-disk.ts";

const HEADER = ["id", "note"];
const TABS = { notes: { rows: [HEADER, ["n0", "first"]] } };
const LARGE = "x".repeat(40_000);
const known = (it: Book): Promise<boolean> =>
  eventually("rows are known", async () => (await get(`${it.daemon.url}/api/tables/notes`)).status === 200);

/** Writes until one is refused. @returns the refusal, and what was taken. */
async function fill(it: Book, first: number): Promise<{ status: number; code: string; retryAfter: string | undefined; taken: Told[] }> {
  const taken: Told[] = [];
  for (let nr = first; nr < first + 2_000; nr += 1) {
    const { status, body, headers } = await it.write("POST", "notes", { id: `n${nr}`, note: LARGE });
    const answer = JSON.parse(body.toString()) as { write: Told; code: string };
    if (status !== 201) return { status, code: answer.code, retryAfter: headers["retry-after"], taken };
    taken.push(answer.write);
  }
  return assert.fail("it is never full");
}

const ids = async (it: Book): Promise<string[]> => (await it.rows("notes")).slice(1).map(([id]) => String(id));

test(
  "a full journal: 503 with Retry-After, nothing of it acknowledged, and all that was is in the sheet once Google is back",
  { timeout: 90_000 },
  async (t) => {
    const it = await book(t, TABS, { ...ONE, DROVER_JOURNAL_SIZE: "1m" });
    await known(it);
    it.emulator.faults.arm({ kind: "status", status: 503, method: "write", applied: false, every: 1 });
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
  },
);

test(
  "a full disk: 507, nothing of it acknowledged, reads go on; with room again it takes and keeps all",
  { timeout: 90_000 },
  async (t) => {
    const disk = tinyDisk(t, 6_000_000);
    if (disk === undefined) return;
    const it = await book(t, TABS, ONE, disk);
    await known(it);
    it.emulator.faults.arm({ kind: "status", status: 503, method: "write", applied: false, every: 1 });
    const ballast = join(disk, "ballast");
    const free = Number(spawnSync("df", ["--output=avail", "-B1", disk], { encoding: "utf8" }).stdout.trim().split("\n").at(-1));
    writeFileSync(ballast, Buffer.alloc(Math.max(0, free - 700_000)));
    const { status, code, taken } = await fill(it, 1);
    assert.deepEqual([status, code], [507, "disk"]);
    assert.ok(taken.length >= 1, `${taken.length}`);
    const listed = await get(`${it.daemon.url}/api/tables/notes?limit=1000`);
    assert.deepEqual([listed.status, (JSON.parse(listed.body) as { total: number }).total], [200, taken.length + 1]);
    rmSync(ballast);
    const more = await eventually("it takes again", async () => {
      const answer = await it.write("POST", "notes", { id: "again", note: "there is room" });
      return answer.status === 201 && (JSON.parse(answer.body.toString()) as { write: Told }).write;
    });
    it.emulator.faults.clear();
    for (const write of [...taken, more]) assert.equal((await it.ended(write)).state, "landed");
    assert.deepEqual(await ids(it), ["n0", ...taken.map(({ key }) => key), "again"]);
  },
);

test(
  "a restart on a full disk: reads are served, writes get 507, and are accepted within 5 s once there is room",
  { timeout: 90_000 },
  async (t) => {
    const disk = tinyDisk(t, 12_000_000);
    if (disk === undefined) return;
    const it = await book(t, TABS, ONE, disk);
    await known(it);
    it.emulator.faults.arm({ kind: "status", status: 503, method: "write", applied: false, every: 1 });
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
  },
);

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

test(
  "a damaged journal at the start: it starts, says so in the log and in status, and what could be read is in the sheet",
  { timeout: 90_000 },
  async (t) => {
    const it = await book(t, TABS, ONE);
    await known(it);
    it.emulator.faults.arm({ kind: "status", status: 503, method: "write", applied: false, every: 1 });
    const taken: Told[] = [];
    for (let nr = 1; nr <= 20; nr += 1) taken.push(await it.taken("POST", "notes", { id: `n${nr}`, note: LARGE }));
    await it.daemon.stop();
    const file = join(it.daemon.dir, "var/journal.db");
    const fd = openSync(file, "r+");
    writeSync(fd, Buffer.alloc(2_048, 0x5a), 0, 2_048, Math.floor(statSync(file).size / 2 / 4_096) * 4_096 + 1_000);
    closeSync(fd);
    it.emulator.faults.clear();
    const { lastAccepted } = JSON.parse(readFileSync(join(it.daemon.dir, "var/broker.json"), "utf8")) as { lastAccepted?: { lsn: number } };
    assert.ok((lastAccepted?.lsn ?? 0) >= 1, "the broker notes outside the journal how far it had come");
    const daemon = await again(t, it);
    const { writes } = (await eventually("status tells", async () => {
      const { upstream } = await daemon.status();
      return upstream?.writes?.damage !== undefined && upstream;
    })) as { writes: { damage: string } };
    assert.match(writes.damage, /put aside as journal\.damaged-/);
    assert.match(writes.damage, /the last number found is 20, and whether later writes were acknowledged is not known/);
    assert.ok(daemon.log().some(({ msg }) => String(msg) === writes.damage));
    assert.ok(
      readdirSync(join(daemon.dir, "var")).some((name) => name.startsWith("journal") && name.includes("damaged")),
      "put aside, not thrown away",
    );
    t.diagnostic(writes.damage);
    await allLanded(daemon);
    const there = await ids(it);
    assert.equal(new Set(there).size, there.length, "none twice");
    assert.ok(there.length >= 18, `${there.length} of 21`);
  },
);

const again = async (t: TestContext, it: Book): Promise<Daemon> => await start(t, { cwd: it.daemon.dir, env: it.env });
