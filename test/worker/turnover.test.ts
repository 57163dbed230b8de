import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Turnover } from "../../src/worker/turnover.ts";

function world(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let size = 0;
  const told: number[] = [];
  const churning: boolean[] = [];
  const churns = t.mock.fn();
  const turnover = new Turnover(
    () => size,
    (connections, churns) => {
      if (churns || churning.at(-1) === true) churning.push(churns);
      if (connections !== (told.at(-1) ?? 0)) told.push(connections);
    },
    churns,
  );
  return {
    told,
    churning,
    churns,
    turnover,
    come: (n = 1) => {
      for (let i = 0; i < n; i += 1) {
        size += 1;
        turnover.came();
      }
    },
    leave: (n = 1, kept = false) => {
      for (let i = 0; i < n; i += 1) {
        size -= 1;
        turnover.left(kept);
      }
    },
    /** Step by step: a timer that is set by another's end counts from there. */
    pass: (ms: number) => {
      for (let i = 0; i < ms; i += 1) t.mock.timers.tick(1);
    },
  };
}

test("connections that come to stay count at once, and the master hears of them within 20 ms, once for all", (t) => {
  const { told, turnover, come, pass } = world(t);
  come(13);
  assert.equal(turnover.staying, 13);
  pass(20);
  assert.deepEqual(told, [13]);
  pass(1_000);
  assert.deepEqual(told, [13]);
  come();
  pass(20);
  assert.deepEqual(told, [13, 14]);
});

test("connections that come and go do not count, and the master hears nothing of them", (t) => {
  const { told, turnover, come, leave, pass } = world(t);
  for (let i = 0; i < 500; i += 1) {
    come(3);
    leave(3);
    pass(1);
  }
  come(5);
  assert.equal(turnover.staying, 0);
  leave(5);
  pass(1_000);
  assert.deepEqual(told, []);
});

test("those that stayed among them count, and all do when it is quiet again", (t) => {
  const { told, turnover, come, leave, pass } = world(t);
  come(10);
  pass(20);
  for (let i = 0; i < 500; i += 1) {
    come(3);
    leave(3);
    pass(1);
  }
  assert.equal(turnover.staying, 10);
  come(2);
  pass(1_000);
  assert.equal(turnover.staying, 12);
  assert.deepEqual(told, [10, 12]);
});

test("when all leave, the master hears that too", (t) => {
  const { told, come, leave, pass } = world(t);
  come(10);
  pass(20);
  leave(10);
  pass(1_000);
  assert.deepEqual(told, [10, 0]);
});

test("sixteen who come within a look's span, most of whom leave, are churn; who comes to stay is none, nor are a few", (t) => {
  const { churns, come, leave, pass } = world(t);
  const said = (): number => {
    const calls = churns.mock.callCount();
    churns.mock.resetCalls();
    return calls;
  };
  come(500);
  pass(20);
  assert.equal(said(), 0);
  for (let i = 0; i < 40; i += 1) {
    come();
    leave();
    pass(50);
  }
  assert.equal(said(), 0, "20 in a second");
  for (let i = 0; i < 200; i += 1) {
    come();
    leave();
    pass(1);
  }
  assert.ok(said() >= 10, "a thousand in a second");
  leave(500);
  pass(1_000);
  assert.equal(said(), 0);
});

test("the master hears of churn at each look, and once that it is over", (t) => {
  const { churning, told, come, leave, pass } = world(t);
  for (let i = 0; i < 1_000; i += 1) {
    come();
    leave();
    pass(1);
  }
  assert.ok(churning.length >= 5 && churning.every(Boolean), JSON.stringify(churning));
  pass(1_000);
  assert.equal(churning.at(-1), false);
  assert.deepEqual(told, []);
  const before = churning.length;
  pass(1_000);
  assert.equal(churning.length, before);
});

test("kept ones that leave say nothing of those who come: all of these count at once", (t) => {
  const { told, turnover, churns, come, leave, pass } = world(t);
  come(12);
  pass(6_000);
  leave(12, true);
  pass(5);
  come(15);
  assert.equal(turnover.staying, 15);
  pass(20);
  assert.deepEqual(told, [12, 15]);
  pass(6_000);
  leave(15, true);
  pass(100);
  assert.deepEqual(told, [12, 15, 0]);
  come(11);
  assert.equal(turnover.staying, 11);
  pass(200);
  assert.deepEqual(told, [12, 15, 0, 11]);
  assert.equal(churns.mock.callCount(), 0);
});

test("while kept ones leave and others come to stay the master hears every 200 ms at most, and not of a ripple", (t) => {
  const { told, turnover, come, leave, pass } = world(t);
  come(50);
  pass(6_000);
  for (let i = 0; i < 50; i += 1) {
    leave(1, true);
    come();
    pass(20);
  }
  assert.equal(turnover.staying, 50);
  assert.deepEqual(told, [50]);
  for (let i = 0; i < 50; i += 1) {
    leave(1, true);
    pass(20);
  }
  pass(200);
  assert.ok(told.length <= 8, told.join(" "));
  assert.equal(told.at(-1), 0);
});
