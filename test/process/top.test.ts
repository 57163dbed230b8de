/** `drover top` in a terminal, driven as a user drives it; and what it does where there is none. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readlinkSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { statusWith } from "../cli/statuses.ts";
import { needs } from "../needs.ts";
import { alive, cleanEnv, descendants, DROVER, get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const skip = needs("script", "bsdutils");

const ENTERED = "\u001b[?1049h\u001b[?25l";
const RESTORED = "\u001b[?25h\u001b[?1049l";

/** A shell in a pseudo-terminal of its own, in the daemon's folder. */
class Terminal {
  /** All that was written to it. */
  text = "";
  readonly #process;
  readonly exited: Promise<number | null>;

  constructor(t: TestContext, daemon: Pick<Daemon, "dir">, command: string, env: NodeJS.ProcessEnv = {}) {
    const child = spawn("script", ["-qefc", `stty rows 24 cols 90; ${command}`, "/dev/null"], {
      cwd: daemon.dir,
      stdio: ["pipe", "pipe", "inherit"],
      env: cleanEnv({ TERM: "xterm-256color", DROVER, PS1: "shell> ", ENV: "", ...env }),
    });
    this.#process = child;
    child.stdout.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
    this.exited = new Promise((resolve) => child.once("exit", resolve));
    t.after(async () => {
      const left = [child.pid ?? 0, ...descendants(child.pid ?? 0)].filter((pid) => pid > 0 && alive(pid));
      for (const pid of left) process.kill(pid, "SIGKILL");
      await this.exited;
    });
  }
  press(keys: string): void {
    this.#process.stdin.write(keys);
  }
  /** The drover in it. */
  get pid(): number {
    const isTop = (pid: number): boolean =>
      execFileSync("ps", ["-o", "args=", "-p", String(pid)])
        .toString()
        .includes("cli/main");
    const pid = descendants(this.#process.pid ?? 0).find(isTop);
    assert.ok(pid, "drover runs in the terminal");
    return pid;
  }
  resize(columns: number, rows: number): void {
    execFileSync("stty", ["-F", readlinkSync(`/proc/${this.pid}/fd/0`), "cols", String(columns), "rows", String(rows)]);
  }
  /** The last whole screen that was drawn, as lines without colours. */
  get screen(): readonly string[] {
    const frames = this.text.split("\u001b[H").slice(1);
    const whole = frames.findLast((frame) => frame.endsWith("\u001b[K") || frame.includes("\u001b[K\u001b["));
    // oxlint-disable-next-line no-control-regex
    return (whole ?? "").replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "").split(/\r*\n/);
  }
  async shows(pattern: RegExp): Promise<true> {
    try {
      return await eventually(`the screen shows ${pattern}`, () => pattern.test(this.screen.join("\n")));
    } catch (error) {
      throw new Error(`it shows:\n${this.screen.join("\n")}`, { cause: error });
    }
  }
  says(pattern: RegExp): Promise<true> {
    return eventually(`the terminal says ${pattern}`, () =>
      pattern.test(this.text.slice(this.text.lastIndexOf(RESTORED) + RESTORED.length)),
    );
  }
}

/** What stty(1) says of a terminal that is as a shell wants it. */
const SANE = /(?<!-)\bicanon\b[^]*(?<!-)\becho\b/;
const AFTERWARDS = 'echo "left with $?"; stty -a';

async function restored(terminal: Terminal): Promise<void> {
  await terminal.says(SANE);
  const count = (sequence: string): number => terminal.text.split(sequence).length - 1;
  assert.equal(count(RESTORED), count(ENTERED), "every screen that was taken was given back");
}

