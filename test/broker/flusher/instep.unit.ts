/** Somebody (a script, say) moves rows in step with our calls: looking a row up and pinning it must not fall into that step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { times } from "../../support/times.ts";
import { randoms } from "../time.ts";
import { Machine } from "./world.ts";

const ROWS = 20;
const text = (stringValue: string): object => ({ userEnteredValue: { stringValue } });
const rows = (startIndex: number, endIndex: number): object => ({ range: { sheetId: 0, dimension: "ROWS", startIndex, endIndex } });

/** Sorts, inserts above all, sorts, deletes the first: rows of the test stand behind sixty others, which are what is deleted. */
const EDITS = [
  { sort: { dimensionIndex: 2, sortOrder: "DESCENDING" } },
  { request: { insertDimension: rows(1, 3) } },
  { sort: { dimensionIndex: 1, sortOrder: "ASCENDING" } },
  { request: { deleteDimension: rows(1, 2) } },
];

function edit({ google }: Machine, nr: number): void {
  const { sort, request } = EDITS[nr % EDITS.length] ?? {};
  const endRowIndex = google.values("Players").length + 5;
  google.edit(request ?? { sortRange: { range: { sheetId: 0, startRowIndex: 1, endRowIndex }, sortSpecs: [sort] } });
}

/** @param every an edit before so many calls @param until so many calls. @returns seconds, and calls, until twenty changes were in the sheet. */
async function changes(seed: number, every: number, until: number): Promise<readonly [took: number, calls: number]> {
  const random = randoms(seed);
  const m = new Machine({ random });
  for (let i = 0; i < ROWS; i += 1) m.append(`s${i}`, { n: i, name: `n${i}` });
  await m.drain();
  const ballast = Array.from({ length: 60 }, (_, i) => ({
    values: [text(`z${i}`), { userEnteredValue: { numberValue: -1 } }, text(`zz${i}`)],
  }));
  m.google.edit({ appendCells: { sheetId: 0, fields: "userEnteredValue", rows: ballast } });
  edit(m, 2);
  m.look();
  const first = Math.floor(random() * 8);
  let moments = 0; // before a call, and after it
  m.google.between = () => {
    const call = moments / 2;
    moments += 1;
    if (Number.isInteger(call) && call < until && (first + call) % every === 0) edit(m, (first + call) / every);
  };
  const [from, made] = [m.time.at, m.google.writes.length + m.google.reads.length];
  for (let i = 0; i < ROWS; i += 1) m.update(`s${i}`, { n: i + 100 });
  await m.drain();
  const found = m.rows().filter(([key]) => key.startsWith("s"));
  assert.deepEqual(
    new Map(found.map(([key, row]) => [key, row[1]])),
    new Map(found.map(([key]) => [key, 100 + Number(key.slice(1))])),
    `seed ${seed}`,
  );
  assert.equal(found.length, ROWS);
  const result = [(m.time.at - from) / 1_000, m.google.writes.length + m.google.reads.length - made] as const;
  m.crash();
  return result;
}

test("rows that are moved before every second call: each value in its row, after a few attempts", async () => {
  const results: (readonly [number, number])[] = [];
  for (let seed = 1; seed <= times(50); seed += 1) results.push(await changes(seed, 2, Number.POSITIVE_INFINITY));
  const [took, calls] = [Math.max(...results.map(([s]) => s)), Math.max(...results.map(([, n]) => n))];
  console.log(`twenty rows in ${took.toFixed(1)} s and ${calls} calls at most`);
  assert.ok(took <= 25 && calls <= 16, `${took} s, ${calls} calls`);
});

test("rows that are moved before every call, fifty times: each value in its row, at the latest when it ends", async () => {
  const results: number[] = [];
  for (let seed = 1; seed <= times(15); seed += 1) results.push((await changes(seed, 1, 50))[1]);
  console.log(`${Math.max(...results)} calls at most`);
  assert.ok(Math.max(...results) <= 60, String(results));
});

/** Somebody works on the rows for 15 s, at random moments. @returns milliseconds from his last edit until all changes were in the sheet. */
async function delayAfterEdits(seed: number): Promise<number> {
  const random = randoms(seed);
  const m = new Machine({ random });
  for (let i = 0; i < ROWS; i += 1) m.append(`s${i}`, { n: i, name: `n${i}` });
  await m.drain();
  m.look();
  let last = m.time.at;
  const end = m.time.at + 15_000;
  m.google.between = () => {
    if (m.time.at > end || random() < 0.3) return;
    edit(m, Math.floor(random() * 3)); // no row goes
    last = m.time.at;
  };
  for (let i = 0; i < ROWS; i += 1) m.update(`s${i}`, { n: i + 100 });
  await m.drain();
  m.crash();
  return m.time.at - last;
}

test("rows that were moved by hand, the quota is idle: changes of them are in the sheet within seconds", async () => {
  const delays: number[] = [];
  for (let seed = 1; seed <= 40; seed += 1) delays.push(await delayAfterEdits(seed * 7_919));
  console.log(`${Math.max(...delays).toFixed(0)} ms after the last edit at most`);
  assert.ok(Math.max(...delays) <= 8_000, delays.map(Math.round).join(" "));
});
