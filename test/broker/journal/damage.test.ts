/** Damaged files: the journal always starts, says so, and never hands out a write that was altered. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { META } from "../../../src/broker/journal/database.ts";
import type { Journal } from "../../../src/broker/journal/journal.ts";
import { openPages, rowsSeen } from "../../../src/broker/journal/search.ts";
import { readWal } from "../../../src/broker/journal/wal.ts";
import { times } from "../../support/times.ts";
import { addOne, batch, entry, folder, open, settlement } from "./world.ts";
import { seed } from "../../support/seed.ts";

const SEED = seed("damage to the journal");

/** mulberry32: the same damage for the same seed. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What stands in a journal, as text by kind and number. */
function contents({ recovered }: Journal): Map<string, string> {
  return new Map([
    ...recovered.entries.map((row): [string, string] => [`entry ${row.lsn}`, JSON.stringify(row)]),
    ...recovered.batches.map((row): [string, string] => [
      `batch ${row.nr}`,
      JSON.stringify({ ...row, sentAt: undefined, body: Buffer.from(row.body).toString("base64") }),
    ]),
    ...recovered.fences.map((row): [string, string] => [`fence ${row.id}`, JSON.stringify(row)]),
    ...recovered.tags.map((row): [string, string] => [`tag ${row.id}`, JSON.stringify(row)]),
  ]);
}

interface Sample {
  readonly dir: string;
  readonly rows: Map<string, string>;
  readonly settled: number[];
}

/** Runs `make` once for all tests of this file. Tests damage copies of what it made. */
function shared<T extends { readonly dir: string }>(make: (t: TestContext) => Promise<T>): (t: TestContext) => Promise<T> {
  let made: Promise<T> | undefined;
  return async (t) => {
    const found = await (made ??= make(t).then((one) => ({ ...one, dir: kept(one.dir) })));
    return { ...found, dir: copy(t, found.dir) };
  };
}

/** A copy that is removed when this process ends. */
function kept(dir: string): string {
  const to = mkdtempSync(join(tmpdir(), "drover-journal-"));
  process.once("exit", () => rmSync(to, { recursive: true, force: true }));
  cpSync(dir, to, { recursive: true });
  return to;
}

/** A journal with everything in it: `closed` has all in the database, else the second half is in the WAL alone. */
async function makeSample(t: TestContext, closed: boolean): Promise<Sample> {
  const work = folder(t);
  const dir = folder(t);
  let journal = await open(t, work);
  for (let i = 0; i < 40; i += 1) await addOne(journal, { values: { text: "x".repeat(i % 9 === 0 ? 9_000 : 30) } });
  await journal.keepTags([{ id: 5, table: "t", key: "k", usedAt: 0 as never }], [], 9);
  await journal.seal(batch(1, [1, 2, 3]), 10);
  await journal.settle(1, settlement({ landed: [1, 2, 3] }));
  await journal.close();
  journal = await open(t, work);
  for (let i = 0; i < 40; i += 1) await addOne(journal, { values: { text: "y".repeat(i % 9 === 0 ? 9_000 : 30) } });
  await journal.seal(batch(2, [4, 5], { body: Buffer.alloc(20_000, "z") }), 11);
  await journal.sent(2, 5 as never);
  await journal.seal(batch(3, [6, 7]), 11);
  await journal.settle(3, settlement({ landed: [6, 7] }));
  if (closed) await journal.close();
  for (const name of readdirSync(work)) copyFileSync(join(work, name), join(dir, name));
  if (!closed) await journal.close();
  const whole = await open(t, work);
  const rows = contents(whole);
  await whole.close();
  return { dir, rows, settled: [1, 2, 3, 6, 7] };
}
const atRest = shared((t) => makeSample(t, true));
const halfInWal = shared((t) => makeSample(t, false));

function copy(t: TestContext, from: string): string {
  const to = folder(t);
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
  return to;
}

interface Outcome {
  readonly kept: number;
  readonly damage: string | undefined;
}

/**
 * Opens it, and judges.
 * @param tail the end of the WAL may be gone without a trace, as after a loss of power: what is there is an older state, nothing else.
 */