test("a user watches, recycles, scales, reloads, looks at a stack, and leaves: the terminal is as it was", { skip }, async (t) => {
  const daemon = await start(t, { env: { DROVER_DEMO: "on" } });
  const terminal = new Terminal(t, daemon, `"$DROVER" top --interval 0.2; ${AFTERWARDS}`);
  await terminal.shows(/workers 2\/2.*generation 1.*DEMO/);
  for (let i = 0; i < 20; i += 1) await get(`${daemon.url}/api/tables/players`);
  await terminal.shows(/^SLOT.*PID.*GEN.*STATE.*UP.*REQ\/S.*BUSY.*CONN.*ELU.*DELAY.*RSS.*CPU.*DIED/m);
  await terminal.shows(/^0 +\d+ +1 ready[^]*^1 +\d+ +1 ready[^]*^broker +\d+ +1 ready[^]*^emulator +\d+ +1 ready/m);
  await terminal.shows(/[1-9][\d.]* req\/s/);

  terminal.press("?");
  await terminal.shows(/R +replace the worker of a slot/);
  terminal.press("x");

  const before = (await daemon.place("worker/1")).child?.pid;
  terminal.press("R");
  await terminal.shows(/recycle which slot \(0 to 1; a all/);
  terminal.press("7\r");
  await terminal.shows(/there is no worker 7/);
  terminal.press("\u007f1\r");
  await terminal.shows(/replace worker 1, new before old\? y\/n/);
  terminal.press("n");
  await terminal.shows(/nothing was done/);
  assert.equal((await daemon.place("worker/1")).child?.pid, before);
  terminal.press("R1\ry");
  await terminal.shows(/worker 1 will be replaced/);
  await eventually("it was", async () => (await daemon.place("worker/1")).child?.pid !== before);

  terminal.press("+");
  await terminal.shows(/3 workers wanted/);
  await terminal.shows(/workers 3\/3/);
  terminal.press("-");
  await terminal.shows(/2 workers instead of 3\? y\/n/);
  terminal.press("y");
  await terminal.shows(/workers 2\/2/);

  terminal.press("s0\r");
  await terminal.shows(/what worker 0 does[^]*worker 0 \(pid \d+\) (is idle|runs JavaScript)[^]*no request in flight/); // it wakes at times
  terminal.press("q");
  await terminal.shows(/^SLOT/m);

  terminal.press("r");
  await terminal.shows(/start a new generation.*y\/n/);
  terminal.press("y");
  await terminal.shows(/generation 2 serves \([\d.]+ s\)/);
  assert.match(terminal.text, /reload \[#*\.+\] \d\/3 generation 2/, "it showed how far it was");

  assert.ok(!terminal.text.includes(RESTORED));
  terminal.press("q");
  await restored(terminal);
  assert.match(terminal.text, /left with 0/);
  assert.equal(await terminal.exited, 0);
});

test("a small window sheds columns and scrolls; it follows the window's size", { skip }, async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: { DROVER_WORKERS: "5" } });
  const terminal = new Terminal(t, daemon, `"$DROVER" top --interval 0.2; ${AFTERWARDS}`, { NO_COLOR: "1" });
  await terminal.shows(/^4 .*ready/m);
  terminal.resize(40, 8);
  await terminal.shows(/rows 1 to \d of 5/);
  const sized = (): boolean => terminal.screen.length === 8 && terminal.screen.every((line) => line.length <= 40);
  await eventually("every line fits", sized);
  assert.match(terminal.screen.join("\n"), /^SLOT.{0,2} +STATE +REQ\/S +ELU +RSS +CPU *$/m);
  terminal.press("\u001b[F"); // End
  await terminal.shows(/rows \d to 5 of 5/);
  await terminal.shows(/^4 /m);
  terminal.resize(160, 30);
  await terminal.shows(/LAST DEATH/);
  await eventually("it is as large as the window", () => terminal.screen.length === 30);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(terminal.text, /\u001b\[[0-9;]*m/, "NO_COLOR");
  terminal.press("\u001b"); // Esc
  await restored(terminal);
});

test("whatever signal ends it", { skip }, async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    await t.test(`${signal} gives the terminal back`, async (t) => {
      const terminal = new Terminal(t, daemon, `"$DROVER" top --interval 0.2; ${AFTERWARDS}`);
      await terminal.shows(/^0 .*ready/m);
      process.kill(terminal.pid, signal);
      await restored(terminal);
      assert.match(terminal.text, /left with 0/);
    });
});

