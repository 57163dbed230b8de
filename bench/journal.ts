/**
 * The journal's append beside the disk's own fdatasync, in turns within one run: one writer, and 64 at once that share commits.
 *
 *   npm run bench journal           [SECONDS=3] [DIR=a folder on the disk to be measured]
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "../src/base/clock.ts";
import { makeLogger } from "../src/base/log.ts";
import type { Journal, NewEntry } from "../src/broker/journal/journal.ts";
import { openJournal } from "../src/broker/journal/open.ts";

const SECONDS = Number(process.env["SECONDS"] ?? 3);
const ROUNDS = 3;
const dir = mkdtempSync(join(process.env["DIR"] ?? tmpdir(), "drover-bench-"));
const log = makeLogger({ role: "cli" }, "warn", process.stderr);

let made = 0;
const entry = (): NewEntry => {
  const id = `01JD${String((made += 1)).padStart(22, "0")}`;
  const values = { Name: "Ada Lovelace", Level: 7, Score: 12_345.5, Done: false, Note: "a remark of a usual length, in one cell" };
  return { id, table: "scores", op: "append", key: id, values, at: systemClock.wall() };
};

/** As many bytes as an append of one write leaves in the WAL: five pages. */
async function disk(until: number, times: number[]): Promise<void> {
  const file = openSync(join(dir, "disk"), "a");
  const bytes = Buffer.alloc(5 * 4_120, 1);
  while (performance.now() < until) {
    const from = performance.now();
    writeSync(file, bytes);
    fdatasyncSync(file);
    times.push(performance.now() - from);
    await new Promise(setImmediate);
  }
  closeSync(file);
}

async function writer(journal: Journal, until: number, times: number[]): Promise<void> {
  while (performance.now() < until) {
    const from = performance.now();
    const { is } = await journal.add({ entries: [entry()] });
    if (is !== "added") throw new Error(`the journal answered ${is}`);
    times.push(performance.now() - from);
  }
}

const quantile = (times: number[], q: number): string => (times.sort((a, b) => a - b)[Math.floor(times.length * q)] ?? NaN).toFixed(2);
const open = (): Promise<Journal> =>
  openJournal({ dir, now: systemClock.wall, log, limits: { waiting: 1e7, waitingBytes: 2 ** 31 }, onFatal: log.fatal.bind(log) });

const journal = await open();
const loop = monitorEventLoopDelay({ resolution: 1 });
const measured = { disk: [] as number[], one: [] as number[], many: [] as number[] };
const span = (SECONDS * 1_000) / ROUNDS;
for (let round = 0; round < ROUNDS; round += 1) {
  await disk(performance.now() + span, measured.disk);
  loop.enable();
  await writer(journal, performance.now() + span, measured.one);
  const until = performance.now() + span;
  await Promise.all(Array.from({ length: 64 }, () => writer(journal, until, measured.many)));
  loop.disable();
}
await journal.close();

console.log(`${SECONDS} s each in ${ROUNDS} rounds, in turns, Node.js ${process.versions.node}`);
console.log("| | a second | p50 ms | p99 ms |\n|---|---|---|---|");
const names = { disk: "write + fdatasync of 20 KB, no database", one: "journal, one writer", many: "journal, 64 writers" };
for (const [kind, times] of Object.entries(measured) as ["disk" | "one" | "many", number[]][])
  console.log(`| ${names[kind]} | ${Math.round(times.length / SECONDS)} | ${quantile(times, 0.5)} | ${quantile(times, 0.99)} |`);
const ratio = Number(quantile(measured.one, 0.99)) / Number(quantile(measured.disk, 0.99));
console.log(`\nverdict: an append's p99 is ${ratio.toFixed(2)} times that of the disk's own write and fdatasync`);
console.log(`writes a second, 64 writers ÷ one: ${(measured.many.length / measured.one.length).toFixed(1)}`);
console.log(`the loop's delay meanwhile, p99: ${(loop.percentile(99) / 1e6).toFixed(1)} ms (1 ms is the timer's own)`);

const rest = Math.max(0, 100_000 - made);
const filling = await open();
for (let i = 0; i < rest; i += 500) await filling.add({ entries: Array.from({ length: Math.min(500, rest - i) }, entry) });
await filling.close();
const from = performance.now();
const full = await open();
console.log(
  `opening with ${full.recovered.entries.length} writes that wait, all checked: ${((performance.now() - from) / 1_000).toFixed(2)} s`,
);
await full.close();
rmSync(dir, { recursive: true, force: true });
