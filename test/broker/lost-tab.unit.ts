/** A tab that is renamed and put back: when either side has found it, reads or writes, the other side ends its pause of 30 s. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ms, perMinute, seconds } from "../../src/base/units.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { Refresher } from "../../src/broker/refresher.ts";
import { columnNames } from "../../src/sheets/header.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { LAYOUT, Machine } from "./flusher/world.ts";

const PAUSE = 30_000;

/** A person renames the tab. */
function rename(m: Machine, title: string): void {
  m.google.edit({ updateSheetProperties: { properties: { sheetId: 0, title }, fields: "title" } });
}
const isEmpty = (m: Machine): boolean => m.disk.entries.length === 0;

/** Reads the table of the machine's flusher, on the same clock. Nobody asks for it but by `want`. */
function reader(m: Machine) {
  const { time, google } = m;
  const quota = new Ledger(perMinute(60), time);
  const read: number[] = [];
  const refresher = new Refresher({
    clock: time,
    alarm: time.alarm,
    random: () => 0.5,
    quota,
    read: (tables) => (quota.spend(), google.read(tables.map(({ range }) => range))),
    accept(_, values, askedAt) {
      const layout = { ...LAYOUT, columns: columnNames((values as unknown[][])[0] ?? []) };
      if (m.flusher.mayShow({ layout, values, askedAt })) m.layout = layout;
      read.push(time.at);
      return undefined;
    },
    failed() {},
  });
  const text = JSON.stringify({ tables: { [LAYOUT.table]: { range: LAYOUT.tab, ttl: "100ms" } } });
  refresher.setTables(parseTables(text, "tables.json", seconds(1)), new Map());
  m.found = (table) => refresher.lookAgain(table);
  return { refresher, read, want: () => void refresher.want(LAYOUT.table) };
}

test("reads have found the tab: the writes that wait for it go at once", async () => {
  const m = new Machine();
  rename(m, "another");
  m.append("a", { n: 1 });
  await m.time.until(() => false, 3_000); // the flusher has looked for the tab, and looks again after 30 s
  const looks = m.google.reads.length;
  rename(m, LAYOUT.tab);
  await m.time.until(() => isEmpty(m), PAUSE / 2);
  assert.deepEqual([isEmpty(m), m.google.reads.length], [false, looks], "the flusher pauses");
  const it = reader(m);
  it.want();
  await m.time.until(() => it.read.length > 0, PAUSE);
  const [readAt = 0] = it.read;
  assert.ok(await m.time.until(() => isEmpty(m), 5_000), "the write has landed");
  assert.ok(readAt - 1_000 < PAUSE - 5_000, "the pause had not ended by itself");
  assert.deepEqual(
    m.rows().map(([key]) => key),
    ["a"],
  );
});

test("writes have found the tab: it is read at once", async () => {
  const m = new Machine();
  m.append("first", { n: 0 });
  await m.drain();
  const it = reader(m);
  rename(m, "another");
  it.want();
  await m.time.until(() => it.refresher.failures().length > 0, 5_000);
  const lostAt = m.time.at;
  assert.match(it.refresher.failures()[0]?.message ?? "", /looked for again/);
  rename(m, LAYOUT.tab);
  it.want();
  await m.time.until(() => it.read.length > 0, PAUSE / 3);
  assert.deepEqual(it.read, [], "reads pause");
  m.append("a", { n: 1 });
  await m.time.until(() => isEmpty(m), PAUSE / 3);
  assert.ok(isEmpty(m) && m.time.at < lostAt + PAUSE, "the write has landed within the pause");
  await m.time.until(() => it.read.length > 0, PAUSE);
  assert.ok((it.read[0] ?? Infinity) < lostAt + PAUSE, "read before the pause ends by itself");
  assert.deepEqual(it.refresher.failures(), []);
});

test("the flusher has seen the tab with another header row: it is read at once, and its writes go by the new columns", async () => {
  const m = new Machine();
  m.append("first", { n: 0 });
  await m.drain();
  const it = reader(m);
  rename(m, "another");
  it.want();
  await m.time.until(() => it.refresher.failures().length > 0, 5_000);
  const lostAt = m.time.at;
  const columns = { sheetId: 0, dimension: "COLUMNS", startIndex: 1, endIndex: 2 };
  m.google.edit({ insertDimension: { range: columns, inheritFromBefore: false } });
  rename(m, LAYOUT.tab);
  m.append("a", { n: 1 });
  assert.ok(await m.time.until(() => isEmpty(m), PAUSE - 2_000));
  assert.ok((it.read[0] ?? Infinity) < lostAt + PAUSE);
  assert.deepEqual(m.rows().at(-1), ["a", ["a", "", 1]]);
});

test("an operator has the table read: the pause of a lost range ends, and a range that is there is not disturbed", async () => {
  const m = new Machine();
  const it = reader(m);
  rename(m, "another");
  it.want();
  await m.time.until(() => it.refresher.failures().length > 0, 5_000);
  const lostAt = m.time.at;
  rename(m, LAYOUT.tab);
  it.refresher.lookAgain(LAYOUT.table);
  assert.ok(await m.time.until(() => it.read.length > 0, PAUSE));
  assert.ok(m.time.at < lostAt + PAUSE / 10);
  const calls = m.google.reads.length;
  it.refresher.lookAgain(LAYOUT.table);
  it.refresher.lookAgain("no such table");
  await m.time.until(() => false, ms(5_000));
  assert.equal(m.google.reads.length, calls);
});
