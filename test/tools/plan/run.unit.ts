import assert from "node:assert/strict";
import test from "node:test";
import { DroverError } from "../../../src/base/errors.ts";
import { calibrate, cpuOfRequest } from "../../../src/tools/plan/run/calibrate.ts";
import { COSTS } from "../../../src/tools/plan/model/constants.ts";
import { readRun, type AnsweredStep, type LoadRun } from "../../../src/tools/plan/run/run.ts";
import { verify } from "../../../src/tools/plan/run/verify.ts";
import { input, run, step } from "./fixture.ts";

test("a run is read as it was written", () => {
  const whole = run([
    step(5, { cpuSeconds: 1, rssBytes: 5e8, hitRatio: 0.99, upstreamCalls: 3 }),
    step(10),
  ]);
  assert.deepEqual(readRun(JSON.stringify(whole), "run.json"), whole);
  const { server: _, ...foreign } = whole;
  assert.deepEqual(readRun(JSON.stringify({ ...foreign, further: "fields" }), "run.json"), foreign);
});

test("a run that is damaged or of another version is refused, by place", () => {
  const first = (change: object): unknown => ({ ...run(), steps: [{ ...step(5), ...change }] });
  const cases: [unknown, RegExp][] = [
    [[], /is no load run/],
    [{ ...run(), format: "k6" }, /run\.json: format is "k6": expected "drover-load-run"/],
    [{ ...run(), version: 2 }, /version is 2: expected 1, which this drover reads/],
    [{ ...run(), version: undefined }, /version is missing/],
    [{ ...run(), steps: [] }, /steps is \[\]: expected a list of 1 to 1000/],
    [{ ...run(), steps: [7] }, /steps\[0\] is 7: expected an object/],
    [{ ...run(), server: { cpus: 0 } }, /server\.cpus is 0: expected a number from 0\.001/],
    [first({ users: 1.5 }), /steps\[0\]\.users is 1\.5: expected a whole number/],
    [first({ users: 1e9 }), /steps\[0\]\.users is 1000000000: expected a number from 1 to 1000000/],
    [first({ model: "k6" }), /steps\[0\]\.model is "k6": expected one of "closed", "open"/],
    [first({ valid: "yes" }), /valid is "yes": expected true or false/],
    [first({ seconds: 0 }), /seconds is 0/],
    [
      first({ achievedPerSecond: 900 }),
      /achievedPerSecond is 900: expected at most [\d.]+: 50 requests in 100 s/,
    ],
    [first({ hitRatio: 99 }), /hitRatio is 99: expected a number from 0 to 1/],
    [
      first({ latencyMs: { p50: 5, p95: 4, p99: 8, max: 9 } }),
      /latencyMs is .*: expected p50 ≤ p95 ≤ p99 ≤ max/,
    ],
    [first({ latencyMs: { p50: null } }), /latencyMs\.p50 is null: expected a number from 0 on/],
  ];
  for (const [value, message] of cases)
    assert.throws(
      () => readRun(JSON.stringify(value), "run.json"),
      (e) => e instanceof DroverError && e.exit === 64 && message.test(e.message),
      String(message),
    );
  assert.throws(
    () => readRun(JSON.stringify(run()).slice(0, 300), "run.json"),
    /run\.json is no JSON/,
  );
});

test("CPU a request is told from what the server burns by doing nothing", () => {
  const steps = [10, 100, 1_000].map((rate) =>
    step(1, {
      requests: rate * 100,
      achievedPerSecond: rate,
      cpuSeconds: 100 * 0.02 + rate * 100 * 0.00004,
    }),
  );
  const found = cpuOfRequest(steps);
  assert.ok(
    found !== undefined && Math.abs(found.cost - 0.04) < 1e-6 && Math.abs(found.idle - 0.02) < 1e-6,
    JSON.stringify(found),
  );
  const alike = cpuOfRequest([step(10, { cpuSeconds: 1 }), step(10, { cpuSeconds: 1 })]);
  assert.ok(
    alike !== undefined && Math.abs(alike.cost - 10) < 1e-9 && alike.idle === 0,
    JSON.stringify(alike),
  );
  assert.equal(cpuOfRequest([step(1)]), undefined);
  assert.equal(
    calibrate(plenty, run([step(5, { cpuSeconds: 0 })]), "run.json").costs.cpu,
    COSTS.cpu,
  );
});

const plenty = input({ cpus: 64, workers: 64, ram: 64e9 });

