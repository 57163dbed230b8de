/** What is said of a plan: what binds, what is enough, what to do, and what it costs. */
import assert from "node:assert/strict";
import test from "node:test";
import { calibrate, tellsIdle } from "../../src/plan/calibrate.ts";
import { explanations } from "../../src/plan/explain.ts";
import { forecast, wantedBy, type Forecast } from "../../src/plan/forecast.ts";
import { MOST_CONNECTIONS, MOST_WORKERS, type PlanInput } from "../../src/plan/input.ts";
import { nextStep } from "../../src/plan/next.ts";
import { preset } from "../../src/plan/presets.ts";
import { cheapest, PRICES, readPrices } from "../../src/plan/prices.ts";
import { render } from "../../src/plan/render.ts";
import { tiers } from "../../src/plan/tiers.ts";
import { gibibytes } from "../../src/plan/units.ts";
import { fit, fitOf, refusal } from "../../src/plan/usl.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { input, run, said, step } from "./fixture.ts";

const KNOWN = { measured: true, measureWith: undefined, foreign: false };
const shown = (made: Forecast): string =>
  render({
    forecast: made,
    bill: cheapest(PRICES, wantedBy(made)),
    prices: PRICES,
    fit: undefined,
    more: [],
    notes: [],
    next: nextStep(made, KNOWN),
  });
const withCosts = (given: PlanInput, costs: Partial<PlanInput["costs"]>): PlanInput => ({ ...given, costs: { ...given.costs, ...costs } });

test("at full load there is no answer time, however the division was rounded", () => {
  const rate = 1_000 / input().costs.cpu.value;
  for (const part of [0.99, 0.999_999_999_999, 1, 1.5]) {
    const made = forecast(withCosts(input({ users: 1, rate: rate * part, cpus: 1, workers: 1 }), { make: said(0), network: said(1e6) }));
    assert.deepEqual([made.verdict, made.latency], ["overload", undefined], String(part));
  }
  assert.equal(
    forecast(withCosts(input({ users: 1, rate: rate * 0.98, cpus: 1, workers: 1 }), { make: said(0), network: said(1e6) })).verdict,
    "tight",
  );
});

test("what binds is what fills first, and says how many users are the most", () => {
  const small = forecast(input({ users: 50_000, cpus: 1, ram: gibibytes(1), workers: 4 }));
  assert.equal(small.binding.resource, "memory"); // connections are used up 5 times more, and break nothing
  assert.match(shown(small), /NOT hold: 2\.58 × what the memory may give; 123 users are the most/);
  const none = forecast(input({ users: 10, ram: gibibytes(0.25), workers: 1 }));
  assert.match(shown(none), /not even one user fits/);
});

test("enough is enough: workers for the CPU, for connections, for requests that block; no setting beyond what drover takes", () => {
  for (const [given, workers] of [
    [input({ users: 100_000, rate: 1, writes: 1, workers: 8 }), 386],
    [input({ users: 1_000_000, rate: 0.000_1, workers: 8, ram: gibibytes(64) }), 13],
    [input({ users: 10, ram: gibibytes(0.5) }), 1],
    [preset("before", input()), 15],
  ] as const) {
    const { advice, load } = forecast(given);
    assert.equal(advice.workers, workers);
    assert.ok(advice.connections <= MOST_CONNECTIONS && (given.system.blocks || advice.connections * advice.workers >= load.connections));
  }
  assert.match(shown(forecast(input({ users: 100_000, rate: 1, writes: 1 }))), /386 workers × 1,000 connections on 2 machines or more/);
  assert.match(shown(forecast(preset("before", input()))), /^enough +1 CPU, 15 workers, 117 slots/m);
  for (const { name, forecast: f } of tiers(input()))
    assert.equal(f.advice.workers, forecast({ ...input(), demand: f.input.demand }).advice.workers, name);
  const row = (name: string): string => SETTINGS.find((one) => one.name === name)?.codec.looksLike ?? "";
  assert.match(row("workers"), new RegExp(`${MOST_WORKERS}$`));
  assert.match(row("worker_connections"), new RegExp(`${MOST_CONNECTIONS}$`));
});

