/** What the administration costs at 16 workers: answered at once beside a stuck one, and out of reach of strangers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { http } from "../../src/base/http.ts";
import { cleanEnv, DROVER, get, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const WORKERS = 16;
const STRANGERS_FOR = 5_000;
const quantile = (times: readonly number[], q: number): number => times.toSorted((a, b) => a - b)[Math.floor(times.length * q)] ?? 0;

const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

test("strangers on an address of the administration's own come at a pace", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "1", DROVER_ADMIN_BIND: "127.0.0.1:0" } });
  const { stdout } = await promisify(execFile)(DROVER, ["dashboard"], { cwd: daemon.dir, env: cleanEnv() });
  const own = new URL(stdout.split("\n", 1)[0] ?? "").origin;
  const token = readFileSync(join(daemon.dir, "var/admin-token"), "utf8").trim();
  const master = (await daemon.status()).pid;
  const crowd = new http.Agent({ keepAlive: true, maxSockets: 64 });
  let [asked, oldest] = [0, 0];
  const over = new AbortController();
  const before = cpuOf(master);
  const all = Array.from({ length: 64 }, async (_, i) => {
    const path = ["/api/admin/health", "/api/admin/stats", "/admin", "/else"][i % 4] ?? "";
    while (!over.signal.aborted) {
      const answered = await get(`${own}${path}`, { agent: crowd }).then(
        () => true,
        () => false,
      );
      if (answered) asked += 1;
    }
  });
  const times: number[] = [];
  const end = performance.now() + STRANGERS_FOR;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  while (performance.now() < end) {
    const started = performance.now();
    assert.equal((await get(`${own}/api/admin/capacity`, { agent, headers: { authorization: `Bearer ${token}` } })).status, 200);
    times.push(performance.now() - started);
    for (const { child } of (await daemon.status()).places) oldest = Math.max(oldest, child?.beatAge ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const cost = cpuOf(master) - before;
  over.abort();
  crowd.destroy();
  await Promise.allSettled(all);
  const each = asked / (STRANGERS_FOR / 1_000);
  console.log(
    `DROVER_ADMIN_BIND: 64 strangers get ${Math.round(each)} answers a second and cost the master ${cost} ms of CPU in ${STRANGERS_FOR} ms; an operator meanwhile waits ${quantile(times, 0.5).toFixed(1)} ms (p50); the oldest heartbeat ${Math.round(oldest)} ms`,
  );
  assert.ok(each <= 400 && oldest < 5_000);
});

test("capacity within 10 ms at 16 workers, one of them stuck; anonymous requests move no heartbeat", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: String(WORKERS), DROVER_TIMEOUT: "120s" } });
  const token = readFileSync(join(daemon.dir, "var/admin-token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}` };
  process.kill((await daemon.place("worker/3")).child?.pid ?? 0, "SIGSTOP");
  await eventually("it is silent", async () => ((await daemon.place("worker/3")).child?.beatAge ?? 0) > 2_000);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const socketPath = join(daemon.dir, "var/run/control.sock");
  const ways = {
    "/api/admin/health, which the worker answers itself": () => get(`${daemon.url}/api/admin/health`, { headers, agent }),
    [`/api/admin/capacity by a worker, ${WORKERS} workers, one stuck (<= 10 ms)`]: () =>
      get(`${daemon.url}/api/admin/capacity`, { headers, agent }),
    "/api/admin/capacity on the control socket (<= 10 ms)": () => get("http://x/api/admin/capacity", { socketPath }),
  };
  // In turns: what else the machine does then weighs on all three alike.
  const times: number[][] = Object.values(ways).map(() => []);
  for (let nr = 0; nr < 100; nr += 1)
    for (const [i, ask] of Object.values(ways).entries()) {
      const started = performance.now();
      assert.equal((await ask()).status, 200);
      times[i]?.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  const [own = 0, byWorker = 0, byControl = 0] = times.map((each) => quantile(each, 0.5));
  for (const [i, what] of Object.keys(ways).entries())
    console.log(`${what}: p50 ${quantile(times[i] ?? [], 0.5).toFixed(1)} ms, p95 ${quantile(times[i] ?? [], 0.95).toFixed(1)} ms`);
  // On a machine that others keep busy every hop waits its turn: what is ours is what the way to the master adds.
  assert.ok(byWorker - own <= 10 && byControl <= 10);

  // Strangers: as many requests as two connections a core can make, on health and on what they may not see.
  const master = (await daemon.status()).pid;
  const cpu = (): number => cpuOf(master);
  const quiet = cpu();
  await new Promise((resolve) => setTimeout(resolve, STRANGERS_FOR));
  const before = cpu();
  const crowd = new http.Agent({ keepAlive: true, maxSockets: 32 });
  let asked = 0;
  const over = new AbortController();
  let oldest = 0;
  const one = async (path: string): Promise<void> => {
    while (!over.signal.aborted) {
      await get(`${daemon.url}${path}`, { agent: crowd }).catch(() => undefined); // the stuck worker's connections time out
      asked += 1;
    }
  };
  const all = ["/api/admin/health", "/healthz", "/api/admin/capacity", "/api/admin/health"].flatMap((path) =>
    Array.from({ length: 8 }, () => one(path)),
  );
  const watch = setInterval(() => {
    void daemon.status().then(({ places }) => {
      for (const { id, child } of places) if (id !== "worker/3") oldest = Math.max(oldest, child?.beatAge ?? 0);
    });
  }, 250);
  await new Promise((resolve) => setTimeout(resolve, STRANGERS_FOR));
  const after = cpu();
  clearInterval(watch);
  over.abort();
  crowd.destroy();
  process.kill((await daemon.place("worker/3")).child?.pid ?? 0, "SIGCONT");
  await Promise.allSettled(all);
  console.log(
    `${Math.round(asked / (STRANGERS_FOR / 1_000))} anonymous requests a second: the master's CPU ${before - quiet} ms in ${STRANGERS_FOR} ms without them, ${after - before} ms with them; the oldest heartbeat ${Math.round(oldest)} ms`,
  );
  assert.ok(oldest < 5_000);
  assert.equal((await daemon.status()).deaths["stuck"] ?? 0, 0);
});