async function judge(
  t: TestContext,
  dir: string,
  { rows, settled }: { rows: Map<string, string>; settled: number[] },
  tail = false,
): Promise<Outcome> {
  const journal = await open(t, dir);
  const found = contents(journal);
  const older = tail && journal.recovered.damage === undefined && [...rows.keys()].some((name) => !found.has(name));
  if (older) {
    const lsns = journal.recovered.entries.map(({ lsn }) => lsn).filter((lsn) => lsn !== 6 && lsn !== 7);
    assert.deepEqual(
      lsns,
      Array.from(lsns, (_, i) => i + 4 + (i > 1 ? 2 : 0)),
      "the oldest are there, without a gap",
    );
  }
  for (const [name, text] of found) {
    // Those that had landed may wait again only where their landing is what was lost, and that is said.
    if (settled.some((lsn) => name === `entry ${lsn}`)) assert.ok(older || journal.recovered.damage !== undefined, `${name} waits again`);
    else if (rows.has(name)) assert.equal(text, rows.get(name), name);
    else assert.ok(/^(batch|fence)/.test(name), `${name} was never there`);
  }
  const next = await addOne(journal);
  assert.ok(older || !rows.has(`entry ${next.lsn}`), `number ${next.lsn} was given before`);
  await journal.close();
  const again = await open(t, dir);
  assert.equal(again.recovered.damage, undefined, "the new journal is whole");
  assert.equal(again.recovered.entries.length, journal.recovered.entries.length + 1);
  await again.close();
  return { kept: [...rows.keys()].filter((name) => found.has(name)).length, damage: journal.recovered.damage };
}

const FLIPS = times(4);
for (const closed of [true, false])
  test(
    `${FLIPS} bit flips, ${closed ? "in a journal at rest" : "half of it in the WAL"} (SEED=${SEED})`,
    { timeout: times(170_000) },
    async (t) => {
      const origin = await (closed ? atRest(t) : halfInWal(t));
      const chance = random(SEED);
      const file = closed ? "journal.db" : "journal.db-wal";
      const size = statSync(join(origin.dir, file)).size;
      let kept = 0;
      let said = 0;
      let silent = 0;
      for (let i = 0; i < FLIPS; i += 1) {
        const dir = copy(t, origin.dir);
        const bytes = readFileSync(join(dir, file));
        const at = i < 20 && i % 2 === 0 ? i * 5 : Math.floor(chance() * size); // half of the first ones in the header
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(chance() * 8));
        writeFileSync(join(dir, file), bytes);
        const outcome = await judge(t, dir, origin, !closed);
        kept += outcome.kept;
        if (outcome.damage !== undefined) said += 1;
        else if (outcome.kept < origin.rows.size) silent += 1;
        if (outcome.damage === undefined && outcome.kept < origin.rows.size) t.diagnostic(`silent: byte ${at} of ${size}`);
      }
      t.diagnostic(
        `of ${origin.rows.size} rows ${(kept / FLIPS).toFixed(1)} were kept on average; said ${said} times, silent loss ${silent} times`,
      );
      assert.ok(kept / FLIPS > origin.rows.size * 0.8, "a flipped bit costs a page at most");
      assert.ok(silent <= 3, "only in the last commit of the WAL may it look like a loss of power");
    },
  );

const CUTS = times(4);

test("truncated anywhere", { timeout: times(120_000) }, async (t) => {
  for (const closed of [true, false]) {
    const origin = await (closed ? atRest(t) : halfInWal(t));
    const file = closed ? "journal.db" : "journal.db-wal";
    const size = statSync(join(origin.dir, file)).size;
    for (let i = 0; i < CUTS; i += 1) {
      const dir = copy(t, origin.dir);
      truncateSync(join(dir, file), i === 0 ? 0 : Math.floor((size * i) / CUTS) + (i % 3) - 1);
      await judge(t, dir, origin, !closed);
    }
  }
});

