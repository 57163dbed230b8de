// alone
/** A hundred people and a spreadsheet that takes 0.5–2 s to answer, against the clock: nobody waits for it after the first read. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "../support/folder.ts";
import { get, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const TTL = 2;

function tables(): string {
  const file = join(temporaryFolder("tables"), "tables.json");
  const parsed = JSON.parse(readFileSync(join(ROOT, "config/tables.json"), "utf8")) as { tables: Record<string, { ttl: string }> };
  for (const table of Object.values(parsed.tables)) table.ttl = `${TTL}s`;
  writeFileSync(file, JSON.stringify(parsed));
  return file;
}

const slow = { DROVER_EMULATOR_LATENCY: "slow", DROVER_EMULATOR_QUOTA: "on", DROVER_WORKERS: "3", DROVER_TABLES: tables() };
const calls = async (daemon: Daemon): Promise<number> => (await daemon.status()).counters.upstreamCalls;

test("ten requests a second over several TTLs: nobody waits for the spreadsheet, at most one call a TTL whatever the workers", async (t) => {
  const daemon = await start(t, { env: slow });
  await get(`${daemon.url}/api/tables/players?limit=10`);
  await eventually("the first rows are there", async () => (await daemon.status()).upstream?.state === "ok");
  const before = await calls(daemon);
  const seconds = 8;
  const times: number[] = [];
  const statuses = new Set<number>();
  const one = async (i: number): Promise<void> => {
    await sleep(i * 100);
    const began = performance.now();
    statuses.add((await get(`${daemon.url}/api/tables/${i % 2 === 0 ? "players" : "teams"}?limit=10`)).status);
    times.push(performance.now() - began);
  };
  await Promise.all(Array.from({ length: seconds * 10 }, (_, i) => one(i)));
  const made = (await calls(daemon)) - before;
  const p95 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN;
  console.log(
    `10 requests/s for ${seconds} s, TTL ${TTL} s, 3 workers, upstream 0.5–2 s: p95 ${p95.toFixed(1)} ms, ${made} upstream calls (per-worker caches: ${(2 * 3 * seconds) / TTL})`,
  );
  assert.deepEqual([...statuses], [200]);
  assert.ok(p95 < 500, `p95 ${p95} ms`);
  assert.ok(made <= seconds / TTL + 2, `${made} calls in ${seconds} s`);
});
