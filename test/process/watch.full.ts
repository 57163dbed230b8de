/** `drover status --watch`: as JSON, into a pipe that is closed, on terminals. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { needs } from "../support/needs.ts";
import { DROVER, ONE, ROOT, start } from "./harness.ts";
import { watch, type Watching } from "./watch-helper.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

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