/** A journal in which `count` writes wait; the last one is large, so that the file ends with a page of it alone. */
const waitingIn = (count: number, state: "at rest" | "killed") =>
  shared(async (t): Promise<{ dir: string; count: number }> => {
    const [work, dir] = [folder(t), folder(t)];
    const journal = await open(t, work);
    for (let i = 1; i < count; i += 1) await addOne(journal, { values: { text: "x".repeat(i % 9 === 0 ? 900 : 30) } });
    await addOne(journal, { values: { text: "y".repeat(9_000) } });
    await journal.close();
    const next = await open(t, work);
    if (state === "killed") await next.seal(batch(1, [count]), 5); // stands in the WAL alone
    for (const name of readdirSync(work)) if (state === "killed" || name === "journal.db") copyFileSync(join(work, name), join(dir, name));
    return { dir, count };
  });

/** Opens what is left of it: what is whole waits and lands, what is not is said, and more is taken. */
async function judgeCut(t: TestContext, origin: { dir: string; count: number }, cut: number): Promise<void> {
  const dir = copy(t, origin.dir);
  const path = join(dir, "journal.db");
  truncateSync(path, statSync(path).size - cut);
  const journal = await open(t, dir);
  const { entries, damage } = journal.recovered;
  assert.match(damage ?? "", /it has \d+ bytes and must have \d+.*: \d+ writes that wait were kept/, `${cut} bytes`);
  assert.ok(entries.length >= origin.count - 1, `${cut} bytes: ${entries.length} of ${origin.count} writes are left`);
  await addOne(journal);
  await journal.settle(undefined, settlement({ landed: entries.map(({ lsn }) => lsn) }));
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.deepEqual([recovered.entries.length, recovered.damage], [1, undefined], `${cut} bytes`);
}

/** Of the last 300 bytes, so many: they are of one page, so few show what all do; the soak takes each. */
const ENDS = times(1) === 1 ? 6 : 300;
for (const state of ["at rest", "killed"] as const)
  for (const count of [1, 60])
    test(`the last bytes are gone: a journal of ${count} writes, ${state}`, { timeout: times(120_000) }, async (t) => {
      const origin = await waitingIn(count, state)(t);
      for (let i = 0; i < ENDS; i += 1) await judgeCut(t, origin, 1 + Math.floor((i * 299) / (ENDS - 1)));
    });

test("a database that lacks pages which its WAL has is no damage", async (t) => {
  const { dir, rows, settled } = await halfInWal(t);
  const path = join(dir, "journal.db");
  const pages = readWal(`${path}-wal`, 4_096).pages;
  let whole = statSync(path).size / 4_096;
  while (pages.has(whole)) whole -= 1;
  assert.ok(whole * 4_096 < statSync(path).size, "the last page is in the WAL, too");
  truncateSync(path, whole * 4_096);
  assert.deepEqual(await judge(t, dir, { rows, settled }), { kept: rows.size, damage: undefined });
});

test("pages of zeros, of noise, and swapped", { timeout: times(120_000) }, async (t) => {
  const origin = await atRest(t);
  const file = "journal.db";
  const size = statSync(join(origin.dir, file)).size;
  const chance = random(SEED);
  for (let i = 0; i < times(3); i += 1) {
    const dir = copy(t, origin.dir);
    const bytes = readFileSync(join(dir, file));
    const page = Math.floor((chance() * size) / 4_096) * 4_096;
    if (i % 3 === 0) bytes.fill(0, page, page + 4_096);
    else if (i % 3 === 1) for (let at = page; at < page + 4_096; at += 1) bytes[at] = Math.floor(chance() * 256);
    else bytes.copy(bytes, page, Math.floor((chance() * size) / 4_096) * 4_096, page + 4_096);
    writeFileSync(join(dir, file), bytes);
    await judge(t, dir, origin);
  }
});

/** Whether a journal still has to report what the one before it lost. */
function hasToReport(dir: string): boolean {
  const pages = openPages(join(dir, "journal.db"));
  try {
    return Array.from(rowsSeen(pages)).some((found) => found?.kind === "meta" && found.row.nr === META.loss);
  } finally {
    pages.close();
  }
}

/** 40 acknowledged writes, all of them in the WAL alone. */
const inWal = shared(async (t): Promise<{ dir: string; identity: string }> => {
  const [work, dir] = [folder(t), folder(t)];
  await (await open(t, work)).close();
  const journal = await open(t, work);
  for (let i = 0; i < 40; i += 1) await addOne(journal);
  for (const name of readdirSync(work)) copyFileSync(join(work, name), join(dir, name));
  return { dir, identity: journal.recovered.identity };
});

