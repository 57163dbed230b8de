/** Faults of the place a daemon runs in that are rare or take long: no descriptors, a silent crowd, a master that is stopped. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanEnv, DROVER, Daemon, descendants, get, ONE, ROOT, start, type DaemonOptions } from "./harness.ts";
import { atEnd, folder, sent } from "../support/cleanup.ts";
import { eventually, slow } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const startOne = (t: TestContext, { env, ...options }: DaemonOptions = {}): Promise<Daemon> =>
  start(t, { args: [PLAIN], ...options, env: { ...ONE, ...env } });

test("no descriptor is left for a further worker: it is said, tried again, and costs nothing", async (t) => {
  const dir = folder(t);
  const limited = join(dir, "limited.sh");
  const child = spawn("sh", ["-c", `ulimit -n 300 && exec "${DROVER}" serve "${PLAIN}" --bind 127.0.0.1:0`], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnv({ DROVER_WORKERS: "2", DROVER_WORKER_CONNECTIONS: "20" }),
  });
  const daemon = new Daemon(child, dir);
  atEnd(t, async () => {
    for (const pid of [daemon.pid, ...descendants(daemon.pid)]) sent(pid, "SIGKILL");
    await daemon.exited;
  });
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
  const daemon = await start(t, { args: [PLAIN], env: { DROVER_TIMEOUT: slow(1) } });
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
