/** What an application may do to its supervisor: it costs one worker at most, never the service. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { times } from "../times.ts";
import { alive, get, ROOT, start, type Daemon } from "./harness.ts";
import { sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const HOSTILE = join(ROOT, "test/process/apps/hostile.mjs");
const hostile = (t: TestContext, env: NodeJS.ProcessEnv = {}) => start(t, { args: [HOSTILE], env });

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Resident memory in MiB. */
const memory = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

const act = async (daemon: Daemon, what: string): Promise<number> => Number((await get(`${daemon.url}/${what}`)).body);
/** @param without a process that is dead: the master may not have heard of it yet, and count it still. */
const bothReady = (daemon: Daemon, without = 0): Promise<boolean> =>
  eventually("both workers are ready", async () => {
    const { workers, places } = await daemon.status();
    return workers.ready === 2 && places.every(({ child, leaving }) => child?.pid !== without && leaving.length === 0);
  });
async function replaced(daemon: Daemon, pid: number): Promise<void> {
  await eventually("that worker is gone", () => !alive(pid));
  await bothReady(daemon, pid);
}

test("what is no message on its channel, or none that Node.js can take, costs the worker that sent it", async (t) => {
  const daemon = await hostile(t);
  for (const what of ["garbage", "endless", "bogus", "ack", "query"]) {
    await replaced(daemon, await act(daemon, what));
    assert.equal((await get(daemon.url)).status, 200, what);
  }
  await daemon.logged(/broke its channel.*not valid JSON/);
  await daemon.logged(/broke its channel.*longer than/);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a worker that closes its channel, or leaves it, is replaced", async (t) => {
  const daemon = await hostile(t);
  for (const what of ["close3", "disconnect", "exit"]) await replaced(daemon, await act(daemon, what));
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("forged, countless and huge messages, and descriptors that nobody asked for: ignored, and nothing grows", async (t) => {
  const daemon = await hostile(t);
  const before = descriptors(daemon.pid);
  for (const [i, what] of ["forged", "flood", "huge", "holds", "handles"].entries()) {
    await act(daemon, what);
    // One channel, one order: the beat that counts this request comes after all that was sent with it.
    await eventually("its beat has come", async () => (await daemon.status()).counters.served > i);
  }
  await bothReady(daemon);
  t.diagnostic(`master: ${memory(daemon.pid).toFixed(0)} MiB, ${descriptors(daemon.pid)} descriptors (${before} before)`);
  assert.ok(memory(daemon.pid) < 250, `${memory(daemon.pid)} MiB`);
  await eventually("no descriptor stays", () => Math.abs(descriptors(daemon.pid) - before) <= 2);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("while a worker prints without pause the operator is answered at once", async (t) => {
  const daemon = await hostile(t);
  await act(daemon, "lines");
  await daemon.logged(/^x$/);
  let worst = 0;
  for (let i = 0; i < 10; i += 1) {
    const begun = performance.now();
    assert.equal((await daemon.status()).state, "running");
    worst = Math.max(worst, performance.now() - begun);
  }
  t.diagnostic(`slowest answer of the control socket ${worst.toFixed(0)} ms`);
  assert.ok(worst < 2_000);
  await act(daemon, "long");
  await daemon.logged(/^y{16384}… \(cut\)$/);
  assert.equal((await daemon.stop("SIGINT")).code, 0);
});

test("what a worker forked and left behind, its pipes in hand, keeps neither the worker's end from being seen nor the master from ending", async (t) => {
  const daemon = await hostile(t);
  const parent = await act(daemon, "child");
  const left = await eventually("it has forked", () =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cmdline`) === "sleep\u000060\u0000")
      .map(Number)
      .find((pid) => read(`/proc/${pid}/stat`).includes(` ${parent} `)),
  );
  t.after(() => sent(left, "SIGKILL"));
  process.kill(parent, "SIGKILL");
  await replaced(daemon, parent);
  daemon.signal("SIGTERM");
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  assert.ok(alive(left));
});

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has gone
  }
};

test(`after ${times(3)} reloads and ${times(4)} kills the master holds as many descriptors as before, and no more memory`, async (t) => {
  const daemon = await hostile(t, { DROVER_ROLL_SETTLE: "100ms", DROVER_DRAIN_IDLE: "100ms" });
  const roll = async (): Promise<void> => {
    const { generation } = await daemon.status();
    await daemon.control("reload");
    await eventually("the roll is done", async () => {
      const now = await daemon.status();
      return now.generation === generation + 1 && now.roll === null;
    });
  };
  const kill = async (): Promise<void> => {
    const pid = (await daemon.place("worker/0")).child?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    await replaced(daemon, pid);
  };
  const settled = async (): Promise<number> => {
    await bothReady(daemon);
    return descriptors(daemon.pid);
  };
  await roll(); // warm
  await kill();
  const [before, rss] = [await settled(), memory(daemon.pid)];
  for (let i = 0; i < times(1); i += 1) {
    await roll();
    await roll();
    await kill();
    await kill();
    await roll(); // a new generation has no history of crashes
    await kill();
    await kill();
  }
  // A connection to the control socket that is just closing counts too: what leaks does not come back.
  const after = await eventually("the descriptors are given back", async () => {
    const now = await settled();
    return now <= before + 2 && now;
  });
  t.diagnostic(`descriptors ${before} → ${after}, memory ${rss.toFixed(0)} → ${memory(daemon.pid).toFixed(0)} MiB`);
  assert.ok(memory(daemon.pid) - rss < 40);
});
