/** Faults of the place a daemon runs in: output nobody reads, a full disk, folders that go, limits, signals at the wrong moment. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
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

test("no descriptor is left for a further worker: it is said, tried again, and costs nothing", async (t) => {
  const dir = folder(t);
  const limited = join(dir, "limited.sh");
  const child = spawn("sh", ["-c", `ulimit -n 300 && exec "${DROVER}" serve "${PLAIN}" --bind 127.0.0.1:0`], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnv({ DROVER_WORKERS: "2", DROVER_WORKER_CONNECTIONS: "20" }),
  });
  const daemon = new Daemon(child, dir);
  t.after(() => child.exitCode === null && child.kill("SIGKILL"));
  await daemon.ready();
  const open = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length;
  const before = open();
  const some = spawnSync("prlimit", ["--pid", String(daemon.pid), `--nofile=${before + 8}:`], { encoding: "utf8" }); // a start wants more
  assert.equal(some.status, 0, some.stderr);
  assert.equal((await daemon.control("scale", { to: 50 })).status, 409, "its descriptors are not enough for so many");
  assert.equal((await daemon.control("scale", { to: 9 })).status, 200);
  await daemon.logged(/can't be started: no process for worker \d+: the master may open no more files.*EMFILE/);
  assert.equal((await get(daemon.url)).status, 200);
  await eventually("an order is heard", () => daemon.control("scale", { to: 2 }).then(() => true, () => false)); // prettier-ignore
  await eventually("two are left", async () => (await daemon.status()).places.length === 2);
  await eventually("every descriptor is given back", () => open() <= before + 2);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  assert.equal(existsSync(limited), false);
});

test("clients that connect to the control socket and say nothing don't keep the operator out for long, nor the daemon from ending", async (t) => {
  const daemon = await startOne(t);
  const path = join(daemon.dir, "var/run/control.sock");
  const idle = Array.from({ length: 100 }, () => net.connect(path).on("error", () => {}));
  t.after(() => idle.forEach((socket) => socket.destroy()));
  await eventually("they are in", () => idle.some((socket) => !socket.connecting));
  await eventually("the operator is answered", () => daemon.status().then(() => true, () => false)); // prettier-ignore
  const half = http.request({ socketPath: path, path: "/scale", method: "POST", headers: { "content-length": "100" } });
  half.on("error", () => {});
  await new Promise<void>((resolve) => half.write("{", () => resolve()));
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("the master is stopped for longer than DROVER_TIMEOUT: clients are served meanwhile, and no worker is killed for it", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: { DROVER_TIMEOUT: "1s" } });
  const pids = async (): Promise<unknown> => (await daemon.status()).places.map((p) => p.child?.pid);
  const before = await pids();
  daemon.signal("SIGSTOP");
  const end = performance.now() + 3_000;
  while (performance.now() < end) {
    assert.equal((await get(daemon.url)).status, 200);
    await sleep(10);
  }
  daemon.signal("SIGCONT");
  await daemon.logged(/late \(suspended or starved\)/);
  await eventually("beats arrive", async () => (await daemon.status()).places.every((p) => (p.child?.beatAge ?? 1e9) < 500));
  assert.deepEqual(await pids(), before);
});