test("machines are bought for the cable, too, and each asks Google for itself", () => {
  const made = forecast(input({ users: 100_000, rate: 10, ram: gibibytes(64) }));
  assert.equal(cheapest(PRICES, wantedBy(made)).count, 118);
  assert.match(shown(made), /118 × VPS 2 GB.*; each asks Google for itself: 236 calls\/min of 51, unless the TTL is 139s or more/);
  assert.doesNotMatch(shown(forecast(input())), /for itself/);
  const list = { asOf: "2026-01-31", currency: "EUR", machines: [{ name: "x", cpus: 2, memoryGb: 4, monthly: 5 }] };
  for (const [change, message] of [
    [{ asOf: "2026-99-99" }, /expected a date/],
    [{ asOf: "2026-02-30" }, /expected a date/],
    [{ machines: [{ ...list.machines[0], name: "a\nb" }] }, /machines\[0\]\.name is "a\\nb": expected a text of one line/],
  ] as const)
    assert.throws(() => readPrices(JSON.stringify({ ...list, ...change }), "p.json"), message);
});

test("a cable that is nearly full makes answers wait, and a full one leaves none", () => {
  const at = (bytes: number): Forecast =>
    forecast({ ...input({ users: 80, rate: 1 }), demand: { ...input({ users: 80, rate: 1 }).demand, bytes: said(bytes) } });
  const [small, large] = [at(10_240), at(1_048_576)];
  assert.ok((large.latency?.p50 ?? 0) > (small.latency?.p50 ?? 0) + 8.4, "1 MiB takes 8.4 ms at 1 Gbit/s");
  assert.deepEqual([at(2_000_000).verdict, at(2_000_000).latency], ["overload", undefined]);
});

test("who is too slow hears why", () => {
  const next = (given: PlanInput, limit: number): string => nextStep(forecast(withCosts(given, { limit: said(limit) })), KNOWN);
  const busy = withCosts(input({ users: 1_000, rate: 20, cpus: 2, workers: 2 }), { network: said(1e6) });
  assert.match(next(busy, 1), /^raise --limit: the p95 of .* with hardly any load it is 3\.4 ms$/);
  assert.match(next(input({ users: 100, rate: 1, writes: 0.2 }), 5), /^raise --limit, or write less often/);
  assert.match(
    next(withCosts(busy, { quiet: { p50: said(0.1), p95: said(0.1), p99: said(0.1) } }), 0.15),
    /^give it more CPUs than 2: .*answers wait for one$/,
  );
  assert.match(next(input({ users: 1, rate: 0.001 }), 100), /^let fewer answers wait for Google/);
});

test("Little's law is about the mean, which a few that wait for Google make", () => {
  const made = forecast(preset("after", input()));
  assert.ok((made.mean ?? 0) > 90 && (made.latency?.p50 ?? 0) < 2, `${made.mean}`);
  assert.match(explanations(made).find(({ what }) => what === "in flight")?.numbers ?? "", /^10 × 10\d ms = 1$/);
  const blocked = { ...preset("before", input({ users: 1 })) };
  const { load } = forecast({ ...blocked, upstream: { ...blocked.upstream, p50: said(300), p99: said(3_000) } });
  assert.ok(
    Math.abs(load.taken / load.rate - 0.4904) < 0.001,
    "a log-normal of 300 and 3,000 ms has a mean of 490, and the CPU of a request is 0.7",
  );
});

test("the calls that writes need are the fewest, and rest on a figure that is named", () => {
  const made = forecast(input({ users: 50, rate: 1, writes: 0.3 }));
  const need = made.needs.find(({ resource }) => resource === "writes");
  assert.deepEqual([need?.needs, need?.origin], [1.8, "assumed"]);
  assert.match(shown(made), /^writes +1\.8 calls\/min or more/m);
  assert.match(explanations(made).find(({ what }) => what === "calls that write")?.numbers ?? "", /^60 × 15 \/ 500 = 1\.8 a minute$/);
});

