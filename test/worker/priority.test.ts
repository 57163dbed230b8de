import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { getPriority } from "node:os";
import test from "node:test";

const MODULE = new URL("../../src/worker/priority.ts", import.meta.url).href;

/** In a process of its own, as there is no way back without a right. @returns the nice values of its threads after each step. */
function run(...steps: readonly string[]): unknown {
  const script = `
    import { readdirSync } from "node:fs";
    import { getPriority, setPriority } from "node:os";
    import { lowerPriority } from ${JSON.stringify(MODULE)};
    const all = () => [...new Set(readdirSync("/proc/self/task").map((thread) => getPriority(Number(thread))))].sort((a, b) => a - b);
    const found = [];
    for (const step of ${JSON.stringify(steps)}) found.push([(await eval(step)) ?? null, all()]);
    console.log(JSON.stringify(found));`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test("all threads step back, never forward, and 0 touches nothing", () => {
  const own = getPriority();
  if (own > 7) return; // nothing is left to step back to
  assert.deepEqual(run("lowerPriority(0)", "lowerPriority(10)", "lowerPriority(5)", "lowerPriority(0)", "lowerPriority(19)"), [
    [null, [own]],
    [null, [10]],
    [null, [10]],
    [null, [10]],
    [null, [19]],
  ]);
});

test("a thread that is further back than the others stays there", () => {
  if (getPriority() > 7) return;
  assert.deepEqual(run("setPriority(12)", "lowerPriority(9)"), [
    [null, [getPriority(), 12].sort((a, b) => a - b)],
    [null, [9, 12]],
  ]);
});

test("a session that others share is left alone", () => {
  const group = "readFileSync('/proc/self/autogroup', 'latin1')";
  const script = `
    import { readFileSync } from "node:fs";
    import { lowerPriority } from ${JSON.stringify(MODULE)};
    const before = ${group};
    await lowerPriority(19);
    console.log(before === ${group});`;
  if (!existsSync("/proc/self/autogroup")) return;
  assert.equal(spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).stdout, "true\n");
});
