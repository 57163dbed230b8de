/**
 * Writes at length, by `npm run test:soak`: a daemon with 8 workers on an emulator that counts quotas as Google does, and answers as
 * slowly. SOAK_SECONDS shortens it (300).
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { http } from "../../src/base/http.ts";
import { standalone, type Standalone } from "../tools/emulator/standalone.ts";
import { allLanded, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 300);
const NAMES = ["players", "actions", "teams", "announcements", "schedule", "zones"] as const;
type Name = (typeof NAMES)[number];
/** A column of each that takes text. */
const COLUMN: Readonly<Record<Name, string>> = {
  players: "name",
  actions: "note",
  teams: "name",
  announcements: "title",
  schedule: "title",
  zones: "name",
};
const AS_GOOGLE = ["--emulator-latency", "recorded", "--emulator-quota", "on", "--faults"];

interface World {
  readonly emulator: Standalone;
  readonly daemon: Daemon;
  readonly send: (
    method: string,
    path: string,
    body: unknown,
  ) => Promise<{ status: number; retryAfter: string | undefined; body: string; ms: number }>;
}

async function world(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<World> {
  const emulator = await standalone(t, AS_GOOGLE);
  const cwd = folder(t);
  const table = { key: "id", ttl: "30s", read: "public", append: "public", update: "public" };
  writeFileSync(join(cwd, "tables.json"), JSON.stringify({ tables: Object.fromEntries(NAMES.map((name) => [name, table])) }));
  const daemon = await start(t, {
    cwd,
    env: { ...emulator.env, DROVER_WORKERS: "8", DROVER_RATE_LIMIT: "off", DROVER_TABLES: join(cwd, "tables.json"), ...env },
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  t.after(() => agent.destroy());
  const send: World["send"] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const headers = { "content-type": "application/json" };
      const req = http.request(`${daemon.url}/api/tables/${path}`, { method, agent, headers }, (res) => {
        let text = "";
        res.on("data", (chunk: Buffer) => (text += chunk.toString()));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, retryAfter: res.headers["retry-after"], body: text, ms: performance.now() - began }),
        );
      });
      req.on("error", reject);
      req.end(JSON.stringify(body));
    });
  await eventually("all rows are known", async () => (await daemon.status()).upstream?.tables.length === NAMES.length);
  return { emulator, daemon, send };
}

/** CPU seconds of one process (proc(5), stat: utime, stime). */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const quantile = (times: readonly number[], q: number): number =>
  Math.round(times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0);
const drained = (daemon: Daemon): Promise<void> => allLanded(daemon);

