/** A person moves columns while clients write and read, and answers of Google are lost. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { columnNames } from "../../src/sheets/header.ts";
import { book } from "./book.ts";
import { get } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const OLD = 40;
const WRITES = 500;
const SECONDS = 20;
const EDITS = 5;
const HEADER = ["id", "n", "name", "memo"];

/** What each cell may hold, by key and column. */
class Allowed {
  readonly #values = new Map<string, Set<unknown>>();
  allow(key: string, cells: Readonly<Record<string, unknown>>): void {
    for (const [column, value] of Object.entries(cells)) {
      const place = `${key} ${column}`;
      this.#values.set(place, (this.#values.get(place) ?? new Set()).add(value));
    }
  }
  wrong(key: string, cells: Readonly<Record<string, unknown>>): boolean {
    return Object.entries(cells).some(
      ([column, value]) =>
        value !== null && value !== "" && value !== undefined && this.#values.get(`${key} ${column}`)?.has(value) !== true,
    );
  }
}

test(`${EDITS} column edits in ${SECONDS} s, ${WRITES} writes, lost answers: 0 misplaced, none served`, { timeout: 300_000 }, async (t) => {
  const allowed = new Allowed();
  const old = Array.from({ length: OLD }, (_, i) => [`s${i}`, i, `name ${i}`, `memo of s${i}`]);
  for (const [id, n, name, memo] of old) allowed.allow(String(id), { id, n, name, memo });
  const tables = { stock: { rows: [HEADER, ...old] as (string | number)[][], table: { key: "id", ttl: "1s" } } };
  const { daemon, emulator, hand, taken, ended, rows, sheetId } = await book(t, tables, { DROVER_WRITES_PER_MINUTE: "600" });
  await eventually("rows are there", async () => (await get(`${daemon.url}/api/tables/stock`)).status === 200);
  await ended(await taken("POST", "stock", { id: "first", n: 0, name: "x" }));
  allowed.allow("first", { id: "first", n: 0, name: "x" });
  emulator.order("drop,method=write,applied,chance=0.1,seed=7");
  emulator.order("drop,method=write,chance=0.1,seed=8");
  const id = await sheetId("stock");
  const span = (startIndex: number): object => ({ sheetId: id, dimension: "COLUMNS", startIndex, endIndex: startIndex + 1 });
  const edits: readonly object[] = [
    { insertDimension: { range: span(1), inheritFromBefore: true } },
    { moveDimension: { source: span(2), destinationIndex: 5 } },
    { moveDimension: { source: span(1), destinationIndex: 0 } },
    { moveDimension: { source: span(0), destinationIndex: 3 } },
    { insertDimension: { range: span(0), inheritFromBefore: false } },
  ];
  const [served, life] = [{ wrong: 0, answers: 0 }, { over: false }];
  const reading = (async () => {
    for (; !life.over; await sleep(100)) {
      const { status, body } = await get(`${daemon.url}/api/tables/stock?limit=1000`);
      if (status !== 200) continue;
      served.answers += 1;
      for (const row of (JSON.parse(body) as { rows: Record<string, unknown>[] }).rows)
        if (allowed.wrong(String(row["id"]), row)) served.wrong += 1;
    }
  })();
  const editing = (async () => {
    for (const edit of edits) {
      await sleep((SECONDS * 1_000) / (EDITS + 1));
      await hand(edit).catch(() => {}); // its answer may be lost as well
    }
  })();
  const last = new Map<string, { readonly n: number; readonly name: string }>();
  const all = [];
  for (let i = 0; i < WRITES; i += 1) {
    const key = i % 2 === 0 ? `k${i}` : `s${i % OLD}`;
    const cells = { n: 1_000 + i, name: `text ${i}` };
    allowed.allow(key, { id: key, ...cells });
    last.set(key, cells);
    all.push(i % 2 === 0 ? await taken("POST", "stock", { id: key, ...cells }) : await taken("PATCH", `stock/${key}`, cells));
    await sleep((SECONDS * 1_000) / WRITES - 4);
  }
  await editing;
  const from = performance.now();
  for (const write of all) assert.equal((await ended(write)).state, "landed");
  const settled = performance.now() - from;
  life.over = true;
  await reading;
  const [header = [], ...found] = await rows("stock");
  const names = columnNames(header);
  const at = (row: readonly unknown[], name: string): unknown => row[names.indexOf(name)];
  const wrong = found.filter((row) => {
    const cells = Object.fromEntries(row.map((cell, i) => [names[i] ?? "(no name)", cell]));
    return allowed.wrong(String(at(row, "id")), cells);
  });
  console.log(
    `${wrong.length} rows misplaced, ${served.wrong} of ${served.answers} answers served wrong, settled ${settled.toFixed(0)} ms later`,
  );
  assert.deepEqual(wrong, []);
  assert.equal(served.wrong, 0);
  for (const [key, { n, name }] of last) {
    const here = found.filter((row) => at(row, "id") === key);
    assert.deepEqual(
      here.map((row) => [at(row, "n"), at(row, "name")]),
      [[n, name]],
      key,
    );
  }
});
