/** Faults of the place a daemon runs in: output without a reader, a full disk, folders that are removed. Rare ones: faults.full.ts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { cleanEnv, DROVER, Daemon, get, ONE, ROOT, start, type DaemonOptions } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const startOne = (t: TestContext, { env, ...options }: DaemonOptions = {}): Promise<Daemon> =>
  start(t, { args: [PLAIN], ...options, env: { ...ONE, ...env } });

test("whoever read its output has gone: the daemon serves on", async (t) => {
  const daemon = await start(t, { args: [PLAIN], noWait: true });
  daemon.process.stdout?.destroy();
  daemon.process.stderr?.destroy();
  await daemon.logged(/^ready: 2 workers/);
  const { urls } = await daemon.status();
  assert.equal((await get(urls[0] ?? "")).status, 200);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a log that takes no line (a full disk) loses lines, and neither memory nor service", async (t) => {
  const daemon = await startOne(t, { env: { DROVER_LOG_FILE: "/dev/full" } });
  for (let i = 0; i < 5; i += 1) assert.equal((await get(`${daemon.url}/print`)).status, 200);
  assert.equal(JSON.parse((await daemon.control("reload")).body).ok, true);
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a log file that can't be opened: 78 and its setting", async (t) => {
  const dir = folder(t);
  const daemon = await startOne(t, { cwd: dir, env: { DROVER_LOG_FILE: dir }, noWait: true });
  assert.equal((await daemon.exited).code, 78);
  assert.match(daemon.stderr, /is a directory \(expected a file: the log, DROVER_LOG_FILE\)/);
});

test("the log's folder and the control socket's are removed under the daemon: both come back, without a restart", async (t) => {
  const daemon = await startOne(t);
  rmSync(join(daemon.dir, "var"), { recursive: true });
  daemon.signal("SIGUSR1");
  await daemon.logged(/open again/);
  await daemon.logged(/the control socket .* is there again/);
  assert.equal((await daemon.status()).state, "running");
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("another daemon has the run directory: 75 at once, and it serves on", async (t) => {
  const first = await startOne(t);
  const second = await startOne(t, { env: { DROVER_RUN_DIR: join(first.dir, "var/run") }, noWait: true });
  assert.equal((await second.exited).code, 75);
  assert.match(second.stderr, /another process listens on/);
  assert.equal((await first.status()).pid, first.pid);
});

test("the current folder has been removed: one line, no stack", async (t) => {
  const dir = join(folder(t), "gone");
  mkdirSync(dir);
  const child = spawn("sh", ["-c", `rmdir "${dir}" && exec "${DROVER}" check`], {
    cwd: dir,
    env: cleanEnv(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const command = new Daemon(child, dir);
  assert.equal((await command.exited).code, 78);
  assert.match(command.stderr, /^drover: the current folder does not exist any more/m);
  assert.doesNotMatch(command.stderr, /fault of drover/);
  assert.throws(() => rmdirSync(dir));
});