/** One loop, first come first served, Poisson arrivals and exponential services: what the formulas are about, played through. */
function played(rate: number, service: number, requests: number): AnsweredStep {
  let state = 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const times: number[] = [];
  let [arrives, free] = [0, 0];
  for (let i = 0; i < requests; i += 1) {
    arrives += (-Math.log(random()) * 1_000) / rate;
    free = Math.max(arrives, free) - Math.log(random()) * service;
    times.push(free - arrives);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.floor(q * requests)] ?? 0;
  const seconds = arrives / 1_000;
  return {
    ...step(1, {
      label: `${rate}/s`,
      model: "open",
      thinkMs: 0,
      offeredPerSecond: rate,
      achievedPerSecond: requests / seconds,
      seconds,
      requests,
    }),
    latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0 },
    cpuSeconds: (requests * service) / 1_000,
  };
}

test("what was calibrated on half of a run predicts the other half", () => {
  const server = {
    cpus: 1,
    memoryBytes: 4e9,
    workers: 1,
    workerConnections: 1_000,
    cacheTtlMs: 30_000,
    tables: 3,
    readsPerMinute: 60,
  };
  const known = { ...run([10, 50, 100].map((rate) => played(rate, 2, 20_000))), server };
  const other = { ...run([150, 300, 400].map((rate) => played(rate, 2, 40_000))), server };
  const here = { ...plenty, place: { ...plenty.place, cpus: 1, workers: 1 } };
  const calibrated = calibrate(here, known, "known.json");
  assert.equal(calibrated.measuredBy, "known.json");
  assert.ok(Math.abs(calibrated.costs.cpu - 2) < 0.01);
  const made = verify(calibrated, other);
  assert.deepEqual(
    made.steps.flatMap((s) =>
      s.comparisons
        .filter((c) => !c.holds)
        .map((c) => `${s.step.label} ${c.what} ${c.predicted} ${c.measured}`),
    ),
    [],
  );
});

test("the default ladder of users who think: the rate is Little's, and a run that is not so is missed", () => {
  const made = verify(calibrate(plenty, run(), "run.json"), run());
  assert.ok(made.holds, JSON.stringify(made.steps.map((s) => s.comparisons)));
  const half = run([
    step(100, {
      achievedPerSecond: 5,
      requests: 500,
      latencyMs: { p50: 10_000, p95: 10_500, p99: 11_000, max: 12_000 },
    }),
  ]);
  assert.equal(verify(plenty, half).holds, false);
  assert.equal(verify(plenty, run([step(5, { valid: false })])).holds, false);
});

test("what two runs of the same step differ by is no fault of the prediction, unless all steps say the same", () => {
  const users = [20, 40, 60, 80, 100];
  const of = (startedAt: string, p50s: readonly number[]): LoadRun => ({
    ...run(
      users.map((n, i) => step(n, { latencyMs: { p50: p50s[i] ?? 1, p95: 20, p99: 30, max: 40 } })),
    ),
    startedAt,
  });
  const first = of("2026-11-01T00:00:00Z", [2, 4, 3, 4, 3]);
  const judged = (second: LoadRun): string[] =>
    verify(calibrate(plenty, first, "first.json"), second, first).steps.flatMap(({ comparisons }) =>
      comparisons
        .filter(({ what }) => what === "p50")
        .map(({ holds, unclear }) => (holds ? "ok" : unclear === undefined ? "missed" : "?")),
    );
  assert.deepEqual(judged(of("2026-11-02T00:00:00Z", [4, 2, 3, 3, 3])), [
    "?",
    "?",
    "ok",
    "ok",
    "ok",
  ]);
  assert.deepEqual(
    judged(of("2026-11-03T00:00:00Z", [30, 40, 30, 40, 30])),
    ["missed", "missed", "missed", "missed", "missed"],
    "it became slower",
  );
  assert.deepEqual(
    judged(of("2026-11-04T00:00:00Z", [3, 4, 3, 9, 3])),
    ["ok", "missed", "ok", "?", "ok"],
    "4 ms both times are no scatter",
  );
});

test("the p99 of few requests is not judged", () => {
  const quick = { requests: 160, seconds: 8, achievedPerSecond: 20, thinkMs: 998 };
  const few = run([step(20, { ...quick, latencyMs: { p50: 1.4, p95: 3, p99: 90, max: 90 } })]);
  const [found] = verify(plenty, few).steps.flatMap(({ comparisons }) =>
    comparisons.filter(({ what }) => what === "p99"),
  );
  assert.deepEqual(
    [found?.holds, found?.unclear],
    [false, undefined],
    "one step is all there is: it is missed",
  );
});
