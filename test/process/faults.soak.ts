/** Signals at any moment of a start and of a roll: whether they were heard or not, nothing is left behind. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { ONE, ROOT, start, type Daemon, type DaemonOptions } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const startOne = (t: TestContext, { env, ...options }: DaemonOptions = {}): Promise<Daemon> =>
  start(t, { args: [PLAIN], ...options, env: { ...ONE, ...env } });

test("TERM at any moment of the start: nothing is left behind, whether it was heard or not", async (t) => {
  const dir = folder(t);
  const socket = join(dir, "web.sock");
  for (const seen of ["var", "var/run/control.sock", "web.sock", "var/drover.pid"]) {
    const daemon = await startOne(t, { cwd: dir, bind: `unix:${socket}`, noWait: true });
    await eventually(`${seen} is there`, () => existsSync(join(dir, seen)) || daemon.process.exitCode !== null);
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null }, seen);
    for (const file of ["web.sock", "var/run/control.sock", "var/drover.pid"]) assert.equal(existsSync(join(dir, file)), false, file);
    rmSync(join(dir, "var"), { recursive: true });
  }
});

test("HUP, fifty times at the start and fifty times in a roll, and TERM in the middle: exit 0, nobody is left", async (t) => {
  const daemon = await start(t, { args: [PLAIN], noWait: true });
  await eventually("it starts", () => daemon.stderr.includes("starts"));
  for (let i = 0; i < 50; i += 1) daemon.signal("SIGHUP");
  await daemon.ready();
  await eventually("a roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  for (let i = 0; i < 50; i += 1) daemon.signal("SIGHUP");
  await eventually("it rolls", async () => (await daemon.status()).roll !== null);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
