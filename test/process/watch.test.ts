/** `drover status --watch`: again and again, over a daemon's restart, until nobody reads or a signal comes. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../needs.ts";
import { cleanEnv, DROVER, ONE, ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

interface Watching {
  readonly process: ChildProcess;
  text(): string;
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

function watch(t: TestContext, cwd: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Watching {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "ignore"], env: cleanEnv(env) });
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  t.after(() => child.exitCode === null && child.kill("SIGKILL"));
  return { process: child, text: () => text, exited: new Promise((resolve) => child.once("exit", (...end) => resolve(end))) };
}

test("text again and again; the daemon's restart is survived; SIGINT ends it with 0", async (t) => {
  const first = await start(t, { args: [PLAIN] });
  const watching = watch(t, first.dir, [DROVER, "status", "--watch=0.2"]);
  const times = (pattern: RegExp): number => watching.text().match(pattern)?.length ?? 0;
  await eventually("it was said three times", () => times(/^workers {4}2\/2 ready$/gm) >= 3);
  await first.stop();
  await eventually("it says that nobody answers", () => times(/^\d{4}-\d\d-\d\dT\S+ {2}no daemon answers on .*; asking again$/gm) >= 2);
  const second = await start(t, { cwd: first.dir, args: [PLAIN], env: ONE });
  await eventually("it shows the next one", () => times(new RegExp(`pid ${second.pid}[^]*workers {4}1/1 ready`, "g")) >= 1);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(watching.text(), /\u001b/, "no terminal, no sequences");
  watching.process.kill("SIGINT");
  assert.deepEqual(await watching.exited, [0, null]);
});

test("--json: one object a line, also while the daemon is away", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  const watching = watch(t, daemon.dir, [DROVER, "status", "--json", "--watch", "0.2"]);
  const lines = (): Record<string, unknown>[] =>
    watching.text().split("\n").slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  await eventually("there are three", () => lines().length >= 3);
  assert.ok(lines().every((line) => line["pid"] === daemon.pid));
  await daemon.stop();
  await eventually("it says so", () => lines().some((line) => /no daemon answers/.test(String(line["away"]))));
  watching.process.kill("SIGTERM");
  assert.deepEqual(await watching.exited, [0, null]);
});

test("nobody reads any more: it ends, quietly", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  const piped = watch(t, daemon.dir, [
    "sh",
    "-c",
    `("${DROVER}" status --watch=0.2 2>&1; echo "left with $?" >&3) 3>left | head -n 3; cat left`,
  ]);
  assert.equal((await piped.exited)[0], 0);
  const [one = "", two = "", , ...rest] = piped.text().split("\n");
  assert.match(one, /^drover \d/);
  assert.match(two, /^listening/);
  assert.deepEqual(rest.filter(Boolean), ["left with 0"]);
});

test("on a terminal it clears the screen, unless that is a dumb one", { skip: needs("script", "bsdutils") }, async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  const on = (TERM: string): Watching => watch(t, daemon.dir, ["script", "-qefc", `"${DROVER}" status --watch=0.2`, "/dev/null"], { TERM });
  const drawn = on("xterm");
  await eventually("it was cleared twice", () => drawn.text().split("\u001b[H\u001b[2J").length > 2);
  drawn.process.kill("SIGTERM");
  const dumb = on("dumb");
  await eventually("it was said twice", () => dumb.text().split("drover 0").length > 2);
  assert.ok(!dumb.text().includes("\u001b"));
  dumb.process.kill("SIGTERM");
  await Promise.all([drawn.exited, dumb.exited]);
});

test("wrong intervals and words: 64", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  for (const args of [["--watch=0"], ["--watch=1e9"], ["--watch=soon"], ["--watch="], ["sometimes"]]) {
    const ended = await watch(t, daemon.dir, ["sh", "-c", '"$0" status "$@" 2>&1', DROVER, ...args]).exited;
    assert.equal(ended[0], 64, args.join(" "));
  }
});
