/**
 * The most rows a minute that one service account takes, by `npm run test:soak`: an emulator that counts quotas as Google does and answers
 * as slowly. docs/when-sheets-must-go.md quotes these figures. SOAK_SECONDS shortens it (120 each).
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { standalone, type Standalone } from "../tools/emulator/standalone.ts";
import { allLanded, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 120);
const ROWS_PER_REQUEST = 500;
/** Enough to fill the next calls, far below what the journal holds. */
const MOST_WAITING = 10_000;

interface World {
  readonly emulator: Standalone;
  readonly daemon: Daemon;
  send(method: "POST" | "PATCH", path: string, body: unknown): Promise<number>;
  written(): Promise<{ readonly landed: number; readonly waiting: number }>;
}

async function world(t: TestContext): Promise<World> {
  const emulator = await standalone(t, ["--emulator-latency", "recorded", "--emulator-quota", "on", "--faults"]);
  const cwd = folder(t);
  const table = { key: "id", ttl: "5m", read: "public", append: "public", update: "public", maxRows: 100_000 };
  writeFileSync(join(cwd, "tables.json"), JSON.stringify({ tables: { actions: table } }));
  const daemon = await start(t, {
    cwd,
    env: { ...emulator.env, DROVER_WORKERS: "2", DROVER_RATE_LIMIT: "off", DROVER_TABLES: join(cwd, "tables.json") },
  });
  await eventually("the rows are known", async () => (await daemon.status()).upstream?.tables.length === 1);
  return {
    emulator,
    daemon,
    async send(method, path, body) {
      const asked = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = await fetch(`${daemon.url}/api/tables/${path}`, asked);
      await answer.arrayBuffer();
      return answer.status;
    },
    async written() {
      const { landed, waiting } = (await daemon.status()).upstream?.writes ?? assert.fail("there is no report of writes");
      return { landed, waiting };
    },
  };
}

/** Offers writes as fast as they are taken, for SECONDS. @returns rows a minute that reached the sheet meanwhile. */
async function ceiling({ written }: World, offer: (nr: number) => Promise<void>): Promise<number> {
  const { landed: before } = await written();
  const began = performance.now();
  let nr = 0;
  while (performance.now() - began < SECONDS * 1_000) {
    if ((await written()).waiting < MOST_WAITING) await offer((nr += 1));
    else await sleep(100);
  }
  const { landed } = await written();
  return ((landed - before) * 60_000) / (performance.now() - began);
}

test("2.5: rows that are added, 500 in a request: what one account takes in a minute", async (t) => {
  const here = await world(t);
  const perMinute = await ceiling(here, async (nr) => {
    const rows = Array.from({ length: ROWS_PER_REQUEST }, (_, i) => ({
      id: `c-${nr}-${i}`,
      kind: "report",
      note: "a remark of a usual length",
    }));
    assert.equal(await here.send("POST", "actions", rows), 201);
  });
  const calls = await here.emulator.requests();
  t.diagnostic(`${perMinute.toFixed(0)} rows a minute added; calls ${JSON.stringify(calls)}`);
  assert.equal(calls.byStatus[429] ?? 0, 0);
  assert.ok(perMinute > 60, `${perMinute}: batches carry more than a row a call`);
  await allLanded(here.daemon);
});

test("2.5: changes of other rows each time: what one account takes in a minute", async (t) => {
  const here = await world(t);
  const rows = Array.from({ length: 5_000 }, (_, i) => ({ id: `d-${i}`, kind: "report", note: "old" }));
  for (let i = 0; i < rows.length; i += ROWS_PER_REQUEST)
    assert.equal(await here.send("POST", "actions", rows.slice(i, i + ROWS_PER_REQUEST)), 201);
  await allLanded(here.daemon);
  let next = 0;
  const perMinute = await ceiling(here, async (nr) => {
    const keys = Array.from({ length: 100 }, () => `d-${(next += 1) % rows.length}`);
    const statuses = await Promise.all(keys.map((key) => here.send("PATCH", `actions/${key}`, { note: `new ${nr}` })));
    assert.ok(
      statuses.every((status) => status === 200),
      statuses.join(" "),
    );
  });
  const calls = await here.emulator.requests();
  t.diagnostic(`${perMinute.toFixed(0)} rows a minute changed; calls ${JSON.stringify(calls)}`);
  assert.equal(calls.byStatus[429] ?? 0, 0);
  assert.ok(perMinute > 60, `${perMinute}: batches carry more than a row a call`);
  await allLanded(here.daemon);
});
