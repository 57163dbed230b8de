/** Which steps of a load run are believed. */
import assert from "node:assert/strict";
import test from "node:test";
import { calibrate } from "../../../src/tools/plan/run/calibrate.ts";
import { COSTS } from "../../../src/tools/plan/model/constants.ts";
import { lint, readRun, usable, type RunStep } from "../../../src/tools/plan/run/run.ts";
import { verify } from "../../../src/tools/plan/run/verify.ts";
import { input, run, step } from "./fixture.ts";

const used = (...steps: readonly RunStep[]): string[] =>
  usable(run(steps)).map(({ label }) => label);
const said = (...steps: readonly RunStep[]): string => lint(run(steps)).join("\n");
/** As a file has it. */
const read = (change: object): RunStep => {
  const [first] = readRun(
    JSON.stringify({ ...run(), steps: [{ ...step(5), ...change }] }),
    "run.json",
  ).steps;
  assert.ok(first !== undefined);
  return first;
};

test("2.1: a step that Little's law forbids is called a bad measurement, and goes into no figure", () => {
  // 50 users at 41 ms make 69 requests/s only by thinking 684 ms; the same document's next row thinks 12.
  const latencyMs = { p50: 41, p95: 60, p99: 80, max: 90 };
  const odd = step(50, {
    thinkMs: 12,
    achievedPerSecond: 69,
    requests: 6_900,
    latencyMs,
    cpuSeconds: 9,
  });
  assert.match(
    said(odd),
    /^50 users: not used, it does not add up: 50 users at p50 41 ms with 12 ms of thought can't make 69 requests\/s \(at least \d+, by Little's law\)$/,
  );
  assert.deepEqual([said(...run().steps), used(odd, step(7))], ["", ["7 users"]]);
  assert.equal(calibrate(input(), run([odd]), "run.json").costs, COSTS);
  const { steps, notes } = verify(input(), run([odd, step(7)]));
  assert.deepEqual([steps.map((one) => one.step.label), notes.length], [["7 users"], 1]);
});

test("more than the users can ask for is forbidden too, and a long tail is not", () => {
  assert.match(said(step(5, { achievedPerSecond: 2, requests: 200 })), /does not add up/);
  const tail = {
    latencyMs: { p50: 2, p95: 4, p99: 8, max: 60_000 },
    thinkMs: 0,
    achievedPerSecond: 10,
    requests: 1_000,
  };
  assert.equal(said(step(5, tail)), "", "a hundredth of 60 s is 600 ms on the average");
});

test("a server that does not answer is not blamed on the measurement", () => {
  const slow = { thinkMs: 1_000, achievedPerSecond: 1, requests: 150, seconds: 100 };
  assert.match(said(step(100, slow)), /does not add up/);
  assert.equal(
    said(step(100, { ...slow, timeouts: 50 })),
    "100 users: used, though 33.3 % of the requests failed",
    "a third timed out",
  );
  assert.equal(
    said(step(100, { ...slow, errors: 50 })),
    "100 users: used, though 33.3 % of the requests failed",
    "whenever that was",
  );
  assert.equal(
    said(step(100, { ...slow, timeouts: 1 })),
    "",
    "one may have kept its user for longer than all answers took",
  );
});

test("what was saturated, refused, failed or never answered is not used, and it is said why", () => {
  const silent = read({
    label: "4 users",
    timeouts: 50,
    achievedPerSecond: 0,
    latencyMs: undefined,
  });
  const cases: readonly (readonly [RunStep, RegExp])[] = [
    [step(5, { valid: false }), /^5 users: not used, the load generator called it invalid$/],
    [step(6, { errors: 60 }), /^6 users: not used, most requests failed$/],
    [step(100, { refused: 11 }), /^100 users: not used, 1\.1 % of the requests were refused$/],
    [silent, /^4 users: not used, no request had a good answer$/],
  ];
  for (const [bad, why] of cases) {
    assert.match(said(bad), why);
    assert.deepEqual(used(bad, step(7)), ["7 users"]);
  }
  assert.deepEqual(used(step(100, { refused: 10 })), ["100 users"], "one in a hundred may be");
});

test("a step without a good answer has no latency, whichever way the file leaves it out", () => {
  const none = { errors: 50, achievedPerSecond: 0 };
  for (const latencyMs of [undefined, {}, { max: 0 }])
    assert.equal(read({ ...none, latencyMs }).latencyMs, undefined);
  const zeros = { p50: 0, p95: 0, p99: 0, max: 0 };
  const old = read({ errors: 0, timeouts: 50, achievedPerSecond: 0.5, latencyMs: zeros });
  assert.deepEqual([old.latencyMs, used(old)], [zeros, []]);
  assert.throws(() => read({ latencyMs: { p50: 1, p99: 2, max: 3 } }), /latencyMs\.p95 is missing/);
});

test("the rate is that of answers that came in time, at most all of them", () => {
  const refused = { requests: 5_000, refused: 4_000 };
  assert.equal(read({ ...refused, achievedPerSecond: 10 }).achievedPerSecond, 10);
  assert.equal(read({ ...refused, achievedPerSecond: 50 }).achievedPerSecond, 50);
  assert.equal(read({ ...refused, achievedPerSecond: 8 }).achievedPerSecond, 8);
  assert.throws(
    () => read({ ...refused, achievedPerSecond: 60 }),
    /achievedPerSecond is 60: expected at most/,
  );
});

test("writes are told by their endpoints' names, or said", () => {
  const endpoints = {
    "read players": { answered: 20, failed: 0, refused: 0 },
    "write players": { answered: 10, failed: 1, refused: 2 },
    "POST /api/tables/actions": { answered: 7, failed: 0 },
    login: { answered: 10, failed: 0, refused: 0 },
  };
  assert.equal(read({ endpoints }).writes, 20);
  assert.equal(read({ endpoints, writes: 3 }).writes, 3);
  assert.equal(read({}).writes, undefined);
  assert.throws(() => read({ writes: 51 }), /writes is 51: expected a number from 0 to 50/);
});
