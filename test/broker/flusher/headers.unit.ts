/** Columns that people rename and insert between a reading and a write, and between a batch's attempts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HEADER, LAYOUT, Machine } from "./world.ts";

const insertColumn = (m: Machine, startIndex: number): void => {
  const range = { sheetId: 0, dimension: "COLUMNS", startIndex, endIndex: startIndex + 1 };
  m.google.edit({ insertDimension: { range } });
};
const tabOf = (m: Machine): { title: string; sheetId: number } => {
  const { sheets } = m.google.call("get").body as { sheets: { properties: { title: string; sheetId: number } }[] };
  return sheets[0]?.properties ?? assert.fail("there is no tab");
};
/** The broker has read the table again. */
const reread = (m: Machine): void => {
  const names = (m.google.values(LAYOUT.tab)[0] ?? []).map((name) => (name === "" ? undefined : String(name)));
  m.layout = { ...LAYOUT, columns: names };
};
const ended = (m: Machine): boolean => m.disk.entries.length === 0;

test("a column inserted since the last reading: nothing is written until the table is read again, and then under its names", async () => {
  const m = new Machine();
  insertColumn(m, 1);
  m.append("a", { n: 1, name: "x" });
  await m.time.until(() => ended(m), 60_000);
  assert.deepEqual(m.google.values(LAYOUT.tab).slice(1), []);
  reread(m);
  await m.drain();
  assert.deepEqual(m.rows(), [["a", ["a", "", 1, "x"]]]);
});

test("an attempt is lost, a column is inserted: the sealed bytes never land", async () => {
  for (const fate of ["lostBefore", "lostAfter", "late"] as const) {
    const m = new Machine();
    m.append("first", { n: 0 });
    await m.drain();
    m.google.fate = () => fate;
    m.append("a", { n: 1, name: "x" });
    const calls = m.google.writes.length;
    await m.time.until(() => m.google.writes.length > calls, 60_000);
    await m.time.until(() => false, 9_000);
    m.google.fate = () => "ok";
    insertColumn(m, 1);
    await m.time.until(() => false, 20_000);
    reread(m);
    await m.drain();
    await m.time.until(() => false, 200_000);
    assert.deepEqual(m.rows().at(-1), ["a", ["a", "", 1, "x"]], fate);
    assert.equal(m.rows().length, 2, fate);
    assert.equal(m.flusher.report().astray, 0, fate);
  }
});

test("a column inserted in the moment before a batch: Google refuses the batch, and the row lands under its headers", async () => {
  const m = new Machine();
  m.append("first", { n: 0 });
  await m.drain();
  m.append("a", { n: 1 });
  const calls = m.google.writes.length;
  m.google.between = () => {
    if (m.google.writes.length === calls) return;
    m.google.between = () => {};
    insertColumn(m, 1);
  };
  await m.time.until(() => ended(m), 30_000);
  assert.deepEqual(m.google.values(LAYOUT.tab).slice(1), [["first", "", 0]]);
  reread(m);
  await m.drain();
  assert.deepEqual(m.google.values(LAYOUT.tab).slice(1), [
    ["first", "", 0],
    ["a", "", 1],
  ]);
  assert.equal(m.flusher.report().astray, 0);
});

test("a tab renamed in the moment before a batch: no write is to blame", async () => {
  const m = new Machine();
  m.append("first", { n: 0 });
  await m.drain();
  const { sheetId } = tabOf(m);
  const rename = (title: string): void => m.google.edit({ updateSheetProperties: { properties: { sheetId, title }, fields: "title" } });
  m.append("a", { n: 1 });
  const calls = m.google.writes.length;
  m.google.between = () => {
    if (m.google.writes.length === calls) return;
    m.google.between = () => {};
    rename("another");
  };
  await m.time.until(() => false, 120_000);
  rename(LAYOUT.tab);
  await m.drain();
  assert.deepEqual(m.disk.parked, []);
  assert.deepEqual([tabOf(m).title, m.google.values(LAYOUT.tab).length], [LAYOUT.tab, 3]);
});

test("a key column that is not where it was: a row that is not found there is not taken for deleted", async () => {
  const m = new Machine();
  m.append("a", { n: 1 });
  await m.drain();
  m.snapshot.clear();
  m.crash();
  m.start();
  insertColumn(m, 0);
  m.remove("a");
  await m.time.until(() => ended(m), 30_000);
  assert.ok(!ended(m));
  m.google.edit({ deleteDimension: { range: { sheetId: 0, dimension: "COLUMNS", startIndex: 0, endIndex: 1 } } });
  await m.drain();
  assert.equal(m.google.values(LAYOUT.tab)[1]?.[4], true);
  assert.deepEqual(m.google.values(LAYOUT.tab)[0], HEADER);
});
