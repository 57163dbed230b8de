/** measured, configured or assumed: a result is assumed as soon as one of the figures it rests on is. */
import assert from "node:assert/strict";
import test from "node:test";
import { calibrate } from "../../src/plan/calibrate.ts";
import { COSTS } from "../../src/plan/constants.ts";
import { assumed, measured, type Origin } from "../../src/plan/figure.ts";
import { forecast } from "../../src/plan/forecast.ts";
import type { PlanInput } from "../../src/plan/input.ts";
import { render } from "../../src/plan/render.ts";
import { PRICES, cheapest } from "../../src/plan/prices.ts";
import { fit, throughput } from "../../src/plan/usl.ts";
import { input, run, step, type Given } from "./fixture.ts";

const RUN = run(
  [10, 100, 1_000].map((rate) => step(rate, { thinkMs: 998, achievedPerSecond: rate, requests: rate * 100, cpuSeconds: 2 + rate * 0.004 })),
);
/** As `drover plan --from run.json` with what a test says otherwise. */
const from = (given: Partial<Given> = {}): PlanInput => calibrate(input({ users: 100, rate: 1, ...given }), RUN, "run.json");
const latency = (plan: PlanInput): Origin => forecast(plan).latencyOrigin;
const origin = (plan: PlanInput, resource: string): Origin | undefined =>
  forecast(plan).needs.find((need) => need.resource === resource)?.origin;

test("a latency is measured where all that it is made of was", () => {
  assert.equal(latency(from()), "measured");
  assert.equal(latency(input({ users: 100, rate: 1 })), "assumed");
  assert.equal(latency(from({ burst: 2 })), "measured", "a peak that was configured");
});

test("a latency that rests on one assumed figure is assumed", () => {
  assert.equal(latency(from({ writes: 0.3 })), "assumed", "the journal's times");
  assert.equal(latency(from({ rate: 0.0001 })), "assumed", "Google's: first requests wait for it");
  const plan = from();
  const { demand, costs } = plan;
  assert.equal(latency({ ...plan, demand: { ...demand, burst: assumed(2, "test") } }), "assumed");
  assert.equal(latency({ ...plan, demand: { ...demand, burst: assumed(1, "no --burst"), writes: assumed(0, "no --writes") } }), "measured");
  assert.equal(latency({ ...plan, costs: { ...costs, make: COSTS.make } }), "assumed");
  assert.equal(latency({ ...plan, costs: { ...costs, quiet: { ...costs.quiet, p95: COSTS.quiet.p95 } } }), "assumed");
});

test("with everything measured that writes rest on, they are measured", () => {
  const plan = from({ writes: 0.3 });
  const all = (value: number): ReturnType<typeof measured> => measured(value, "test");
  const journal = { ...plan.costs.write, p50: all(5), p99: all(9) };
  assert.equal(latency({ ...plan, costs: { ...plan.costs, write: journal } }), "assumed", "their CPU");
  assert.equal(latency({ ...plan, costs: { ...plan.costs, write: { ...plan.costs.write, cpu: all(3) } } }), "assumed", "their times");
  assert.equal(latency({ ...plan, costs: { ...plan.costs, write: { ...journal, cpu: all(3) } } }), "measured");
});

test("resources are told the same way", () => {
  const plan = from();
  assert.equal(origin(plan, "cpu"), "measured");
  assert.equal(origin(from({ writes: 0.3 }), "cpu"), "assumed");
  assert.equal(origin({ ...plan, demand: { ...plan.demand, burst: assumed(2, "test") } }, "reads"), "assumed");
  assert.equal(origin(plan, "reads"), "configured");
});

test("a peak beyond what was tested is not printed as measured", () => {
  const shown = (...users: readonly number[]): string => {
    const made = forecast(from());
    const found = fit(users.map((n) => ({ users: n, rate: throughput({ lambda: 10, sigma: 0.01, kappa: 1e-4 }, n) })));
    return render({
      forecast: made,
      bill: cheapest(PRICES, { cpu: 1, memory: 1, cables: 0 }),
      prices: PRICES,
      fit: found,
      more: [],
      notes: [],
      next: "",
    });
  };
  assert.match(shown(1, 20, 50, 80, 120, 200), /^scaling +peak at 99 users \(99–99\), .*\/s \(measured, 6 steps\)$/m);
  assert.match(shown(1, 10, 20, 30, 50, 70), /^scaling +peak at 99 users .*\(assumed: beyond the 70 users that were tested, 6 steps\)$/m);
});
