import assert from "node:assert/strict";
import type { performance } from "node:perf_hooks";
import { test, type TestContext } from "node:test";
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