test("a trusted peak is a resource, and steps that wait are no quiet ones", () => {
  const bent = [10, 50, 100, 200, 400, 600, 800].map((n) => {
    const rate = (0.4 * n) / (1 + 0.000_1 * (n - 1) + 1.9e-6 * n * (n - 1));
    const p50 = (n / rate - 2.5) * 1_000 + 1;
    return step(n, {
      achievedPerSecond: rate,
      requests: Math.round(rate * 100),
      thinkMs: 2_499,
      latencyMs: { p50, p95: p50 * 1.2, p99: p50 * 1.3, max: p50 * 2 },
      cpuSeconds: rate * 0.05,
    });
  });
  const found = fitOf(run(bent));
  assert.ok(found !== undefined && refusal(found) === undefined, "it can be relied on");
  const { quiet } = calibrate(input(), run(bent), "run.json").costs;
  assert.ok(quiet.p50.value < 10, `${quiet.p50.value}`);
  const peaked = { ...input({ users: 500, rate: 1 }), place: { ...input().place, peak: said(found.peakRate) } };
  const made = forecast(peaked);
  assert.deepEqual([made.verdict, made.binding.resource], ["overload", "throughput"]);
  assert.match(nextStep(made, KNOWN), /^find out what it waits for: its throughput peaked at \d+\/s, and 500 are asked for/);
});

test("levels count, not repetitions, and requests at a rate have no users", () => {
  const three = [100, 200, 400].flatMap((users) => [
    { users, rate: users / (1 + 0.001 * users) },
    { users, rate: users / (1 + 0.001 * users) },
  ]);
  assert.match(refusal(fit([...three, { users: 800, rate: 200 }]) ?? assert.fail()) ?? "", /./);
  assert.equal(fit(three)?.levels, 3);
  const open = [1, 2, 3, 4, 5, 6].map((n) => step(n, { model: "open", thinkMs: 0 }));
  assert.equal(fitOf(run(open)), undefined);
});

test("one load alone does not tell a request's CPU from that of doing nothing", () => {
  const at = (requests: number, cpuSeconds: number) =>
    step(5, { requests, achievedPerSecond: requests / 100, cpuSeconds, model: "open", thinkMs: 0 });
  assert.equal(tellsIdle(run([at(500, 2)])), false);
  assert.equal(tellsIdle(run([at(500, 2), at(50_000, 6)])), true);
});

test("a part of a CPU serves more slowly, and what waits at best is no more than at worst", () => {
  const half = forecast(withCosts(input({ users: 10, rate: 1, cpus: 0.1, writes: 1 }), {}));
  const whole = forecast(input({ users: 100, rate: 1, cpus: 1, writes: 1 }));
  assert.ok((half.latency?.p99 ?? 0) > (whole.latency?.p99 ?? Infinity), `${half.latency?.p99} ${whole.latency?.p99}`);
  const told = explanations(forecast(input({ users: 100, rate: 8.1, writes: 1, cpus: 2.5 }))).find(
    ({ what }) => what === "wait for a loop",
  );
  assert.equal(told?.numbers, "87.5 % wait; 87.5 %");
});

test("more than the machine has is no measurement", () => {
  const server = { cpus: 2, memoryBytes: 4e9, workers: 2, workerConnections: 1_000, cacheTtlMs: 30_000, tables: 3, readsPerMinute: 60 };
  const flaws = (more: Parameters<typeof step>[1]) => calibrate(input(), { ...run([step(10, more)]), server }, "r").costs.cpu.origin;
  assert.equal(flaws({ cpuSeconds: 150 }), "measured");
  assert.equal(flaws({ cpuSeconds: 300 }), "assumed");
  assert.equal(flaws({ cpuSeconds: 150, rssBytes: 20e9 }), "assumed");
});
