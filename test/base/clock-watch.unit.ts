import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockWatch } from "../../src/base/clock-watch.ts";
import { FakeTime } from "../broker/time.ts";

test("a step of the wall clock is seen once, with both readings; time that passes and slewing are none", async () => {
  const time = new FakeTime();
  const watch = new ClockWatch(time);
  for (let i = 0; i < 100; i += 1) {
    await time.advance(1_000);
    time.setWall(i % 2 === 0 ? 1 : -1);
    assert.equal(watch.look(), undefined);
  }
  assert.equal(watch.steadyFor, 100_000);
  for (const by of [-86_400_000, 1_500, 3_600_000]) {
    const before = time.wall();
    await time.advance(1_000);
    time.setWall(by);
    assert.deepEqual(watch.look(), { expected: before + 1_000, actual: before + 1_000 + by, by });
    assert.equal(watch.look(), undefined, "once");
    assert.equal(watch.steadyFor, 0);
  }
});
