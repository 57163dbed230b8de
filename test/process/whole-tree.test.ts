/** SIGTERM and SIGINT to every process at once, as `kill -- -PGID`, a terminal's Ctrl-C or KillMode=control-group send them. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { http } from "../../src/base/http.ts";
import { descendants, get, ONE, start, type Daemon } from "./harness.ts";
import { sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

function post(url: string, body: unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method: "POST", agent: false, headers: { "content-type": "application/json" } }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode ?? 0));
    });
    req.on("error", reject);
    req.end(JSON.stringify(body));
  });
}

/** The broker first: it must not be gone when its workers need it. */
async function signalAll(daemon: Daemon, signal: NodeJS.Signals): Promise<void> {
  const broker = (await daemon.place("broker/0")).child?.pid;
  const pids = [...descendants(daemon.pid), daemon.pid].sort((a, b) => Number(b === broker) - Number(a === broker));
  for (const pid of pids) sent(pid, signal);
}

test("SIGTERM to every process: requests that wait for Google are answered, the broker goes last", async (t) => {
  const daemon = await start(t, { env: { ...ONE, DROVER_EMULATOR_LATENCY: "slow" } });
  const table = get(`${daemon.url}/api/tables/players?limit=1`);
  const written = post(`${daemon.url}/api/tables/actions?wait=sheet`, { player: "p001", kind: "note", note: "kept" });
  await eventually("both are in flight", async () => ((await daemon.place("worker/0")).child?.inFlight ?? 0) >= 2);
  await signalAll(daemon, "SIGTERM");
  assert.equal((await table).status, 200);
  assert.ok([201, 202].includes(await written), `the write is acknowledged: ${await written}`);
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  const broken = daemon.log().filter(({ msg }) => /broker.*(killed by|is gone)|emulator.*(killed by|is gone)/.test(String(msg)));
  assert.deepEqual(broken, []);
});

test("SIGHUP, SIGUSR2 and SIGWINCH to every process end none of them", async (t) => {
  const daemon = await start(t, { env: ONE });
  const before = (await daemon.status()).places.map(({ id, child }) => [id, child?.pid]);
  await signalAll(daemon, "SIGWINCH");
  for (const { child } of (await daemon.status()).places)
    if (child !== null) for (const signal of ["SIGHUP", "SIGUSR2"] as const) process.kill(child.pid, signal);
  await sleep(100);
  assert.equal((await get(`${daemon.url}/api/tables/players?limit=1`)).status, 200);
  assert.deepEqual(
    (await daemon.status()).places.map(({ id, child }) => [id, child?.pid]),
    before,
  );
});
