/**
 * The case drover is for: a spreadsheet that takes 0.5–2 s to answer, and a hundred people. Under Gunicorn with 9 sync workers that is 9
 * answers a second for 10 wanted, so the queue grows without end. Here the slow calls are made once for all, and nobody waits for them
 * twice.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { get, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

/** Seconds: longer than the test. */
const TTL = 3_600;

function tables(): string {
  const file = join(temporaryFolder("tables"), "tables.json");
  const parsed = JSON.parse(readFileSync(join(ROOT, "config/tables.json"), "utf8")) as { tables: Record<string, { ttl: string }> };
  for (const table of Object.values(parsed.tables)) table.ttl = `${TTL}s`;
  writeFileSync(file, JSON.stringify(parsed));
  return file;
}

const slow = { DROVER_EMULATOR_LATENCY: "slow", DROVER_EMULATOR_QUOTA: "on", DROVER_WORKERS: "3", DROVER_TABLES: tables() };
const calls = async (daemon: Daemon): Promise<number> => (await daemon.status()).counters.upstreamCalls;

test("a hundred people at once on a cold cache: one upstream call, everybody is answered", async (t) => {
  const daemon = await start(t, { env: slow });
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 100 }, () => get(`${daemon.url}/api/tables/players?limit=10`)));
  const took = performance.now() - began;
  assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
  await eventually("the broker's beat has told", async () => (await daemon.status()).upstream?.state === "ok");
  const made = await calls(daemon);
  console.log(`100 people on a cold cache, upstream 0.5–2 s: all answered after ${(took / 1_000).toFixed(2)} s, ${made} upstream call(s)`);
  assert.ok(made <= 2, `${made} calls`);
});