test("a fault of its own gives the terminal back before it is told", { skip }, async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, "var/run"), { recursive: true, mode: 0o700 });
  let asked = 0;
  const impostor = http.createServer((_req, res) => {
    asked += 1; // what looks like a snapshot at first and is none
    res.end(JSON.stringify(asked === 1 ? statusWith() : { ...statusWith(), places: [null] }));
  });
  await new Promise<void>((listening) => impostor.listen(join(dir, "var/run/control.sock"), listening));
  t.after(() => impostor.close());
  const terminal = new Terminal(t, { dir }, `"$DROVER" top --interval 0.2; ${AFTERWARDS}`);
  await restored(terminal);
  assert.match(terminal.text.slice(terminal.text.lastIndexOf(RESTORED)), /a fault of drover: please report it[^]*left with 70/);
});

test("Ctrl-Z gives the shell its terminal, fg takes it again, Ctrl-C ends it", { skip }, async (t) => {
  const daemon = await start(t, { args: [PLAIN] });
  const terminal = new Terminal(t, daemon, "exec sh -i");
  terminal.press('"$DROVER" top --interval 0.2\n');
  await terminal.shows(/^1 .*ready/m);
  terminal.press("\u001a");
  await terminal.says(/Stopped|suspended/i);
  terminal.press("stty -a\n");
  await restored(terminal);
  terminal.press("fg\n");
  await eventually("it has the screen again", () => terminal.text.split(ENTERED).length === 3);
  await daemon.control("scale", { to: 3 });
  await terminal.shows(/workers 3\/3/);
  terminal.press("\u0003");
  await eventually("it gave it back", () => terminal.text.split(RESTORED).length === 3);
  terminal.press(`${AFTERWARDS}\n`);
  await restored(terminal);
  terminal.press("exit\n");
  await terminal.exited;
});

test("the daemon goes: it says so; another one comes: it says that", { skip }, async (t) => {
  const first = await start(t, { args: [PLAIN], env: ONE });
  const terminal = new Terminal(t, first, `"$DROVER" top --interval 0.2; ${AFTERWARDS}`);
  await terminal.shows(/^0 .*ready/m);
  await first.stop();
  await terminal.shows(/AWAY[^]*it is asked again[^]*no daemon answers on/);
  terminal.press("r");
  terminal.press("y");
  await terminal.shows(/reload refused: no daemon answers/);
  const second = await start(t, { cwd: first.dir, args: [PLAIN], env: ONE });
  await terminal.shows(new RegExp(`another daemon answers: pid ${second.pid}`));
  await terminal.shows(/running.*workers 1\/1/);
  terminal.press("q");
  await restored(terminal);
});

test("without a terminal, or on one that can't be drawn on: one line that says what to use, 64", { skip }, async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  const fails = async (args: readonly string[], stderr: RegExp, env: NodeJS.ProcessEnv = {}): Promise<void> => {
    await assert.rejects(run(DROVER, args, { cwd: daemon.dir, env: cleanEnv(env) }), (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 64, error.stderr);
      assert.match(error.stderr, stderr);
      return true;
    });
  };
  await fails(["top"], /^drover: drover top needs a terminal: use drover status --watch\n$/);
  await fails(["top", "--interval", "0.1"], /--interval 0.1: expected seconds from 0.2 to 3600/);
  await fails(["top", "--interval", "soon"], /--interval soon/);
  await fails(["top", "3"], /takes no 3/);
  const dumb = new Terminal(t, daemon, `"$DROVER" top; ${AFTERWARDS}`, { TERM: "dumb" });
  await eventually("it left", () => /left with 64/.test(dumb.text));
  assert.match(dumb.text, /can be drawn on \(TERM is dumb\): use drover status --watch/);
  assert.ok(!dumb.text.includes(ENTERED));
});
