// alone
/** What an application may do to its supervisor costs it no memory. */
import assert from "node:assert/strict";
import test from "node:test";
import { eventually } from "../support/wait.ts";
import { act, bothReady, descriptors, hostile, memory, replaced } from "./hostile-helper.ts";

test("countless and huge messages, and descriptors that nobody asked for: the master stays small", async (t) => {
  const daemon = await hostile(t);
  for (const [i, what] of ["forged", "flood", "huge", "holds", "handles"].entries()) {
    await act(daemon, what);
    await eventually("its beat has come", async () => (await daemon.status()).counters.served > i);
  }
  t.diagnostic(`master: ${memory(daemon.pid).toFixed(0)} MiB`);
  assert.ok(memory(daemon.pid) < 250, `${memory(daemon.pid)} MiB`);
});

test("after 3 reloads and 4 kills the master holds as many descriptors as before, and no more memory", async (t) => {
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
  await roll();
  await roll();
  await kill();
  await kill();
  await roll(); // a new generation has no history of crashes
  await kill();
  await kill();
  // A connection to the control socket that is just closing counts too: what leaks does not come back.
  const after = await eventually("the descriptors are given back", async () => {
    const now = await settled();
    return now <= before + 2 && now;
  });
  t.diagnostic(`descriptors ${before} → ${after}, memory ${rss.toFixed(0)} → ${memory(daemon.pid).toFixed(0)} MiB`);
  assert.ok(memory(daemon.pid) - rss < 40);
});
