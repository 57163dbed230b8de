/** A disk that is full or fails: nothing is acknowledged that is not there, what was there can be read, and it recovers by itself. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { mebibytes } from "../../../src/base/units.ts";
import type { Journal } from "../../../src/broker/journal/journal.ts";
import { needsStrace } from "../../support/needs.ts";
import { fillUp, tinyDisk } from "../../support/tiny-disk.ts";
import { addOne, batch, entry, folder, open, settlement } from "./world.ts";
import { eventually } from "../../support/wait.ts";

const large = (): { entries: [ReturnType<typeof entry>] } => ({ entries: [entry({ values: { text: "x".repeat(20_000) } })] });

/** Adds until the disk is full. @returns how many were taken. */
async function fill(journal: Journal): Promise<number> {
  for (let taken = 0; ; taken += 1) {
    const { is } = await journal.add(large());
    if (is === "disk") return taken;
    assert.equal(is, "added");
  }
}

const takesAgain = (journal: Journal): Promise<boolean> =>
  eventually("it recovers", async () => (await journal.add({ entries: [entry()] })).is === "added");

test("a database that may not grow: disk, and again when something has landed", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir, { mostPages: 120 });
  const first = await addOne(journal);
  const taken = await fill(journal);
  assert.ok(taken > 5, `${taken}`);
  assert.deepEqual((await journal.find(first.id))?.state, "journaled", "what is there is read");
  const lsns = Array.from({ length: taken + 1 }, (_, i) => i + 1);
  await journal.settle(1, settlement({ landed: lsns.slice(0, 5) }));
  await takesAgain(journal);
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.equal(recovered.damage, undefined);
  assert.equal(recovered.entries.length, taken + 1 - 5 + 1);
});

test("a full disk: never acknowledged, read on, and taken again when there is room", { timeout: 60_000 }, async (t) => {
  const disk = tinyDisk(t, 3_000_000);
  if (disk === undefined) return;
  const dir = join(disk, "data");
  mkdirSync(dir);
  writeFileSync(join(disk, "ballast"), Buffer.alloc(1_500_000));
  const journal = await open(t, dir);
  const first = await addOne(journal);
  const taken = await fill(journal);
  assert.ok(taken > 2, `${taken}`);
  assert.equal((await journal.add(large())).is, "disk");
  assert.equal((await journal.find(first.id))?.state, "journaled");
  await journal.seal(batch(1, [1]), 5).catch((e: unknown) => assert.match(String(e), /full/));
  rmSync(join(disk, "ballast"));
  const freed = performance.now();
  await takesAgain(journal);
  t.diagnostic(`taken again ${(performance.now() - freed).toFixed(0)} ms after there was room`);
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.equal(recovered.damage, undefined);
  assert.equal(recovered.entries.length, taken + 2);
});

