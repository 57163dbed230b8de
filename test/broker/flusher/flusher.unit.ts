import assert from "node:assert/strict";
import { test } from "node:test";
import { randoms } from "../time.ts";
import { LATE } from "./google.ts";
import { fenceValue, markOf, METADATA_KEY } from "../../../src/broker/flusher/core/fence.ts";
import type { Timestamp } from "../../../src/base/units.ts";
import type { JumpTime } from "./time.ts";
import { busiest, HEADER, LAYOUT, Machine } from "./world.ts";

test("appends reach the sheet in one batch, as they are", async () => {
  const m = new Machine();
  for (let i = 0; i < 20; i += 1) m.append(`p${i}`, { n: i, name: i === 3 ? "=1+1" : "x" });
  await m.drain();
  const rows = m.google.values("Players");
  assert.deepEqual(
    rows[0],
    HEADER.map((cell) => cell),
  );
  assert.deepEqual(
    rows.slice(1).map((row) => row[0]),
    Array.from({ length: 20 }, (_, i) => `p${i}`),
  );
  assert.deepEqual(rows[4], ["p3", 3, "=1+1"]);
  assert.equal(m.google.writes.length, 3, "the proof twice, and the batch");
  assert.equal(m.flusher.report().delivery, "exactly-once");
  assert.equal(busiest(m.google.writes), 3);
  assert.deepEqual(m.said, [], "the second proof is refused as it is to be");
});

test("updates and deletes by key", async () => {
  const m = new Machine();
  for (let i = 0; i < 5; i += 1) m.append(`p${i}`, { n: 0 });
  await m.drain();
  m.update("p1", { n: 1 });
  m.update("p1", { n: 2, name: "a" });
  m.update("p3", { n: 3 });
  m.remove("p4");
  await m.drain();
  assert.deepEqual(m.google.values("Players").slice(1), [
    ["p0", 0],
    ["p1", 2, "a"],
    ["p2", 0],
    ["p3", 3],
    ["p4", 0, "", "", true],
  ]);
});

const keysOf = (m: Machine): string[] => m.rows().map(([key]) => key);

test("500 writes with 20 crashes: none lost, none twice, in order", async (t) => {
  const m = new Machine({ random: randoms(5) });
  m.crashIn = 9;
  for (let i = 0; i < 500; i += 1) {
    if (i % 2 === 0) m.append(`p${i}`, { n: i });
    else m.update(`p${i - 1}`, { n: i });
    const { crashes } = m;
    await m.time.until(() => m.crashes > crashes, 200);
    if (m.crashes === crashes) continue;
    m.start();
    m.crashIn = m.crashes < 20 ? 5 + ((m.crashes * 7) % 17) : Number.POSITIVE_INFINITY;
  }
  await m.drain();
  assert.equal(m.crashes, 20);
  const rows = m.rows();
  assert.equal(rows.length, 250);
  assert.equal(new Set(rows.map(([key]) => key)).size, 250);
  assert.ok(rows.every(([key, row]) => row[1] === Number(key.slice(1)) + 1));
  t.diagnostic(
    `500 writes, ${m.crashes} crashes: lost 0, duplicates 0; ${m.google.writes.length} calls, at most ${busiest(m.google.writes)} in 60 s`,
  );
});

test("every third answer lost after its commit, 300 writes, a crash in the middle: 300 rows, each once", async (t) => {
  const m = new Machine({ random: randoms(6) });
  let calls = 0;
  m.google.fate = () => ((calls += 1) % 3 === 0 ? "lostAfter" : "ok");
  for (let i = 0; i < 300; i += 1) {
    m.append(`p${i}`, { n: i });
    await m.time.until(() => false, 1_000);
    if (i !== 150) continue;
    m.crash();
    m.start();
  }
  await m.drain();
  assert.deepEqual(
    keysOf(m),
    Array.from({ length: 300 }, (_, i) => `p${i}`),
  );
  t.diagnostic(`300 writes, ${Math.floor(calls / 3)} answers lost: 300 rows, each once, in order`);
});

test("100 rows a second for ten minutes within 60 calls a minute", async (t) => {
  const m = new Machine({ random: randoms(7) });
  const began = m.time.at;
  for (let i = 0; i < 60_000; i += 10) {
    for (let k = i; k < i + 10; k += 1) m.append(`p${k}`, { n: k, name: "somebody" });
    await m.time.until(() => false, 100);
  }
  const { landed, timeToSheet, waiting } = m.flusher.report();
  const rate = landed / ((m.time.at - began) / 1_000);
  await m.drain();
  assert.ok(rate > 98, `${rate}`);
  assert.ok(busiest(m.google.writes) <= 51);
  assert.equal(new Set(keysOf(m)).size, 60_000);
  t.diagnostic(
    `${rate.toFixed(1)} rows/s in the sheet, ${waiting} waited at the end, time to sheet p50 ${timeToSheet.p50} ms, p99 ${timeToSheet.p99} ms, at most ${busiest(m.google.writes)} calls in 60 s`,
  );
});

