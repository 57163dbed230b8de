/**
 * Supervision at length, by `npm run test:soak`: the same promises that `npm test` checks in seconds, over thousands of requests and a
 * hundred turns. Every test prints its figures.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { clients, type Clients } from "./clients.ts";
import { alive, get, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const apps = (name: string): string => join(ROOT, "test/process/apps", name);
const PLAIN = apps("plain.mjs");
/** What clients may notice is tried on each form of application, and on an unmodified Express script. */
const FORMS = { script: "plain.mjs", listener: "listener.mjs", fastify: "fastify.mjs", fetch: "fetch.mjs", Express: "express.mjs" };
const ENV = {
  DROVER_WORKERS: "3",
  DROVER_TIMEOUT: "2s",
  DROVER_GRACEFUL_TIMEOUT: "3s",
  DROVER_WORKER_CONNECTIONS: "50",
  DROVER_ROLL_SETTLE: "500ms",
};
const app = (t: TestContext, env: NodeJS.ProcessEnv = {}, file = PLAIN) => start(t, { args: [file], env: { ...ENV, ...env } });

const pids = async (daemon: Daemon): Promise<number[]> => (await daemon.status()).places.map(({ child }) => child?.pid ?? 0);
const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Resident memory in MiB. */
const memory = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

/** All workers are ready, none of them is `gone`, and nobody is on the way out. */
const whole = (daemon: Daemon, gone = 0): Promise<true> =>
  eventually("all workers are ready", async () => {
    const { workers, places } = await daemon.status();
    return workers.ready === 3 && places.every(({ child, leaving }) => child?.pid !== gone && leaving.length === 0);
  });

async function roll(daemon: Daemon): Promise<void> {
  const { generation } = await daemon.status();
  await daemon.control("reload");
  await eventually("the roll is done", async () => {
    const now = await daemon.status();
    assert.notEqual(now.lastRoll?.is, "rolledBack");
    return now.generation === generation + 1 && now.roll === null;
  });
}

const told = ({ served, failed, slowest }: Clients): string =>
  `${served.kept} on kept connections, ${served.fresh} on fresh ones, ${served.late} on such that wait first; ` +
  `${failed.length} failed, the slowest took ${Math.round(slowest())} ms`;

for (const [form, file] of Object.entries(FORMS)) {
  test(`${form}: ten reloads under 40 clients and 20,000 requests: each changes every worker, and no request fails`, async (t) => {
    const daemon = await app(t, {}, apps(file));
    const asking = clients(daemon.url, { kept: 16, fresh: 16, late: 8 });
    for (let i = 0; i < 10; i += 1) {
      const before = await pids(daemon);
      await roll(daemon);
      const after = await pids(daemon);
      assert.deepEqual(
        after.filter((pid) => before.includes(pid)),
        [],
      );
    }
    await eventually("20,000 requests are served", () => asking.total() >= 20_000);
    await asking.stop();
    t.diagnostic(`${form}: 10 reloads: ${told(asking)}`);
    assert.deepEqual(asking.failed.slice(0, 5), []);
  });

  test(`${form}: workers killed, and workers stopped until they are killed, 15 times each under 16 connections: nobody hangs, nothing leaks`, async (t) => {
    const daemon = await app(t, {}, apps(file));
    const held = descriptors(daemon.pid);
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const asking = clients(daemon.url, { kept: 8, fresh: 8 });
      for (let i = 0; i < 15; i += 1) {
        const [victim = 0] = (await pids(daemon)).slice(i % 3);
        process.kill(victim, signal);
        await eventually("it is gone", () => !alive(victim));
        await whole(daemon, victim);
      }
      await asking.stop();
      t.diagnostic(`${form}: 15 × ${signal}: ${told(asking)}`);
      // What the dead worker held is lost with it, by its end and not by waiting: one answer for each connection at most.
      assert.ok(asking.failed.length <= 15 * 16, `${asking.failed.length}`);
      // A stopped worker is found after its timeout of 2 s.
      const bound = signal === "SIGKILL" ? 3_000 : 6_000;
      assert.ok(asking.slowest() < bound, `${asking.slowest()} ms`);
    }
    const after = await eventually("descriptors are given back", () => descriptors(daemon.pid) <= held + 2 && descriptors(daemon.pid));
    t.diagnostic(`the master's descriptors: ${held} → ${after}`);
  });

  test(`${form}: the master is stopped for ten seconds: at least 99.9 % of the requests are answered, and nobody is killed for it`, async (t) => {
    const daemon = await app(t, {}, apps(file));
    const before = await pids(daemon);
    const asking = clients(daemon.url, { kept: 8, fresh: 8, late: 4 });
    daemon.signal("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 10_000)); // the pause is the subject
    daemon.signal("SIGCONT");
    await eventually("the beats arrive", async () => (await daemon.status()).places.every(({ child }) => (child?.beatAge ?? 1e9) < 1_000));
    await asking.stop();
    t.diagnostic(`${form}: the master stopped for 10 s: ${told(asking)}`);
    assert.ok(asking.failed.length <= asking.total() / 1_000);
    assert.deepEqual(await pids(daemon), before);
  });
}

