/** `drover top`: small windows, signals, faults, job control, a daemon that ends. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test from "node:test";
import { statusWith } from "../cli/statuses.ts";
import { ONE, ROOT, start } from "./harness.ts";
import { AFTERWARDS, ENTERED, restored, RESTORED, skip, Terminal } from "./top-helper.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

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
