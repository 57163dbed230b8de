import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fc } from "../../support/fast-check.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { ms, seconds, type Instant, type Ms, type Timestamp } from "../../../src/base/units.ts";
import type { Exchange } from "../../../src/worker/exchange.ts";
import { OVERLOAD } from "../../../src/worker/gate/shed.ts";
import { Turns, turnStage } from "../../../src/worker/gate/turns.ts";

interface Asked {
  readonly nr: number;
  readonly leaves: () => void;
}

/** Requests whose work takes `cost` by a clock that only work moves on. */
function world() {
  let at = 0;
  const clock: Clock = { now: () => at as Instant, wall: () => at as Timestamp };
  const waits: Ms[] = [];
  const turns = new Turns(clock, seconds(2), OVERLOAD);
  const stage = turnStage(turns, clock, (wait) => void waits.push(wait));
  const [done, refused]: [number[], number[]] = [[], []];
  const ask = (nr: number, cost: number, url = "/api/tables/players?q=a"): Asked => {
    const res = { destroyed: false };
    const verdict = stage.admit({ req: { method: "GET", url }, res, readyAt: at as Instant } as unknown as Exchange);
    const work = (): void => {
      if (res.destroyed) return;
      done.push(nr);
      at += cost;
    };
    if (verdict === undefined) work();
    else if (verdict instanceof Promise) void verdict.then((refusal) => (refusal === undefined ? work() : void refused.push(nr)));
    return { nr, leaves: () => void (res.destroyed = true) };
  };
  return { ask, turns, done, refused, waits, pass: (span: number) => void (at += span), now: () => at };
}

test("what fits the turn's time begins at once, the rest in the next turns, oldest first", async () => {
  const { ask, turns, done, now, pass } = world();
  for (let nr = 0; nr < 12; nr += 1) ask(nr, 4);
  assert.deepEqual(done, [0, 1, 2], "begun within 10 ms");
  assert.equal(turns.wait, 0);
  pass(4);
  assert.equal(turns.wait, 4);
  const spans: number[] = [];
  for (let nr = 0; nr < 12 && done.length < 12; nr += 1) {
    const before = now();
    await turn();
    spans.push(now() - before);
  }
  assert.deepEqual(
    done,
    Array.from({ length: 12 }, (_, nr) => nr),
  );
  assert.ok(
    spans.every((span) => span <= 12),
    spans.join(),
  );
  assert.equal(turns.wait, 0);
  ask(12, 1);
  assert.equal(done.at(-1), 12, "at rest again: at once");
});

test("health checks, the operator and logins do not wait behind work", () => {
  const { ask, done } = world();
  for (let nr = 0; nr < 9; nr += 1) ask(nr, 20);
  for (const [nr, url] of ["/healthz", "/api/admin/stats", "/api/login"].entries()) ask(100 + nr, 0, url);
  assert.deepEqual(done, [0, 100, 101, 102]);
});

test("who has waited too long is refused with a time to come back; who has left costs nothing", async () => {
  const { ask, done, refused, turns, pass } = world();
  const asked = Array.from({ length: 6 }, (_, nr) => ask(nr, 10));
  asked[1]?.leaves();
  asked[2]?.leaves();
  await turn();
  await turn();
  assert.deepEqual(done, [0, 3]);
  pass(2_000);
  while (turns.wait > 0) await turn();
  await turn();
  assert.deepEqual(
    [done, refused],
    [
      [0, 3],
      [4, 5],
    ],
  );
});

test("the wait at the gate is what was measured, 0 without one", async () => {
  const { ask, waits, done } = world();
  for (let nr = 0; nr < 3; nr += 1) ask(nr, 15);
  while (done.length < 3) await turn();
  assert.deepEqual(waits, [0, 0, 15].map(ms), "the second came when the first was done, and the third with it");
});

test("whatever comes whenever: everyone gets one end, oldest first, and no turn spends more than its time and one piece of work", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ cost: fc.integer({ min: 0, max: 30 }), many: fc.integer({ min: 1, max: 40 }) }), { maxLength: 12 }),
      async (rounds) => {
        const { ask, done, refused, now } = world();
        let nr = 0;
        for (const { cost, many } of rounds) {
          for (let i = 0; i < many; i += 1) ask((nr += 1), cost);
          const before = now();
          await turn();
          assert.ok(now() - before < 10 + 30, `${now() - before} ms`);
        }
        for (let i = 0; i < 2_000 && done.length + refused.length < nr; i += 1) await turn();
        assert.equal(done.length + refused.length, nr);
        assert.deepEqual(
          done,
          done.toSorted((a, b) => a - b),
        );
      },
    ),
    { numRuns: 30 },
  );
});
