/** A disk that is full, and a damaged journal at the start: nothing is acknowledged that is not kept, and it is said. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { again, fill, ids, known, LARGE, TABS } from "./bad-disk-helper.ts";
import { book, type Told } from "./book.ts";
import { allLanded, get, ONE } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import { tinyDisk } from "../support/tiny-disk.ts";

test("a full disk: 507, nothing of it acknowledged, reads go on, what was acknowledged lands; with room again it takes more", async (t) => {
  const disk = tinyDisk(t, 6_000_000);
  if (disk === undefined) return;
  const it = await book(t, TABS, ONE, disk);
  await known(it);
  it.emulator.order("status=503,method=write,every=1");
  const ballast = join(disk, "ballast");
  const free = Number(spawnSync("df", ["--output=avail", "-B1", disk], { encoding: "utf8" }).stdout.trim().split("\n").at(-1));
  writeFileSync(ballast, Buffer.alloc(Math.max(0, free - 700_000)));
  const { status, code, taken } = await fill(it, 1);
  assert.deepEqual([status, code], [507, "disk"]);
  assert.ok(taken.length >= 1, `${taken.length}`);
  const listed = await get(`${it.daemon.url}/api/tables/notes?limit=1000`);
  assert.deepEqual([listed.status, (JSON.parse(listed.body) as { total: number }).total], [200, taken.length + 1]);
  const health = async (): Promise<unknown> => (JSON.parse((await get(`${it.daemon.url}/healthz`)).body) as { status: unknown }).status;
  await eventually("health says so", async () => (await health()) === "degraded");
  assert.match((await it.daemon.status()).upstream?.disk ?? "", /the journal's disk.*full/);
  spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "more")}`, "bs=4096"]); // to its last byte
  it.emulator.faults.clear();
  for (const write of taken) assert.equal((await it.ended(write)).state, "landed");
  rmSync(join(disk, "more"));
  rmSync(ballast);
  const more = await eventually("it takes again", async () => {
    const answer = await it.write("POST", "notes", { id: "again", note: "there is room" });
    return answer.status === 201 && (JSON.parse(answer.body.toString()) as { write: Told }).write;
  });
  assert.equal((await it.ended(more)).state, "landed");
  await eventually("health is well again", async () => (await health()) === "ok");
  assert.deepEqual(await ids(it), ["n0", ...taken.map(({ key }) => key), "again"]);
});

test("a damaged journal at the start: it starts, says so in the log and in status, and what could be read is in the sheet", async (t) => {
  const it = await book(t, TABS, ONE);
  await known(it);
  it.emulator.order("status=503,method=write,every=1");
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
});
