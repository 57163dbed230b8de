/** `npm start` as people type it: signals, terminals, and an npm that is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../needs.ts";
import { alive, cleanEnv, Daemon, descendants, get, portFree, ROOT } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const APP = join(ROOT, "test/process/apps/plain.mjs");

/** npm start in this checkout, with a data directory of its own. */
function npmStart(
  t: TestContext,
  dir: string,
  command: readonly string[] = ["npm", "start", "--"],
  rest = ["--bind", "127.0.0.1:0", APP],
): Daemon {
  const [program = "npm", ...args] = [...command, ...rest];
  const env = cleanEnv({
    DROVER_DATA_DIR: dir,
    DROVER_WORKERS: "2",
    DROVER_LOG_FILE: join(dir, "drover.log"),
    npm_config_loglevel: "silent",
  });
  const child = spawn(program, args, { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"], env });
  const daemon = new Daemon(child, dir);
  t.after(() => {
    for (const pid of [daemon.pid, ...descendants(daemon.pid)]) sent(pid, "SIGKILL");
  });
  return daemon;
}

async function gone(daemon: Daemon, family: readonly number[], url: string): Promise<void> {
  await eventually("no process is left", () => family.every((pid) => !alive(pid)));
  await portFree(url);
  assert.ok(daemon);
}

for (const [signal, what] of [
  ["SIGTERM", "TERM to npm"],
  ["SIGKILL", "npm killed"],
  ["SIGINT", "INT to npm"],
] as const) {
  test(`${what}: no process is left, the port is free`, async (t) => {
    const daemon = await npmStart(t, folder(t)).ready();
    const { url } = daemon;
    assert.equal((await get(url)).status, 200);
    const family = [daemon.pid, ...descendants(daemon.pid)];
    daemon.signal(signal);
    await gone(daemon, family, url);
  });
}

test("the master is npm's own child: nothing stands between a signal and it", async (t) => {
  const daemon = await npmStart(t, folder(t)).ready();
  const [master] = descendants(daemon.pid).filter((pid) => descendants(pid).length > 0);
  assert.ok(master, "npm has a child with children");
  process.kill(master, "SIGTERM");
  assert.equal((await daemon.exited).code, 0, "npm hears of its exit code");
});

test("Ctrl-C in a terminal: no process is left, the port is free", { skip: needs("script", "bsdutils") }, async (t) => {
  const dir = folder(t);
  const daemon = npmStart(t, dir, ["script", "-qefc", `npm start -- --bind 127.0.0.1:0 ${APP}`, "/dev/null"], []);
  await eventually("the terminal shows the greeting", () => /drover is ready\s+http/.test(daemon.stdout));
  const url = /drover is ready\s+(http\S+)/.exec(daemon.stdout)?.[1] ?? "";
  assert.equal((await get(url)).status, 200);
  assert.match(daemon.stdout, /Ctrl-C/);
  const family = [daemon.pid, ...descendants(daemon.pid)];
  daemon.process.stdin?.write("\u0003");
  await gone(daemon, family, url);
});

test("a second npm start needs no network and serves within seconds", async (t) => {
  const daemon = npmStart(t, folder(t), ["env", "npm_config_registry=http://127.0.0.1:1", "npm", "start", "--"]);
  const started = performance.now();
  await daemon.ready();
  const took = (performance.now() - started) / 1_000;
  console.log(`npm start, nothing to install or build: ready after ${took.toFixed(2)} s (3 s wanted)`);
  assert.ok(took < 10, `${took} s`);
  await daemon.stop("SIGTERM");
});
