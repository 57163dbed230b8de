// alone
/** A full daemon: what it burns while clients wait in the kernel's queue, and how soon one is served when there is room. */
import assert from "node:assert/strict";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readProcStat, TICKS_PER_SECOND } from "../../src/master/shell/procstat.ts";
import { descendants, get, ROOT, start, type Daemon } from "./harness.ts";
import { untilHolds } from "../support/times.ts";
import { eventually } from "../support/wait.ts";

const WORKERS = 3;
const CAP = 50;
const WAITING = 200;
/** A busy machine may disturb a measurement: most tries. */
const TRIES = 3;

const cpuSeconds = (daemon: Daemon): number =>
  [daemon.pid, ...descendants(daemon.pid)].reduce((sum, pid) => sum + (readProcStat(pid)?.cpuTicks ?? 0), 0) / TICKS_PER_SECOND;

/** @returns master and workers' share of one core within `span` ms. */
async function burnt(daemon: Daemon, span: number): Promise<number> {
  const before = cpuSeconds(daemon);
  const begun = performance.now();
  await sleep(span);
  return (cpuSeconds(daemon) - before) / ((performance.now() - begun) / 1_000);
}

const serve = (t: TestContext): Promise<Daemon> =>
  start(t, {
    args: [join(ROOT, "test/process/apps/listener.mjs"), "--workers", String(WORKERS), "--graceful-timeout", "2s"],
    env: { DROVER_WORKER_CONNECTIONS: String(CAP) },
  });

function connect(url: string, text = ""): net.Socket {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname, () => void (text !== "" && socket.write(text)));
  return socket.on("error", () => socket.destroy());
}

/** ms after which the master has tidied up its heap, once (src/base/compact.ts): not what a full worker costs. */
const TIDIED = 7_000;

const HANG = "GET /hang HTTP/1.1\r\nHost: t\r\n\r\n";
const isFull = (daemon: Daemon) => async () => {
  const workers = (await daemon.status()).places.filter(({ role }) => role === "worker");
  return workers.every(({ child }) => child?.full === true);
};

/** A worker that spins or polls while it is full would burn twenty times what rest costs. */
const holds = ({ rest, full, waited }: { rest: number; full: number; waited: number }): boolean => full <= 4 * rest && waited <= 1_000;

test("all connections in use and 200 more wait: it costs little more than rest, and a client is served as soon as there is room", async (t) => {
  const daemon = await serve(t);
  await sleep(TIDIED);
  const measured = await untilHolds(
    TRIES,
    async () => {
      const rest = await burnt(daemon, 4_000);
      const busy = Array.from({ length: WORKERS * CAP }, () => connect(daemon.url, HANG));
      await eventually("every worker is full", isFull(daemon));
      const idle = Array.from({ length: WAITING }, () => connect(daemon.url));
      await sleep(2_000); // what the accepted ones cost is not what a full worker costs
      const full = await burnt(daemon, 4_000);
      const answered = get(`${daemon.url}/good`);
      await sleep(200);
      for (const socket of [...busy, ...idle]) socket.destroy();
      const begun = performance.now();
      assert.equal((await answered).status, 207);
      const waited = performance.now() - begun;
      await eventually("no worker is full", async () => !(await isFull(daemon)()));
      const percent = (share: number): string => (share * 100).toFixed(1);
      t.diagnostic(`of a core: at rest ${percent(rest)} %, full ${percent(full)} %; served ${waited.toFixed(0)} ms after there was room`);
      return { rest, full, waited };
    },
    holds,
  );
  assert.ok(holds(measured), JSON.stringify(measured));
  assert.equal((await daemon.stop()).code, 0);
});

test("as many idle connections as the cap allows and 200 more: room is made, and a client who asks gets in", async (t) => {
  const daemon = await serve(t);
  const idle = Array.from({ length: WORKERS * CAP + WAITING }, () => connect(daemon.url));
  await sleep(200);
  const before = cpuSeconds(daemon);
  const begun = performance.now();
  assert.equal((await get(`${daemon.url}/good`)).status, 207);
  const waited = performance.now() - begun;
  const share = (cpuSeconds(daemon) - before) / (waited / 1_000);
  t.diagnostic(`behind ${WAITING} idle clients: served after ${waited.toFixed(0)} ms, at ${(share * 100).toFixed(1)} % of a core`);
  assert.ok(waited <= 5_000, `${waited.toFixed(0)} ms`); // 1 s until any of them is idle, the first time
  for (const socket of idle) socket.destroy();
  assert.equal((await daemon.stop()).code, 0);
});
