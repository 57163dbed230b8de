/** DROVER_WORKER_PRIORITY: workers with all their threads stand behind the master and the broker; after a reload and a death too. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import test from "node:test";
import { ONE, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

/** The nice values of a process's threads, each once. */
const niceOf = (pid: number): number[] => [...new Set(readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread))))];

/** That of its session, where the kernel groups by sessions. */
const groupOf = (pid: number): number | undefined =>
  existsSync(`/proc/${pid}/autogroup`)
    ? Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, "latin1"))?.[1] ?? 0)
    : undefined;

test("workers have it with all their threads, master and broker do not; after a reload and a death too", async (t) => {
  const own = getPriority();
  const behind = Math.min(19, own + 7);
  const daemon = await start(t, { env: { ...ONE, DROVER_WORKER_PRIORITY: String(behind) } });
  const judge = async (): Promise<number> => {
    const [worker, broker] = [await daemon.place("worker/0"), await daemon.place("broker/0")];
    assert.ok(worker.child && broker.child);
    const { pid } = worker.child;
    await eventually("its threads step back", () => String(niceOf(pid)) === String(behind));
    if (groupOf(pid) !== undefined) await eventually("its session steps back too", () => groupOf(pid) === behind);
    assert.deepEqual(niceOf(broker.child.pid), [own]);
    assert.deepEqual(niceOf(daemon.pid), [own]);
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
