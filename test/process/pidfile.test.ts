/** What somebody else puts where the pid file belongs, and two daemons that want one data directory in the same instant. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { alive, get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const LISTENER = join(ROOT, "test/process/apps/listener.mjs");

/** A process of ours that any signal ends: it stands for whoever has that pid by now. */
function stranger(t: TestContext): number {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  assert.ok(child.pid);
  return child.pid;
}

/** Each lays something at the path, and says afterwards what must hold of it. */
const FORGERIES: Record<string, (pidfile: string, t: TestContext) => () => void> = {
  "the pid of a stranger that lives": (pidfile, t) => {
    const pid = stranger(t);
    writeFileSync(pidfile, `${pid}\n`);
    return () => assert.ok(alive(pid), "the stranger lives on");
  },
  "pid 1": (pidfile) => {
    writeFileSync(pidfile, "1\n");
    return () => {};
  },
  garbage: (pidfile) => {
    writeFileSync(pidfile, "\u0000not a pid; $(reboot)\n".repeat(1_000));
    return () => {};
  },
  "a symlink to a stranger's file": (pidfile) => {
    const theirs = `${pidfile}.theirs`;
    writeFileSync(theirs, "precious\n", { mode: 0o600 });
    symlinkSync(theirs, pidfile);
    return () => assert.equal(readFileSync(theirs, "utf8"), "precious\n");
  },
  "a symlink to nothing": (pidfile) => {
    symlinkSync("/nonexistent/place", pidfile);
    return () => {};
  },
};

for (const [what, forge] of Object.entries(FORGERIES))
  test(`${what}: the daemon starts, replaces it, reloads and stops, and touches nothing else`, async (t) => {
    const dir = folder(t);
    mkdirSync(join(dir, "var"), { recursive: true });
    const pidfile = join(dir, "var/drover.pid");
    const unharmed = forge(pidfile, t);
    const daemon = await start(t, { cwd: dir, args: [LISTENER], env: ONE });
    assert.ok(lstatSync(pidfile).isFile());
    assert.equal(readFileSync(pidfile, "utf8"), `${daemon.pid}\n`);
    assert.equal((await get(daemon.url)).status, 207);
    unharmed();
    forgeAgain(pidfile, daemon);
    assert.equal((await daemon.stop()).code, 0);
    assert.equal(readFileSync(pidfile, "utf8"), "1\n", "a file that another has written is not removed");
    unharmed();
  });

/** While it runs the file is nobody's to believe either. */
function forgeAgain(pidfile: string, daemon: Daemon): void {
  writeFileSync(pidfile, "1\n");
  assert.ok(alive(daemon.pid));
}

test("who is refused is told the holder's true pid, whatever the pid file says", async (t) => {
  const first = await start(t, { args: [LISTENER], env: ONE });
  const foreign = stranger(t);
  writeFileSync(join(first.dir, "var/drover.pid"), `${foreign}\n`);
  const second = await start(t, { cwd: first.dir, args: [LISTENER], noWait: true, env: ONE });
  assert.equal((await second.exited).code, 75);
  await eventually("its reason has arrived", () => /data directory/.test(second.stderr));
  assert.match(second.stderr, new RegExp(`a daemon \\(pid ${first.pid}\\) already uses the data directory .*var: stop it`));
  assert.ok(alive(foreign));
  assert.equal((await get(first.url)).status, 207);
});

test("several that start in the same instant: one serves, the others exit 75 with one clear line", async (t) => {
  const dir = folder(t);
  const all = await Promise.all(Array.from({ length: 4 }, () => start(t, { cwd: dir, args: [LISTENER], noWait: true, env: ONE })));
  const codes = new Map<Daemon, number | null>();
  for (const daemon of all) void daemon.exited.then(({ code }) => codes.set(daemon, code));
  await eventually("all but one have left", () => codes.size === all.length - 1);
  const [winner] = all.filter((daemon) => !codes.has(daemon));
  assert.ok(winner);
  await winner.ready();
  assert.equal((await get(winner.url)).status, 207);
  assert.deepEqual([...codes.values()], [75, 75, 75]);
  for (const loser of codes.keys()) {
    await eventually("its reason has arrived", () => loser.stderr.endsWith("\n"));
    const lines = loser.stderr.split("\n").filter((line) => line !== "");
    assert.equal(lines.length, 1, loser.stderr);
    assert.match(lines[0] ?? "", new RegExp(`^drover: a daemon \\(pid ${winner.pid}\\) already uses the data directory`));
  }
  assert.equal(codes.size, 3, "the winner serves on");
  assert.equal((await winner.status()).pid, winner.pid);
});
