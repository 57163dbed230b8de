/** What is said of a plan: what binds, what is enough, what to do, and what it costs. */
import assert from "node:assert/strict";
import test from "node:test";
import { calibrate, tellsIdle } from "../../../src/tools/plan/run/calibrate.ts";
import { forecast, wantedBy, type Forecast } from "../../../src/tools/plan/model/forecast.ts";
import {
  MOST_CONNECTIONS,
  MOST_WORKERS,
  type PlanInput,
} from "../../../src/tools/plan/model/types.ts";
import { nextStep } from "../../../src/tools/plan/model/next.ts";
import { preset } from "../../../src/tools/plan/model/presets.ts";
import { cheapest, PRICES, readPrices } from "../../../src/tools/plan/prices.ts";
import { render } from "../../../src/tools/plan/print/render.ts";
import { tiers } from "../../../src/tools/plan/model/tiers.ts";
import { gibibytes } from "../../../src/tools/plan/print/units.ts";
import { fit, fitOf, refusal, throughput } from "../../../src/tools/plan/model/usl.ts";
import { SETTINGS } from "../../../src/settings/table.ts";
import { input, run, step } from "./fixture.ts";

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
const withCosts = (given: PlanInput, costs: Partial<PlanInput["costs"]>): PlanInput => ({
  ...given,
  costs: { ...given.costs, ...costs },
});

test("at full load there is no answer time, however the division was rounded", () => {
  const rate = 1_000 / input().costs.cpu;
  for (const part of [0.99, 0.999_999_999_999, 1, 1.5]) {
    const made = forecast(
      withCosts(input({ users: 1, rate: rate * part, cpus: 1, workers: 1 }), {
        make: 0,
        network: 1e6,
      }),
    );
    assert.deepEqual([made.verdict, made.latency], ["overload", undefined], String(part));
  }
  assert.equal(
    forecast(
      withCosts(input({ users: 1, rate: rate * 0.98, cpus: 1, workers: 1 }), {
        make: 0,
        network: 1e6,
      }),
    ).verdict,
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
    assert.ok(
      advice.connections <= MOST_CONNECTIONS &&
        (given.system.blocks || advice.connections * advice.workers >= load.connections),
    );
  }
  assert.match(
    shown(forecast(input({ users: 100_000, rate: 1, writes: 1 }))),
    /386 workers × 1,000 connections on 2 machines or more/,
  );
  assert.match(
    shown(forecast(preset("before", input()))),
    /^enough +1 CPU, 15 workers, 117 slots/m,
  );
  for (const { name, forecast: f } of tiers(input()))
    assert.equal(
      f.advice.workers,
      forecast({ ...input(), demand: f.input.demand }).advice.workers,
      name,
    );
  const row = (name: string): string =>
    SETTINGS.find((one) => one.name === name)?.codec.looksLike ?? "";
  assert.match(row("workers"), new RegExp(`${MOST_WORKERS}$`));
  assert.match(row("worker_connections"), new RegExp(`${MOST_CONNECTIONS}$`));
});

test("machines are bought for the cable, too, and each asks Google for itself", () => {
  const made = forecast(input({ users: 100_000, rate: 10, ram: gibibytes(64) }));
  assert.equal(cheapest(PRICES, wantedBy(made)).count, 118);
  assert.match(
    shown(made),
    /118 × VPS 2 GB.*; each asks Google for itself: 236 calls\/min of 51, unless the TTL is 139s or more/,
  );
  assert.doesNotMatch(shown(forecast(input())), /for itself/);
  const list = {
    asOf: "2026-01-31",
    currency: "EUR",
    machines: [{ name: "x", cpus: 2, memoryGb: 4, monthly: 5 }],
  };
  for (const [change, message] of [
    [{ asOf: "2026-99-99" }, /expected a date/],
    [{ asOf: "2026-02-30" }, /expected a date/],
    [
      { machines: [{ ...list.machines[0], name: "a\nb" }] },
      /machines\[0\]\.name is "a\\nb": expected a text of one line/,
    ],
  ] as const)
    assert.throws(() => readPrices(JSON.stringify({ ...list, ...change }), "p.json"), message);
});

test("a cable that is nearly full makes answers wait, and a full one leaves none", () => {
  const at = (bytes: number): Forecast =>
    forecast({
      ...input({ users: 80, rate: 1 }),
      demand: { ...input({ users: 80, rate: 1 }).demand, bytes: bytes },
    });
  const [small, large] = [at(10_240), at(1_048_576)];
  assert.ok(
    (large.latency?.p50 ?? 0) > (small.latency?.p50 ?? 0) + 8.4,
    "1 MiB takes 8.4 ms at 1 Gbit/s",
  );
  assert.deepEqual([at(2_000_000).verdict, at(2_000_000).latency], ["overload", undefined]);
});

