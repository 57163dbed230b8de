import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { EventLoopUtilization } from "node:perf_hooks";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { compactOnceIdle, compactor } from "../../src/base/compact.ts";

/** @param shares of the loop's time that are busy, a second after the other. */
function world(t: TestContext, shares: (second: number) => number, begin: typeof compactOnceIdle = compactOnceIdle) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let [second, active, collected] = [0, 0, 0];
  type Figure = Pick<EventLoopUtilization, "idle" | "active">;
  const utilization = (now?: Figure, since: Figure = { idle: 0, active: 0 }): Figure & { readonly utilization: number } => {
    if (now === undefined) return { idle: second * 1_000 - active, active, utilization: 0 };
    const [idle, busy] = [now.idle - since.idle, now.active - since.active];
    return { idle, active: busy, utilization: busy / (idle + busy) };
  };
  begin(() => (collected += 1), utilization);
  const pass = (seconds: number): number => {
    for (let i = 0; i < seconds; i += 1) {
      active += shares(second) * 1_000;
      second += 1;
      t.mock.timers.tick(1_000);
    }
    return collected;
  };
  return pass;
}

test("it collects once, in the first idle second after the start", (t) => {
  const pass = world(t, (second) => (second < 7 ? 0.12 : 0.01));
  assert.deepEqual([pass(4), pass(3), pass(1), pass(100)], [0, 0, 1, 1]);
});

test("a process that has had a second's work is left alone: V8 would have to learn it again", (t) => {
  const pass = world(t, (second) => (second === 2 ? 1.01 : 0));
  assert.equal(pass(200), 0);
});

test("after each burst of work it collects once, however often that is asked and however much the work was", (t) => {
  let soon = (): void => {};
  const pass = world(
    t,
    (second) => (second % 100 < 3 ? 0.9 : 0.01),
    (collect, utilization) => {
      soon = compactor(collect, utilization);
    },
  );
  for (const burst of [1, 2, 3]) {
    for (let i = 0; i < 5; i += 1) soon();
    assert.equal(pass(100), burst);
  }
});

test("no flag has to stand for it on the command line, and no name stays behind", async () => {
  const script = `const { compact } = await import(${JSON.stringify(new URL("../../src/base/compact.ts", import.meta.url))});
    const junk = new WeakRef(Array.from({ length: 1e5 }, () => ({})));
    setImmediate(() => (compact(), console.log(junk.deref() === undefined, typeof gc)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  assert.equal(stdout, "true undefined\n");
});
