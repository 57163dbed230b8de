/** `drover top`: a user's session in a terminal, and where there is none. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { cleanEnv, DROVER, get, ONE, ROOT, start } from "./harness.ts";
import { AFTERWARDS, ENTERED, restored, RESTORED, skip, Terminal } from "./top-helper.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

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