test("who is too slow hears why", () => {
  const next = (given: PlanInput, limit: number): string =>
    nextStep(forecast(withCosts(given, { limit: limit })), KNOWN);
  const busy = withCosts(input({ users: 1_000, rate: 20, cpus: 2, workers: 2 }), { network: 1e6 });
  assert.match(next(busy, 1), /^raise --limit: the p95 of .* with hardly any load it is 3\.4 ms$/);
  assert.match(
    next(input({ users: 100, rate: 1, writes: 0.2 }), 5),
    /^raise --limit, or write less often/,
  );
  assert.match(
    next(withCosts(busy, { quiet: { p50: 0.1, p95: 0.1, p99: 0.1 } }), 0.15),
    /^give it more CPUs than 2: .*answers wait for one$/,
  );
  assert.match(next(input({ users: 1, rate: 0.001 }), 100), /^let fewer answers wait for Google/);
});

test("workers that block are taken for the mean of Google's log-normal, not for its median", () => {
  const blocked = { ...preset("before", input({ users: 1 })) };
  const { load } = forecast({
    ...blocked,
    upstream: { ...blocked.upstream, p50: 300, p99: 3_000 },
  });
  assert.ok(
    Math.abs(load.taken / load.rate - 0.4904) < 0.001,
    "a log-normal of 300 and 3,000 ms has a mean of 490, and the CPU of a request is 0.7",
  );
});

test("the calls that writes need are the fewest", () => {
  const made = forecast(input({ users: 50, rate: 1, writes: 0.3 }));
  const need = made.needs.find(({ resource }) => resource === "writes");
  assert.equal(need?.needs, 1.8, "60 × 15 / 500 a minute");
  assert.match(shown(made), /^writes +1\.8 calls\/min or more/m);
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
  assert.ok(quiet.p50 < 10, `${quiet.p50}`);
  const peaked = {
    ...input({ users: 500, rate: 1 }),
    place: { ...input().place, peak: { rate: found.peakRate, tested: true } },
  };
  const made = forecast(peaked);
  assert.deepEqual([made.verdict, made.binding.resource], ["overload", "throughput"]);
  assert.match(
    nextStep(made, KNOWN),
    /^find out what it waits for: its throughput peaked at \d+\/s, and 500 are asked for/,
  );
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

test("a part of a CPU serves more slowly", () => {
  const half = forecast(withCosts(input({ users: 10, rate: 1, cpus: 0.1, writes: 1 }), {}));
  const whole = forecast(input({ users: 100, rate: 1, cpus: 1, writes: 1 }));
  assert.ok(
    (half.latency?.p99 ?? 0) > (whole.latency?.p99 ?? Infinity),
    `${half.latency?.p99} ${whole.latency?.p99}`,
  );
});

test("more than the machine has is no measurement", () => {
  const server = {
    cpus: 2,
    memoryBytes: 4e9,
    workers: 2,
    workerConnections: 1_000,
    cacheTtlMs: 30_000,
    tables: 3,
    readsPerMinute: 60,
  };
  const isMeasured = (more: Parameters<typeof step>[1]) =>
    calibrate(input(), { ...run([step(10, more)]), server }, "r").measuredBy === "r";
  assert.equal(isMeasured({ cpuSeconds: 150 }), true);
  assert.equal(isMeasured({ cpuSeconds: 300 }), false);
  assert.equal(isMeasured({ cpuSeconds: 150, rssBytes: 20e9 }), false);
});

test("a peak beyond what was tested is not printed as measured", () => {
  const shown = (...users: readonly number[]): string => {
    const made = forecast(input());
    const found = fit(
      users.map((n) => ({
        users: n,
        rate: throughput({ lambda: 10, sigma: 0.01, kappa: 1e-4 }, n),
      })),
    );
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
  assert.match(
    shown(1, 20, 50, 80, 120, 200),
    /^scaling +peak at 99 users \(99–99\), .*\/s \(measured, 6 steps\)$/m,
  );
  assert.match(
    shown(1, 10, 20, 30, 50, 70),
    /^scaling +peak at 99 users .*\(assumed: beyond the 70 users that were tested, 6 steps\)$/m,
  );
});
