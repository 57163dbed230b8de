import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { after, ms, type Instant, type Ms } from "../../../src/base/units.ts";
import { createAgenda } from "../../../src/master/shell/agenda.ts";
import type { Clock } from "../../../src/base/clock.ts";

/** node:test's timers and our clock, moved together. */
function world(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
  let now = 0 as Instant;
  const clock: Clock = { now: () => now, wall: () => 0 as never };
  return {
    clock,
    advance(by: number) {
      for (let i = 0; i < by; i += 1) {
        now = after(now, ms(1));
        t.mock.timers.tick(1);
      }
    },
    /** The machine slept: time has passed, timers have not fired. */
    sleep: (by: number) => void (now = after(now, ms(by))),
    get now() {
      return now;
    },
  };
}

test("one timer serves the deadline and every job, each at its time", (t) => {
  const w = world(t);
  const ran: [string, number][] = [];
  let deadline: Instant | undefined = 25 as Instant;
  const agenda = createAgenda({
    clock: w.clock,
    failed: assert.fail,
    deadline: () => deadline,
    tick: () => {
      if (deadline !== undefined && w.now >= deadline) {
        ran.push(["deadline", w.now]);
        deadline = undefined;
      }
    },
  });
  agenda.every(ms(10), () => ran.push(["ten", w.now]));
  w.advance(32);
  assert.deepEqual(ran, [
    ["ten", 10],
    ["ten", 20],
    ["deadline", 25],
    ["ten", 30],
  ]);
  agenda.stop();
  w.advance(50);
  assert.equal(ran.length, 4, "a stopped agenda is silent");
});

test("a deadline that moves nearer is met, one that moves away is not fired early", (t) => {
  const w = world(t);
  let deadline = 100 as Instant;
  const ticks: number[] = [];
  const agenda = createAgenda({
    clock: w.clock,
    failed: assert.fail,
    deadline: () => deadline,
    tick: () => {
      ticks.push(w.now);
      deadline = 1_000 as Instant;
    },
  });
  agenda.arm();
  deadline = 5 as Instant;
  agenda.arm();
  w.advance(200);
  assert.deepEqual(ticks, [5]);
});

test("after a sleep the tick says how late it is, and comes after what had arrived meanwhile", (t) => {
  const w = world(t);
  let late: Ms | undefined;
  let deadline: Instant | undefined = 10 as Instant;
  const agenda = createAgenda({
    clock: w.clock,
    failed: assert.fail,
    deadline: () => deadline,
    tick: (by) => {
      late = by;
      deadline = undefined;
    },
  });
  agenda.arm();
  w.sleep(5_000);
  w.advance(12);
  assert.ok(late !== undefined && late >= 5_000, `late by ${late}`);
});

test("a job that throws stops neither the others nor the deadline, runs again, and the same fault is told once", (t) => {
  const w = world(t);
  const told: string[] = [];
  const ran: number[] = [];
  let ticks = 0;
  let fault: string | undefined = "no luck";
  const agenda = createAgenda({
    clock: w.clock,
    deadline: () => undefined,
    tick: () => (ticks += 1),
    failed: (error) => told.push((error as Error).message),
  });
  agenda.every(ms(10), () => {
    if (fault !== undefined) throw new Error(fault);
  });
  agenda.every(ms(10), () => ran.push(w.now));
  w.advance(30);
  fault = "another";
  w.advance(10);
  fault = undefined;
  w.advance(10);
  fault = "another";
  w.advance(10);
  assert.deepEqual(told, ["no luck", "another", "another"]);
  assert.deepEqual(ran, [10, 20, 30, 40, 50, 60]);
  assert.equal(ticks, 6);
});
