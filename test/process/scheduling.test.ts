/** DROVER_WORKER_SCHEDULING and DROVER_WORKER_PRIORITY: they hold for workers with all their threads, and for no other process. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { readSchedulingPolicy } from "../../src/master/shell/procstat.ts";
import { ONE, ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

/** sched(7). */
const [OTHER, BATCH] = [0, 3];
const skip =
  (spawnSync("chrt", ["-b", "0", "true"]).status !== 0 && "needs chrt, and leave to use it: apt-get install util-linux") ||
  ((readSchedulingPolicy(process.pid) !== OTHER || getPriority() !== 0) && "the test itself runs with a nice value or a policy of its own");

/** The policies of a process's threads, each once: field 41 of proc(5)'s stat, counted from behind the name. */
const policies = (pid: number): number[] => [
  ...new Set(
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]);
    }),
  ),
];

/** A thread may end between the listing and the look: then the next look counts. */
const become = (pid: number, policy: number): Promise<unknown> =>
  eventually(`the policy of every thread of ${pid} is ${policy}`, () => String(policies(pid)) === String(policy));

async function pidOf(daemon: Daemon, place: string): Promise<number> {
  const { child } = await daemon.place(place);
  assert.ok(child);
  return child.pid;
}

test("auto: workers of the built-in service are batch, master and broker are not; a reload to normal ends it", { skip }, async (t) => {
  const daemon = await start(t, { env: ONE });
  const first = await pidOf(daemon, "worker/0");
  await become(first, BATCH);
  for (const pid of [daemon.pid, await pidOf(daemon, "broker/0"), await pidOf(daemon, "emulator/0")]) await become(pid, OTHER);

  process.kill(first, "SIGKILL");
  const second = await eventually("it was replaced", async () => {
    const { child } = await daemon.place("worker/0");
    return child !== null && child.pid !== first && child.state === "ready" && child.pid;
  });
  await become(second, BATCH);

  writeFileSync(join(daemon.dir, ".env"), "DROVER_WORKER_SCHEDULING=normal\n");
  await daemon.control("reload");
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  await become(await pidOf(daemon, "worker/0"), OTHER);
  assert.equal((await daemon.stop()).code, 0);
});

test("auto: an application's workers are as any process, and batch where that is asked for", { skip }, async (t) => {
  for (const [scheduling, expected] of [
    [undefined, OTHER],
    ["batch", BATCH],
  ] as const) {
    const env = scheduling === undefined ? {} : { DROVER_WORKER_SCHEDULING: scheduling };
    const daemon = await start(t, { args: [join(ROOT, "test/process/apps/listener.mjs")], env: { ...ONE, ...env } });
    await become(await pidOf(daemon, "worker/0"), expected);
    assert.equal((await daemon.stop()).code, 0);
  }
});

/** The nice values of a process's threads, each once. */
const niceOf = (pid: number): number[] => [...new Set(readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread))))];

/** The nice value of its session, where the kernel groups by sessions. */
const groupOf = (pid: number): number | undefined =>
  existsSync(`/proc/${pid}/autogroup`)
    ? Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, "latin1"))?.[1] ?? 0)
    : undefined;

test("a priority: workers have it with all their threads, master and broker do not; after a reload and a death too", async (t) => {
  const own = getPriority();
  const behind = Math.min(19, own + 7);
  const daemon = await start(t, { env: { ...ONE, DROVER_WORKER_PRIORITY: String(behind) } });
  const judge = async (): Promise<number> => {
    const [worker, broker] = [await daemon.place("worker/0"), await daemon.place("broker/0")];
    assert.ok(worker.child && broker.child);
    const { pid } = worker.child;
    await eventually("its threads step back", () => String(niceOf(pid)) === String(behind));
    if (groupOf(pid) !== undefined) await eventually("its session steps back too", () => groupOf(pid) === behind);
    for (const other of [broker.child.pid, daemon.pid])
      await eventually(`${other} keeps its own`, () => String(niceOf(other)) === String(own));
    for (const other of [broker.child.pid, daemon.pid]) assert.notEqual(groupOf(other), behind);
    return worker.child.pid;
  };
  const first = await judge();

  await daemon.control("reload");
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  const second = await judge();
  assert.notEqual(second, first);

  process.kill(second, "SIGKILL");
  await eventually("it was replaced", async () => {
    const { child } = await daemon.place("worker/0");
    return child !== null && child.pid !== second && child.state === "ready";
  });
  await judge();
});
