import assert from "node:assert/strict";
import { appendFile, chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { pino } from "pino";
import { createEngine } from "../../../src/tools/emulator/engine/engine.ts";
import { journalPath, snapshotPath } from "../../../src/tools/emulator/files.ts";
import { encodeEntry, readJournal, type Entry } from "../../../src/tools/emulator/journal.ts";
import { Store, type StoreOptions } from "../../../src/tools/emulator/store.ts";
import type { EngineCall } from "../../../src/tools/emulator/engine.types.ts";
import { folder, silent } from "./world.ts";

const append = (id: string): EngineCall => ({
  method: "sheets.spreadsheets.values.append",
  path: { spreadsheetId: "b", range: "T" },
  query: { valueInputOption: ["RAW"] },
  body: { values: [[id]] },
});
const get: EngineCall = {
  method: "sheets.spreadsheets.values.get",
  path: { spreadsheetId: "b", range: "T" },
  query: {},
  body: undefined,
};

/** Stores that a test leaves as a crash would: their files stay open, and must not be closed by the collector. */
const left: Store[] = [];

async function open(dir: string, more: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await Store.open({
    dir,
    engine: createEngine,
    log: silent,
    onFailure: (e) => assert.fail(e),
    ...more,
  });
  left.push(store);
  if (store.call(get).answer.status === 404)
    await store.change((engine) => engine.seed("b", "B", [{ title: "T", rows: [] }]));
  return store;
}
const ids = (store: Store): string[] =>
  ((store.call(get).answer.body as { values?: string[][] }).values ?? []).map((r) => r[0] ?? "");
async function write(store: Store, names: readonly string[]): Promise<void> {
  await Promise.all(names.map(async (n) => store.call(append(n)).durable));
}

test("what is durable is there without a clean end", async () => {
  const dir = await folder();
  await write(await open(dir), ["a", "b", "c"]);
  assert.deepEqual(
    ids(await open(dir)),
    ["a", "b", "c"],
    "from the journal: the first store was never closed",
  );
});

test("calls of one turn share one flush; a read waits for the writes it has seen", async () => {
  const store = await open(await folder());
  const writes = Array.from({ length: 100 }, (_, i) => store.call(append(`r${i}`)).durable);
  const { durable } = store.call(get);
  assert.ok(durable !== undefined && durable === writes.at(-1));
  await durable;
  for (const write of writes) await write;
  assert.equal(store.call(get).durable, undefined, "nothing is under way");
});

test("a grown journal becomes a snapshot, and a clean end leaves no journal", async () => {
  const dir = await folder();
  const store = await open(dir, { logBytes: 500 });
  for (let i = 0; i < 20; i += 1) await write(store, [`r${i}`]);
  assert.ok((await stat(journalPath(dir))).size < 700);
  await store.close();
  assert.equal((await stat(journalPath(dir))).size, 0);
  assert.equal(ids(await open(dir)).length, 20);
});

test("a crash between snapshot and truncation applies nothing twice", async () => {
  const dir = await folder();
  const store = await open(dir);
  await write(store, ["a", "b"]);
  const journal = await readFile(journalPath(dir));
  await store.close();
  await writeFile(journalPath(dir), journal);
  const again = await open(dir);
  assert.deepEqual(ids(again), ["a", "b"]);
  await write(again, ["c"]);
  assert.deepEqual(ids(await open(dir)), ["a", "b", "c"]);
});

test("a torn tail is dropped at every length, and writing goes on after it", async () => {
  const dir = await folder();
  await write(await open(dir), ["a", "b"]);
  const whole = await readFile(journalPath(dir));
  const first = readJournal(whole.subarray(0, whole.length - 1)).good;
  for (const cut of [first, first + 1, first + 7, first + 11, first + 20, whole.length - 1]) {
    await writeFile(journalPath(dir), whole.subarray(0, cut));
    const store = await open(dir);
    assert.deepEqual(ids(store), ["a"], `cut at ${cut}`);
    await write(store, ["z"]);
    assert.deepEqual(ids(await open(dir)), ["a", "z"]);
  }
  assert.deepEqual(
    (await readdir(dir)).filter((f) => f.includes("corrupt")),
    [],
  );
});

test("a tail of zeros (a file system after a power cut) is a torn tail", async () => {
  const dir = await folder();
  await write(await open(dir), ["a"]);
  await appendFile(journalPath(dir), Buffer.alloc(4_096));
  assert.deepEqual(ids(await open(dir)), ["a"]);
});

test("a corrupt middle is said loudly; the rest is kept aside; the state ends before it", async () => {
  const dir = await folder();
  await write(await open(dir), ["a", "b", "c"]);
  const bytes = await readFile(journalPath(dir));
  const { good } = readJournal(bytes.subarray(0, bytes.length / 2));
  bytes[good + 20] = (bytes[good + 20] ?? 0) ^ 0xff;
  await writeFile(journalPath(dir), bytes);
  const lines: string[] = [];
  const store = await open(dir, {
    log: pino({ level: "error" }, { write: (line: string) => void lines.push(line) }),
  });
  assert.deepEqual(ids(store), ["a"]);
  assert.match(lines.join(""), /corrupt in the middle/);
  const aside = (await readdir(dir)).find((f) => f.includes(".corrupt-"));
  assert.ok(aside);
  assert.deepEqual(await readFile(join(dir, aside)), bytes.subarray(good));
  await write(store, ["d"]);
  assert.deepEqual(ids(await open(dir)), ["a", "d"]);
});

test("a damaged or missing snapshot is refused by name, and nothing is overwritten", async () => {
  const dir = await folder();
  const store = await open(dir);
  await write(store, ["a"]);
  await store.close();
  const good = await readFile(snapshotPath(dir));
  for (const bad of [
    good.subarray(0, good.length - 3),
    Buffer.from(""),
    Buffer.from("{}\n"),
    Buffer.from(good.toString().replace('"a"', '"b"')),
  ]) {
    await writeFile(snapshotPath(dir), bad);
    await assert.rejects(open(dir), /emulator\.state is damaged .*restore it from a backup/);
    assert.deepEqual(await readFile(snapshotPath(dir)), bad);
  }
  await writeFile(snapshotPath(dir), good);
  const next = await open(dir);
  await write(next, ["c"]);
  await rm(snapshotPath(dir));
  await assert.rejects(open(dir), /a file is missing/);
});

test(
  "a data directory that can't be used is refused by name",
  { skip: process.getuid?.() === 0 && "root may write anywhere" },
  async () => {
    const dir = await folder();
    await chmod(dir, 0o500);
    await assert.rejects(open(join(dir, "data")), /can't use .*data for the emulator's data/);
  },
);

test("a file in the directory's place is refused by name", async () => {
  const path = join(await folder(), "file");
  await writeFile(path, "");
  await assert.rejects(open(path), /can't use .*file for the emulator's data/);
});

test("when the disk fails nothing is acknowledged any more, and it is told once", async () => {
  const failures: Error[] = [];
  const dir = await folder();
  const store = await open(dir, { logBytes: 1, onFailure: (e) => failures.push(e) });
  await rm(dir, { recursive: true });
  const long = "a".repeat(5_000); // longer than the last snapshot: the journal asks for the next one
  await store.call(append(long)).durable; // the open file still takes it; the snapshot can't be written
  while (failures.length === 0) await new Promise(setImmediate);
  assert.throws(() => store.call(get), /can't write/);
  assert.throws(() => store.call(append("b")), /can't write/);
  assert.equal(failures.length, 1);
});

test("journal: any entries are read back; any cut gives a prefix; any flipped bit is noticed", () => {
  const entries = fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }).map((bodies) =>
    bodies.map((body, i): Entry => ({
      seq: i + 1,
      call: { method: "m", path: {}, query: {}, body: JSON.parse(JSON.stringify(body)) },
    })),
  );
  fc.assert(
    fc.property(entries, fc.nat(), fc.nat(), (all, cutAt, flipAt) => {
      const bytes = Buffer.concat(all.map(encodeEntry));
      assert.deepEqual(readJournal(bytes), { entries: all, good: bytes.length, rest: "none" });
      const cut = readJournal(bytes.subarray(0, cutAt % (bytes.length + 1)));
      assert.deepEqual(cut.entries, all.slice(0, cut.entries.length));
      assert.notEqual(cut.rest, "corrupt");
      if (bytes.length === 0) return;
      const flipped = Buffer.from(bytes);
      flipped[flipAt % bytes.length] = (flipped[flipAt % bytes.length] ?? 0) ^ 1;
      const reading = readJournal(flipped);
      assert.deepEqual(reading.entries, all.slice(0, reading.entries.length));
      assert.ok(reading.entries.length < all.length);
    }),
  );
});
