/** Signals that end no process, sent to every process. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { get, ONE, start } from "./harness.ts";
import { signalAll } from "./whole-tree-helper.ts";

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