test(`${SECONDS} s of 20 writes a second into 6 tables, quotas 60 and 60: no 429, every write in the sheet once`, async (t) => {
  const { emulator, daemon, send } = await world(t);
  const broker = (await daemon.place("broker/0")).child?.pid ?? 0;
  const [added, changed, answered]: [Map<string, Name>, Map<string, { name: Name; value: string }>, number[]] = [new Map(), new Map(), []];
  const failed: string[] = [];
  const cpu = cpuOf(broker);
  const began = performance.now();
  const going: Promise<void>[] = [];
  for (let nr = 0; nr < SECONDS * 20; nr += 1) {
    await sleep(Math.max(0, began + nr * 50 - performance.now()));
    const name = NAMES[nr % NAMES.length] ?? "players";
    const [key, column] = [`soak-${nr}`, COLUMN[name]];
    const old = `soak-${nr - 1_200 - (nr % 7) * 6}`; // of the same table, and landed long ago
    const update = nr % 10 === 9 && added.get(old) === name;
    const value = `value ${nr}`;
    const asked = update ? send("PATCH", `${name}/${old}`, { [column]: value }) : send("POST", name, { id: key, [column]: value });
    going.push(
      asked.then(({ status, body, ms }) => {
        if (status !== (update ? 200 : 201)) return void failed.push(`${status} ${body.slice(0, 200)}`);
        answered.push(ms);
        if (update) changed.set(old, { name, value });
        else added.set(key, name);
      }),
    );
  }
  await Promise.all(going);
  await drained(daemon);
  const spent = cpuOf(broker) - cpu;
  const { writes, quota } = (await daemon.status()).upstream ?? assert.fail("there is no report");
  const calls = await emulator.requests();
  t.diagnostic(
    `${added.size} added, ${changed.size} changed; to the sheet p50 ${writes?.timeToSheet.p50} ms, p99 ${writes?.timeToSheet.p99} ms (of the last thousand); ` +
      `acknowledged p50 ${quantile(answered, 0.5)} ms, p99 ${quantile(answered, 0.99)} ms`,
  );
  t.diagnostic(
    `calls ${JSON.stringify(calls)}; reads this minute ${quota.used}/${quota.limit}; broker ${((spent / answered.length) * 1_000).toFixed(2)} CPU-s per 1,000 writes`,
  );
  assert.deepEqual(failed, []);
  assert.equal(calls.byStatus[429] ?? 0, 0);
  for (const name of NAMES) {
    const rows = (await emulator.rows(name)).filter(([id]) => String(id).startsWith("soak-"));
    const wanted = [...added].filter(([, table]) => table === name).map(([key]) => key);
    assert.deepEqual(new Set(rows.map(([id]) => id)), new Set(wanted), name);
    assert.equal(rows.length, wanted.length, `${name}: each once`);
  }
  for (const [key, { name, value }] of changed)
    assert.ok(
      (await emulator.rows(name)).some((row) => row[0] === key && row.includes(value)),
      `${name}/${key} is ${value}`,
    );
});

test(`100 rows a second through one account for ${Math.min(60, SECONDS)} s, and beyond it back-pressure`, async (t) => {
  const { emulator, daemon, send } = await world(t, { DROVER_JOURNAL_SIZE: "1m" });
  const span = Math.min(60, SECONDS);
  const taken = new Set<string>();
  const refused: { status: number; retryAfter: string | undefined }[] = [];
  const burst = async (nr: number, rows: number): Promise<void> => {
    const ids = Array.from({ length: rows }, (_, i) => `r-${nr}-${i}`);
    const { status, retryAfter } = await send(
      "POST",
      "actions",
      ids.map((id) => ({ id, kind: "report", note: "a remark of a usual length, in one cell" })),
    );
    if (status === 201) for (const id of ids) taken.add(id);
    else refused.push({ status, retryAfter });
  };
  const run = async (from: number, perSecond: number, seconds: number): Promise<void> => {
    const began = performance.now();
    for (let i = 0; i < seconds * 5; i += 1) {
      await sleep(Math.max(0, began + i * 200 - performance.now()));
      await burst(from + i, perSecond / 5);
    }
  };
  const landed = async (): Promise<number> => (await daemon.status()).upstream?.writes?.landed ?? 0;
  const before = performance.now();
  await run(0, 100, span);
  const [during, seconds] = [await landed(), (performance.now() - before) / 1_000];
  await drained(daemon);
  const { timeToSheet } = (await daemon.status()).upstream?.writes ?? assert.fail();
  t.diagnostic(
    `${(during / seconds).toFixed(1)} rows/s in the sheet while 100 a second came, ${refused.length} refused; p50 ${timeToSheet.p50} ms, p99 ${timeToSheet.p99} ms`,
  );
  assert.equal(refused.length, 0, JSON.stringify(refused[0]));
  assert.ok(during / seconds > 90, `${during / seconds}`);
  await run(10_000, 1_000, 20);
  t.diagnostic(
    `1,000 a second for 20 s: ${taken.size - span * 100} taken, ${refused.length} requests refused: ${JSON.stringify(refused[0])}`,
  );
  for (const { status, retryAfter } of refused)
    assert.ok((status === 503 || status === 507) && Number(retryAfter) >= 1, `${status} ${retryAfter}`);
  await drained(daemon);
  const rows = (await emulator.rows("actions")).filter(([id]) => String(id).startsWith("r-")).map(([id]) => String(id));
  assert.equal(rows.length, taken.size);
  assert.deepEqual(new Set(rows), taken);
});
