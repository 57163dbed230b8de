/** DROVER_WORKER_SCHEDULING: workers of the built-in service are batch work to the kernel, with all their threads; nobody else is. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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

async function pidOf(daemon: Daemon, place: string): Promise<number> {
  const { child } = await daemon.place(place);
  assert.ok(child);
  return child.pid;
}

test("auto: workers of the built-in service are batch, master and broker are not; a reload to normal ends it", { skip }, async (t) => {
  const daemon = await start(t, { env: ONE });
  const first = await pidOf(daemon, "worker/0");
  assert.deepEqual(policies(first), [BATCH]);
  for (const pid of [daemon.pid, await pidOf(daemon, "broker/0"), await pidOf(daemon, "emulator/0")])
    assert.deepEqual(policies(pid), [OTHER]);

  process.kill(first, "SIGKILL");
  const second = await eventually("it was replaced", async () => {
    const { child } = await daemon.place("worker/0");
    return child !== null && child.pid !== first && child.state === "ready" && child.pid;
  });
  assert.deepEqual(policies(second), [BATCH]);

  writeFileSync(join(daemon.dir, ".env"), "DROVER_WORKER_SCHEDULING=normal\n");
  await daemon.control("reload");
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  assert.deepEqual(policies(await pidOf(daemon, "worker/0")), [OTHER]);
  assert.equal((await daemon.stop()).code, 0);
});

test("auto: an application's workers are as any process, and batch where that is asked for", { skip }, async (t) => {
  for (const [scheduling, expected] of [
    [undefined, OTHER],
    ["batch", BATCH],
  ] as const) {
    const env = scheduling === undefined ? {} : { DROVER_WORKER_SCHEDULING: scheduling };
    const daemon = await start(t, { args: [join(ROOT, "test/process/apps/listener.mjs")], env: { ...ONE, ...env } });
    assert.deepEqual(policies(await pidOf(daemon, "worker/0")), [expected]);
    assert.equal((await daemon.stop()).code, 0);
  }
});
