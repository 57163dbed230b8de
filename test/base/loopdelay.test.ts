import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { watchLoop, type LoopWatch } from "../../src/base/loopdelay.ts";

/** A loop whose clock is ours: `late` is how much later than due its next timer runs. */
function loop(t: TestContext): { readonly watch: LoopWatch; turn(times: number, late?: number): void } {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = 0;
  const watch = watchLoop(() => now);
  const turn = (times: number, late = 0): void => {
    for (let i = 0; i < times; i += 1) {
      now += 200 + late;
      t.mock.timers.tick(200);
    }
  };
  return { watch, turn };
}

test("the delay that one of a hundred events would meet", (t) => {
  const { watch, turn } = loop(t);
  assert.equal(watch.p99(), undefined);
  turn(100);
  assert.equal(watch.p99(), 0);
  turn(1, 400);
  assert.equal(watch.p99(), 0, "one of a hundred and one");
  turn(1, 400);
  const late = watch.p99() ?? 0;
  assert.ok(late >= 400 && late < 430, `${late}`);
});

test("what happened a minute ago is forgotten", (t) => {
  const { watch, turn } = loop(t);
  turn(10, 1_000);
  turn(140); // 12 s and 28 s: the first window is over
  assert.ok((watch.p99() ?? 0) >= 1_000);
  turn(150); // the second
  assert.ok((watch.p99() ?? 0) >= 0);
  turn(155); // the third
  assert.equal(watch.p99(), 0);
});