test("the most that goes within the quota", async (t) => {
  const m = new Machine({ random: randoms(8) });
  for (let i = 0; i < 60_000; i += 1) m.append(`p${i}`, { n: i });
  const began = m.time.at;
  await m.time.until(() => false, 120_000);
  const rate = m.flusher.report().landed / ((m.time.at - began) / 1_000);
  t.diagnostic(`${rate.toFixed(0)} rows/s for two minutes with a full queue, at most ${busiest(m.google.writes)} calls in 60 s`);
  assert.ok(rate > 300);
  assert.ok(busiest(m.google.writes) <= 51);
  m.crash();
});

test("a value without an answer never lands over a newer one: its tag is gone by then", async () => {
  for (const crash of [false, true]) {
    const m = new Machine();
    m.append("a", { n: 1 });
    await m.drain();
    const fates = ["ok", "late"] as const;
    let calls = 0;
    m.google.fate = () => fates[(calls += 1) - 1] ?? "ok";
    m.update("a", { n: 2 });
    await m.time.until(() => calls === 2, 60_000);
    if (crash) {
      m.crash();
      m.start();
    }
    m.update("a", { n: 3 });
    await m.drain();
    assert.deepEqual(m.google.values("Players")[1], ["a", 3]);
    await m.time.until(() => false, LATE + 20_000);
    assert.deepEqual(m.google.values("Players")[1], ["a", 3], crash ? "after a crash" : "in one life");
    m.crash();
  }
});

test("a poison row is found by halving and parked with the reason, and holds nobody up for long", async () => {
  const m = new Machine({ random: randoms(9) });
  m.google.poison = "POISON";
  for (let i = 0; i < 400; i += 1) m.append(`p${i}`, { n: i, name: i === 123 ? "POISON" : "x" });
  await m.time.until(() => m.google.writes.length > 3, 60_000);
  m.update("p123", { n: 999 });
  m.append("late", { n: 1 });
  const at = m.time.at;
  await m.time.until(() => keysOf(m).includes("late"), 60_000);
  assert.ok(m.time.at - at < 5_000, `others wait ${m.time.at - at} ms`);
  await m.drain();
  assert.equal(keysOf(m).length, 400);
  assert.ok(!keysOf(m).includes("p123"));
  assert.deepEqual(
    m.disk.parked.map(({ reason }) => reason),
    ["a cell is not to Google's liking", "a cell is not to Google's liking"],
  );
  assert.equal(m.flusher.report().parked, 2);
});

test("parked writes are tried again once the sheet is mended; a change goes to the row that a person has added", async () => {
  const m = new Machine({ random: randoms(4) });
  m.google.poison = "POISON";
  const first = [m.append("p1", { n: 1, name: "POISON" }), m.update("p1", { n: 2 })];
  const second = [m.append("p2", { n: 1, name: "POISON" }), m.update("p2", { n: 3 })];
  await m.drain();
  assert.deepEqual([keysOf(m), m.disk.parked.length], [[], 4]);
  m.again(...first);
  await m.drain();
  assert.deepEqual([keysOf(m), m.disk.parked.length], [[], 6], "not mended: parked again, with what builds upon it");
  m.google.poison = undefined;
  m.again(...first);
  await m.drain();
  assert.deepEqual(m.google.values("Players").slice(1), [["p1", 2, "POISON"]]);
  const cells = [{ userEnteredValue: { stringValue: "p2" } }, { userEnteredValue: { numberValue: 0 } }];
  m.google.edit({ appendCells: { sheetId: 0, rows: [{ values: cells }], fields: "userEnteredValue" } });
  m.again(second[1] as (typeof second)[number]);
  await m.drain();
  assert.deepEqual(m.google.values("Players").slice(2), [["p2", 3]]);
  assert.equal(m.disk.parked.length, 6);
});

test("a spreadsheet that does not refuse a second fence: at least once, said, and still none twice when waiting helps", async () => {
  const m = new Machine();
  m.google.fenceless = true;
  const fates = ["ok", "ok", "lostAfter", "late"] as const;
  let calls = 0;
  m.google.fate = () => fates[(calls += 1) - 1] ?? "ok";
  m.append("a", { n: 1 });
  await m.time.until(() => calls === 3, 60_000);
  const asked = m.time.at;
  m.append("b", { n: 1 });
  await m.drain();
  assert.equal(m.flusher.report().delivery, "at-least-once");
  assert.equal(m.proof, "at-least-once");
  assert.ok(m.time.at - asked > 180_000, "resent only when no attempt can land any more");
  assert.deepEqual(keysOf(m), ["a", "b"]);
});