for (const [what, fill] of [
  ["noise", (size: number) => randomBytes(size)],
  ["zeros", (size: number) => Buffer.alloc(size)],
] as const)
  test(`a WAL of ${what}: the message claims nothing that is not known, and names the last number that is known`, async (t) => {
    const { dir, identity } = await inWal(t);
    const wal = join(dir, "journal.db-wal");
    writeFileSync(wal, fill(statSync(wal).size));
    const unaware = (await open(t, copy(t, dir))).recovered.damage;
    if (what === "noise")
      assert.match(
        unaware ?? "",
        /0 writes that wait were kept; the last number found is 0, and whether later writes were acknowledged is not known/,
      );
    const journal = await open(t, dir, { lastAccepted: { identity, lsn: 40 } });
    assert.match(journal.recovered.damage ?? "", /writes up to number 40 were acknowledged.* 40 of them are not in the journal/);
    assert.ok((await addOne(journal)).lsn > 40, "no number is given twice");
  });

for (const [what, cut] of [
  ["cut short", (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2))],
  ["zeroed at its end", (bytes: Buffer) => bytes.fill(0, Math.floor(bytes.length / 2))],
  ["removed", undefined],
] as const)
  test(`a WAL that was ${what}: the acknowledged writes that are missing are reported, and no number is given twice`, async (t) => {
    const { dir, identity } = await inWal(t);
    const wal = join(dir, "journal.db-wal");
    if (cut === undefined) rmSync(wal);
    else writeFileSync(wal, cut(readFileSync(wal)));
    const journal = await open(t, dir, { lastAccepted: { identity, lsn: 40 } });
    const { entries, damage } = journal.recovered;
    assert.ok(entries.length < 40, "the test lost no write");
    assert.match(damage ?? "", new RegExp(`up to number 40 were acknowledged .* at least the last ${40 - entries.length} of them`));
    const { lsn } = await addOne(journal);
    assert.ok(lsn > 40, `${lsn}`);
    await journal.close();
    if (journal.recovered.identity === identity)
      assert.equal((await open(t, dir, { lastAccepted: { identity, lsn } })).recovered.damage, undefined);
  });

test("a journal that has all that was acknowledged, and the record of another journal, are no damage", async (t) => {
  const { dir, identity } = await inWal(t);
  assert.equal((await open(t, copy(t, dir), { lastAccepted: { identity, lsn: 40 } })).recovered.damage, undefined);
  assert.equal((await open(t, dir, { lastAccepted: { identity: "another", lsn: 99 } })).recovered.damage, undefined);
});

test("what a damaged journal lost is still reported if the new one can't be opened at once", async (t) => {
  const dir = folder(t);
  const before = await open(t, dir, { spreadsheet: "first" });
  for (let i = 0; i < 40; i += 1) await addOne(before);
  await before.close();
  const path = join(dir, "journal.db");
  const bytes = readFileSync(path);
  bytes.fill(255, bytes.length - 4_096);
  writeFileSync(path, bytes);
  await assert.rejects(open(t, dir, { spreadsheet: "second" }), { code: "DROVER_E_JOURNAL" }); // after the damaged file was put aside
  const aside = readdirSync(dir).filter((name) => /^journal\.damaged-.*\.db$/.test(name));
  assert.equal(aside.length, 1);
  const report = new RegExp(`was damaged .* put aside as ${aside[0]}: \\d+ writes that wait were kept`);
  const killed = copy(t, dir); // before the new journal was in its place
  renameSync(join(killed, "journal.db"), join(killed, "journal.next"));
  renameSync(join(killed, String(aside[0])), join(killed, "journal.db"));
  assert.match((await open(t, killed)).recovered.damage ?? "", report);
  assert.ok(existsSync(join(killed, String(aside[0]))));

  const journal = await open(t, dir, { spreadsheet: "first" });
  assert.match(journal.recovered.damage ?? "", report);
  while (hasToReport(dir)) await setTimeout(50); // until the first tidying
  await journal.close();
  assert.equal((await open(t, dir)).recovered.damage, undefined, "it is reported once");
});

