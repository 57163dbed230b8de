import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../../src/base/clock.ts";
import type { Instant, Timestamp } from "../../src/base/units.ts";
import { Acks } from "../../src/broker/acks.ts";

/** Timers and the clock go as the test lets them: `late` is how long the process itself stood still. */
function world(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let at = 0;
  const clock: Clock = { now: () => at as Instant, wall: () => at as Timestamp };
  const acks = new Acks(clock);
  const reader = acks.join();
  const answered = { is: false };
  const pass = async (millis: number, late = 0): Promise<boolean> => {
    at += millis + late;
    t.mock.timers.tick(millis);
    await Promise.resolve();
    return answered.is;
  };
  void acks.reached("t", 1).then(() => (answered.is = true));
  return { acks, reader, pass };
}

test("an answer waits for its readers, and 50 ms at the most for one that says nothing", async (t) => {
  const { pass } = world(t);
  assert.equal(await pass(49), false);
  assert.equal(await pass(1), true);
});

test("a reader that was waited for in vain delays no further answer, until it has seen something again", async (t) => {
  const { acks, reader, pass } = world(t);
  assert.equal(await pass(50), true);
  let answered = false;
  void acks.reached("t", 2).then(() => (answered = true));
  await pass(0);
  assert.equal(answered, true);
  reader.saw("t", 2);
  answered = false;
  void acks.reached("t", 3).then(() => (answered = true));
  await pass(49);
  assert.equal(answered, false);
  await pass(1);
  assert.equal(answered, true);
});

test("what a reader has seen ends the wait at once", async (t) => {
  const { reader, pass } = world(t);
  assert.equal(await pass(10), false);
  reader.saw("t", 1);
  assert.equal(await pass(0), true);
});

test("time in which the broker itself stood still is not held against its readers, but for five waits at the most", async (t) => {
  const { pass } = world(t);
  for (let again = 0; again < 4; again += 1) assert.equal(await pass(50, 200), false, `wait ${again}`);
  assert.equal(await pass(50, 200), true);
});