test("a tab that is away: its writes wait, and go when it is back", async () => {
  const m = new Machine();
  const rename = (title: string): void => m.google.edit({ updateSheetProperties: { properties: { sheetId: 0, title }, fields: "title" } });
  m.append("a", { n: 1 });
  await m.drain();
  rename("Renamed");
  m.append("b", { n: 1 });
  await m.time.until(() => false, 120_000);
  assert.ok(m.flusher.report().waiting <= 1);
  rename("Players");
  await m.drain();
  assert.deepEqual(keysOf(m), ["a", "b"]);
});

test("fences go by age, never sooner; no more than 600 stand", async () => {
  const m = new Machine({ random: randoms(3) });
  let most = 0;
  for (let i = 0; i < 1_500; i += 1) {
    m.append(`p${i}`, { n: i });
    await m.time.until(() => false, 900);
    if (i % 50 === 0) most = Math.max(most, m.google.standing("drover").length);
  }
  await m.drain();
  assert.ok(most > 200 && most <= 420, `${most}`);
  await m.time.until(() => false, 500_000);
  m.append("last", { n: 1 });
  await m.drain();
  m.append("after", { n: 1 });
  await m.drain();
  const { fences } = m.disk;
  assert.ok(m.google.standing("drover").length < most);
  assert.ok(fences.length < most + 5);
});

test("a key that was changed by hand is not written over: its row is looked for anew", async () => {
  const m = new Machine();
  for (const key of ["a", "b"]) m.append(key, { n: 1 });
  await m.drain();
  m.snapshot = new Map([
    ["a", 2],
    ["b", 1],
  ]); // the broker's reading is old
  m.update("a", { n: 5 });
  await m.drain();
  assert.deepEqual(m.google.values("Players").slice(1), [
    ["a", 5],
    ["b", 1],
  ]);
  m.google.edit({ deleteDimension: { range: { sheetId: 0, dimension: "ROWS", startIndex: 1, endIndex: 2 } } });
  m.update("a", { n: 6 });
  m.update("b", { n: 7 });
  await m.drain();
  assert.deepEqual(m.google.values("Players").slice(1), [["b", 7]]);
  assert.deepEqual(
    m.disk.parked.map(({ reason }) => reason),
    ["no row of the sheet has this key any more"],
  );
});

test("closing ends within a second, whatever is under way", async () => {
  const m = new Machine();
  m.google.fate = () => "lostAfter";
  m.append("a", { n: 1 });
  await m.time.until(() => m.google.writes.length > 0, 10_000);
  let closed = false;
  void m.flusher.close().then(() => (closed = true));
  await m.time.until(() => closed, 1_100);
  assert.ok(closed);
  assert.equal(m.google.writes.length, 1);
});

test("a delete that is refused: an append of the same key is not put beside the row that stays", async () => {
  const m = new Machine({ layout: { ...LAYOUT, deleted: undefined } });
  const fates = ["ok", "ok", "ok", "ok", "refused", "ok", "refused"] as const;
  let calls = 0;
  m.google.fate = () => fates[(calls += 1) - 1] ?? "ok";
  m.append("a", { n: 1 });
  m.remove("a");
  m.append("a", { n: 2 });
  await m.drain();
  assert.deepEqual(m.rows(), [["a", ["a", 1]]]);
  assert.deepEqual(
    m.disk.parked.map(({ lsn }) => lsn),
    [2, 3],
  );
});

test("600 fences that stand: nothing is sent until one may go", async () => {
  const m = new Machine();
  const value = fenceValue(markOf("machine-one"), m.time.wall(), 0, "");
  const made = Array.from({ length: 600 }, (_, i) => ({ metadataId: 1 + i, metadataKey: METADATA_KEY, metadataValue: value }));
  m.google.edit(
    ...made.map((each) => ({
      createDeveloperMetadata: { developerMetadata: { ...each, location: { spreadsheet: true }, visibility: "DOCUMENT" } },
    })),
  );
  m.append("a", { n: 1 });
  await m.time.until(() => false, 470_000);
  assert.equal(m.google.writes.length, 0);
  await m.drain();
  assert.deepEqual(m.rows(), [["a", ["a", 1]]]);
  assert.ok(m.google.standing(METADATA_KEY).length <= 600);
});

test("600 fences that stand, and a clock that is set back by a day: writes go on when the fences' time is over", async () => {
  const m = new Machine();
  const value = fenceValue(markOf("machine-one"), m.time.wall(), 0, "");
  const made = Array.from({ length: 600 }, (_, i) => ({ metadataId: 1 + i, metadataKey: METADATA_KEY, metadataValue: value }));
  m.google.edit(
    ...made.map((each) => ({
      createDeveloperMetadata: { developerMetadata: { ...each, location: { spreadsheet: true }, visibility: "DOCUMENT" } },
    })),
  );
  m.append("a", { n: 1 });
  await m.time.until(() => false, 60_000);
  m.time.wallFrom -= 86_400_000;
  await m.time.until(() => m.rows().length > 0, 1_200_000);
  assert.deepEqual(m.rows(), [["a", ["a", 1]]]);
});

