import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { performance } from "node:perf_hooks";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { compactOnceIdle } from "../../src/base/compact.ts";

/** @param shares of the loop's time that are busy, a second after the other. */
function world(t: TestContext, shares: (second: number) => number) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let [second, collected] = [0, 0];
  const utilization = (now?: object): { utilization: number } => ({ utilization: now === undefined ? 0 : shares(second) });
  compactOnceIdle(() => (collected += 1), utilization as unknown as typeof performance.eventLoopUtilization);
  const pass = (seconds: number): number => {
    for (let i = 0; i < seconds; i += 1) {
      second += 1;
      t.mock.timers.tick(1_000);
    }
    return collected;
  };
  return pass;
}

test("it collects once, in the first idle second after the start", (t) => {
  const pass = world(t, (second) => (second < 20 ? 0.9 : 0.01));
  assert.deepEqual([pass(4), pass(15), pass(1), pass(100)], [0, 0, 1, 1]);
});

test("a process that is busy for a minute is left alone", (t) => {
  const pass = world(t, (second) => (second < 70 ? 0.5 : 0));
  assert.equal(pass(200), 0);
});

const TICKS = `
const { compact } = await import(${JSON.stringify(new URL("../../src/base/compact.ts", import.meta.url))});
const ticks = async (n) => {
  const before = process.cpuUsage();
  await new Promise((done) => {
    let i = 0;
    const next = () => ((i += 1) < n ? process.nextTick(next) : done());
    next();
  });
  const { user, system } = process.cpuUsage(before);
  return user + system;
};
const rest = () => new Promise((done) => setTimeout(done, 20));
await ticks(300_000);
const before = await ticks(500_000);
await rest();
compact(globalThis.gc);
await rest();
await ticks(300_000);
console.log((await ticks(500_000)) / before);
`;

test("what it costs to defer a call is afterwards what it was", async () => {
  const ratio = async (): Promise<number> => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--input-type=module", "-e", TICKS]);
    return Number(stdout);
  };
  const ratios = [await ratio(), await ratio(), await ratio()];
  assert.ok(Math.min(...ratios) < 1.7, `after ÷ before: ${ratios.join(", ")}`);
});