test("files that are no journal are put aside under a name with the time", async (t) => {
  const foreign = (path: string): void => {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)");
    database.close();
  };
  const makers: ((path: string) => void)[] = [
    (path) => writeFileSync(path, "this is no database, but long enough to look at ".repeat(300)),
    (path) => writeFileSync(path, "x"),
    foreign,
  ];
  for (const make of makers) {
    const dir = folder(t);
    make(join(dir, "journal.db"));
    const before = readFileSync(join(dir, "journal.db"));
    const journal = await open(t, dir);
    assert.match(
      journal.recovered.damage ?? "",
      /was damaged .* put aside as journal\.damaged-\d{8}T\d{6}\.\d{3}Z\.db: 0 writes that wait were kept/,
    );
    const aside = readdirSync(dir).find((name) => name.startsWith("journal.damaged-")) ?? "";
    if (make !== foreign) assert.deepEqual(readFileSync(join(dir, aside)), before);
    await addOne(journal);
  }
});

test("an empty file is a new journal; a WAL whose database is gone is read", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "journal.db"), "");
  assert.equal((await open(t, dir)).recovered.damage, undefined);
  const origin = await halfInWal(t);
  const lost = folder(t);
  copyFileSync(join(origin.dir, "journal.db-wal"), join(lost, "journal.db-wal"));
  const { recovered } = await open(t, lost);
  assert.match(recovered.damage ?? "", /its database is missing/);
  assert.ok(recovered.entries.length >= 40, `${recovered.entries.length}`);
});

test("a newer drover's journal is refused, with its name, and not touched", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  await addOne(journal);
  await journal.close();
  const path = join(dir, "journal.db");
  const { sumOf } = await import("../../../src/broker/journal/rows.ts");
  const database = new DatabaseSync(path);
  const row = { nr: 1, name: null, record: "3", body: null };
  database.prepare("UPDATE meta SET record = ?, sum = ? WHERE nr = 1").run(row.record, sumOf("meta", row));
  database.close();
  const refusal = { code: "DROVER_E_JOURNAL", message: /journal\.db was written by a newer drover \(schema 3; this one knows 2\)/ };
  await assert.rejects(open(t, dir), refusal);
  const bytes = readFileSync(path);
  bytes.fill(255, bytes.length - 4_096);
  writeFileSync(path, bytes);
  await assert.rejects(open(t, dir), refusal, "damaged, too, it is not ours to mend");
  assert.ok(existsSync(path));
});

test("killed while it put a damaged journal aside, it goes on", async (t) => {
  const origin = await atRest(t);
  const dir = copy(t, origin.dir);
  const path = join(dir, "journal.db");
  copyFileSync(path, join(dir, "journal.next"));
  copyFileSync(path, join(dir, "journal.building"));
  writeFileSync(path, "damaged");
  writeFileSync(`${path}-wal`, "damaged");
  const { recovered } = await open(t, dir);
  assert.equal(recovered.entries.length, 75);
  assert.equal(readdirSync(dir).filter((name) => name.startsWith("journal.damaged-")).length, 2);
  assert.ok(!existsSync(join(dir, "journal.next")) && !existsSync(join(dir, "journal.building")));
});

test("a directory in the file's place, and a folder that can't be written, are refused with their names", async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, "journal.db"));
  await assert.rejects(open(t, dir), { code: "DROVER_E_DATA_DIR", message: /journal\.db/ });
  writeFileSync(join(dir, "file"), "");
  await assert.rejects(open(t, join(dir, "file")), { code: "DROVER_E_DATA_DIR" });
});

test("many damaged journals: the newest five are kept", async (t) => {
  const dir = folder(t);
  for (let i = 0; i < 8; i += 1) {
    writeFileSync(join(dir, "journal.db"), `damaged ${i}`);
    const journal = await open(t, dir, { now: () => (1e12 + i * 1_000) as never });
    await journal.add({ entries: [entry()] });
    await journal.close();
  }
  assert.equal(readdirSync(dir).filter((name) => /^journal\.damaged-.*\.db$/.test(name)).length, 6, "five, and the one put aside last");
});