test("no room for even a new journal: refused, and later opened", async (t) => {
  const disk = tinyDisk(t, 1_000_000);
  if (disk === undefined) return;
  const free = fillUp(disk);
  await assert.rejects(open(t, disk), { code: "DROVER_E_DISK", exit: 75, message: /journal\.db can't be opened: .*full.*Free space/ });
  free();
  await addOne(await open(t, disk));
});

for (const how of ["closed", "killed"] as const)
  test(`a journal whose broker was ${how} opens on a full disk: reads work, writes are refused until there is room`, async (t) => {
    const disk = tinyDisk(t, 2_000_000);
    if (disk === undefined) return;
    const [first, dir] = [join(disk, "first"), join(disk, "data")];
    for (const made of [first, dir]) mkdirSync(made);
    const before = await open(t, first);
    const entries = [await addOne(before), await addOne(before)];
    if (how === "closed") await before.close();
    for (const name of readdirSync(first)) copyFileSync(join(first, name), join(dir, name));
    const free = fillUp(disk);
    const journal = await open(t, dir);
    assert.deepEqual(
      journal.recovered.entries.map(({ id }) => id),
      entries.map(({ id }) => id),
    );
    assert.equal((await journal.find(entries[0]?.id ?? ""))?.state, "journaled");
    assert.equal((await journal.add(large())).is, "disk");
    free();
    await takesAgain(journal);
    await journal.close();
    assert.equal((await open(t, dir)).recovered.damage, undefined);
  });

const ROOM = { reserve: mebibytes(12) };

/** Sends and settles all that waits, as the flusher does: some at a time. */
async function drain(journal: Journal, lsns: readonly number[], each: number, first = 1): Promise<void> {
  for (let from = 0, nr = first; from < lsns.length; from += each, nr += 1) {
    const part = lsns.slice(from, from + each);
    await journal.seal(batch(nr, part, { body: Buffer.alloc(each * 16_000, "b") }), 5_000 + nr);
    await journal.sent(nr, 5 as never);
    await journal.settle(nr, settlement({ landed: part }));
  }
}

for (const restart of [false, true])
  test(
    `a disk that the journal itself has filled to its last byte: all that was acknowledged is sent and settled${restart ? ", after a restart, too" : ""}, the file shrinks, and more is taken`,
    { timeout: 120_000 },
    async (t) => {
      const disk = tinyDisk(t, 12_000_000);
      if (disk === undefined) return;
      const dir = join(disk, "data");
      mkdirSync(dir);
      let journal = await open(t, dir, ROOM);
      const lsns: number[] = [];
      for (;;) {
        const added = await journal.add({ entries: [entry({ values: { text: "x".repeat(15_000) } })] });
        if (added.is === "disk") break;
        lsns.push(...(added.is === "added" ? added.entries : []).map(({ lsn }) => lsn));
      }
      assert.ok(lsns.length > 300, `${lsns.length}`);
      fillUp(disk); // whatever else is on it leaves nothing, either
      if (restart) {
        await journal.close();
        journal = await open(t, dir, ROOM);
      }
      const full = statSync(join(dir, "journal.db")).size;
      await drain(journal, lsns.slice(0, 60), 60);
      // What these have freed is less than the room, however late this test looks.
      assert.match(journal.trouble ?? "", /full/);
      assert.equal((await journal.add({ entries: [entry()] })).is, "disk", "the room is not there again");
      await drain(journal, lsns.slice(60), 60, 2);
      t.diagnostic(`${lsns.length} writes landed on a full disk`);
      await takesAgain(journal);
      await eventually("the trouble is over", () => journal.trouble === undefined);
      const { size } = statSync(join(dir, "journal.db"));
      t.diagnostic(`journal.db had ${full} bytes, and has ${size}`);
      assert.ok(size < full, `${size} of ${full}`);
      await journal.close();
      const { recovered } = await open(t, dir);
      assert.deepEqual([recovered.damage, recovered.entries.length], [undefined, 1]);
    },
  );

test("without the room for settling what would be acknowledged, nothing is", async (t) => {
  const disk = tinyDisk(t, 4_000_000);
  if (disk === undefined) return;
  const dir = join(disk, "data");
  mkdirSync(dir);
  await (await open(t, dir, ROOM)).close();
  rmSync(join(dir, "journal.reserve"));
  writeFileSync(join(disk, "ballast"), Buffer.alloc(3_000_000));
  const journal = await open(t, dir, ROOM);
  assert.equal((await journal.add({ entries: [entry()] })).is, "disk");
  assert.match(journal.trouble ?? "", /the journal's disk is full.*Free space/);
  rmSync(join(disk, "ballast"));
  await takesAgain(journal);
  const { size } = statSync(join(dir, "journal.reserve"));
  assert.ok(Math.abs(size - 1_000_000) < 4_096, `a quarter of the disk: ${size}`);
});

const STRACE = needsStrace();

/** @param inject what strace does to the thread's system calls. @returns the writes that were acknowledged, and those that were not. */
function under(inject: string, dir: string): { added: Set<string>; refused: Map<string, string>; code: number | null } {
  const child = fileURLToPath(new URL("./disk-child.ts", import.meta.url));
  const args = [
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    "trace=fdatasync,fsync",
    "-e",
    `inject=${inject}`,
    process.execPath,
    child,
    dir,
    "80",
  ];
  const { stdout, status } = spawnSync("strace", args, { encoding: "utf8", timeout: 60_000 });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  return {
    added: new Set(lines.flatMap(([is, id = ""]) => (is === "added" ? [id] : []))),
    refused: new Map(lines.flatMap(([is, id = "", ...why]): [string, string][] => (is === "added" ? [] : [[id, why.join(" ")]]))),
    code: status,
  };
}

test("the disk fails three times to sync: those writes are refused, the others are there", { timeout: 90_000, skip: STRACE }, async (t) => {
  const dir = folder(t);
  await (await open(t, dir)).close();
  const { added, refused } = under("fsync,fdatasync:error=EIO:when=30..32", dir);
  t.diagnostic(`${added.size} added, ${refused.size} refused: ${[...refused.values()][0] ?? "none"}`);
  assert.ok(added.size > 60 && refused.size > 0, `${added.size} ${refused.size}`);
  const { recovered } = await open(t, dir);
  assert.equal(recovered.damage, undefined);
  const there = new Set(recovered.entries.map(({ id }) => id));
  assert.deepEqual(
    [...added].filter((id) => !there.has(id)),
    [],
    "acknowledged, and lost",
  );
  assert.deepEqual(
    [...refused.keys()].filter((id) => there.has(id)),
    [],
    "refused, and there",
  );
});