for (const [when, file] of [
  ["while they boot", "crashes.mjs"],
  ["50 ms after they are ready", "crashes-ready.mjs"],
] as const)
  test(`workers that crash ${when}: at most 8 starts of a place in 30 s, at most 5 % of a core between them`, async (t) => {
    const daemon = await start(t, { args: [apps(file)], env: { ...ENV, DROVER_WORKERS: "1" } });
    const restarts = async (): Promise<number> => (await daemon.place("worker/0")).restarts;
    const [begun, spent] = [performance.now(), cpuOf(daemon.pid)];
    await get(`${daemon.url}/die`).catch(() => {}); // from now on each crashes
    await eventually("30 s are over", () => performance.now() - begun >= 30_000); // a status costs CPU: asked at both ends alone
    const [starts, share] = [await restarts(), (cpuOf(daemon.pid) - spent) / 30];
    t.diagnostic(`crash ${when}: ${starts} starts in 30 s; the master and what it has reaped: ${(share * 100).toFixed(1)} % of a core`);
    assert.ok(starts <= 8, `${starts}`);
    assert.ok(share < 0.1, `${share}`); // 5 % on a quiet machine
  });

/** CPU seconds of a process and of its children that have ended (proc(5), stat: utime, stime, cutime, cstime). */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) / 100;
}

test("a hundred reloads and a hundred kills: as many descriptors as before, at most 25 % more memory than after the start", async (t) => {
  const daemon = await app(t, { DROVER_ROLL_SETTLE: "100ms", DROVER_DRAIN_IDLE: "100ms" });
  const turn = async (kills: number): Promise<void> => {
    await roll(daemon);
    await whole(daemon);
    for (let i = 0; i < kills; i += 1) {
      const [victim = 0] = await pids(daemon);
      process.kill(victim, "SIGKILL");
      await eventually("it is gone", () => !alive(victim));
      await whole(daemon, victim);
    }
  };
  /** It compacts in its first idle second, five seconds after the start or a reload. */
  const rest = (): Promise<void> => sleep(10_000);
  await rest();
  const [held, rss] = [descriptors(daemon.pid), memory(daemon.pid)];
  for (let i = 0; i < 100; i += 1) await turn(1);
  const after = await eventually("descriptors are given back", () => descriptors(daemon.pid) <= held + 2 && descriptors(daemon.pid));
  const busy = memory(daemon.pid);
  await rest();
  const grown = memory(daemon.pid) / rss - 1;
  t.diagnostic(
    `100 reloads, 100 kills: descriptors ${held} → ${after}, memory ${rss.toFixed(0)} → ${busy.toFixed(0)} MiB, at rest ${(grown * 100).toFixed(1)} % more`,
  );
  assert.ok(grown <= 0.25);
});