const DAY = 86_400_000;

/** One row has landed with the second attempt of its batch; the first one is on its way still. */
async function landedAndLate(m: Machine): Promise<void> {
  m.append("first", { n: 1 });
  await m.drain(); // the proof
  let calls = 0;
  m.google.fate = () => ((calls += 1) === 1 ? "late" : "ok");
  m.append("a", { n: 1 });
  await m.drain();
  assert.ok(calls >= 2, `${calls} attempts`);
}

for (const life of ["the same life", "the next life"])
  test(`the wall clock is set forward by a day after an attempt without an answer: what it was to write lands once (${life})`, async () => {
    const m = new Machine();
    await landedAndLate(m);
    if (life === "the next life") m.crash();
    m.time.wallFrom += DAY;
    if (life === "the next life") m.start();
    m.append("b", { n: 1 });
    await m.drain();
    await m.time.until(() => false, LATE + 20_000);
    assert.deepEqual(keysOf(m), ["first", "a", "b"]);
  });

test("a machine whose clock is a day ahead leaves the fences of another one that lives", async () => {
  const m = new Machine({ identity: "one" });
  await landedAndLate(m);
  m.append("z", { n: 1 }); // the newest fence of each stands for a month in any case
  await m.drain();
  const ahead = Object.assign(Object.create(m.time) as JumpTime, { wallFrom: m.time.wallFrom + 2 * DAY });
  const two = new Machine({ identity: "two", start: 5_000_000, google: m.google, time: ahead });
  two.append("b", { n: 1 });
  await m.time.until(() => two.disk.entries.length === 0, 60_000);
  two.append("c", { n: 1 }); // with it goes what others left
  await m.time.until(() => two.disk.entries.length === 0, 60_000);
  await m.time.until(() => false, LATE + 20_000);
  assert.deepEqual(keysOf(m), ["first", "a", "z", "b", "c"]);
});

test("what another machine left a day ago is removed once it has stood for an hour", async () => {
  const m = new Machine();
  const old = fenceValue(markOf("long gone"), (m.time.wall() - 2 * DAY) as Timestamp, 0, "");
  const newest = fenceValue(markOf("long gone"), (m.time.wall() - 2 * DAY) as Timestamp, 0, "");
  m.google.edit(
    ...[old, newest].map((metadataValue, i) => ({
      createDeveloperMetadata: {
        developerMetadata: {
          metadataId: 1 + i,
          metadataKey: METADATA_KEY,
          metadataValue,
          location: { spreadsheet: true },
          visibility: "DOCUMENT",
        },
      },
    })),
  );
  m.append("a", { n: 1 });
  await m.drain();
  await m.time.until(() => false, 3_600_000);
  m.append("b", { n: 1 });
  await m.drain();
  const left = m.google.standing(METADATA_KEY).filter(({ value }) => value.startsWith(markOf("long gone")));
  assert.deepEqual(
    left.map(({ id }) => id),
    [2],
    "the newest tells a restored journal that it is old",
  );
});

test("where fences don't hold, a batch that was sent before a crash is waited for, whatever the wall clock says", async () => {
  const m = new Machine();
  m.google.fenceless = true;
  m.append("first", { n: 1 });
  await m.drain();
  m.google.fate = () => "late";
  m.append("a", { n: 1 });
  const { length } = m.google.writes;
  await m.time.until(() => m.google.writes.length > length, 60_000);
  m.crash();
  m.google.fate = () => "ok";
  m.time.wallFrom += DAY;
  m.start();
  await m.drain();
  await m.time.until(() => false, LATE + 20_000);
  assert.deepEqual(keysOf(m), ["first", "a"]);
});

test("a journal from an older copy waits for what the lost life had sent", async () => {
  const m = new Machine();
  const fates = ["ok", "ok", "ok", "refused", "ok", "late"] as const;
  let calls = 0;
  m.google.fate = () => fates[(calls += 1) - 1] ?? "ok";
  m.append("a", { n: 1 });
  await m.drain();
  m.append("b", { n: 1 });
  m.append("c", { n: 1 });
  const copy = structuredClone(m.disk);
  await m.time.until(() => calls === 6, 60_000); // both refused, by chance; then the first of them alone, which lands late
  m.crash();
  m.disk = copy;
  await m.time.until(() => false, 2_000);
  m.start();
  await m.drain();
  await m.time.until(() => false, LATE + 20_000);
  assert.deepEqual(
    m.rows().map(([key]) => key),
    ["a", "b", "c"],
  );
});
