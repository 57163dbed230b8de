/** What writes cost: CPU of their own, in every figure that CPU is in. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { calibrate, cpuOfRequest } from "../../../src/tools/plan/run/calibrate.ts";
import { COSTS, GOOGLE } from "../../../src/tools/plan/model/constants.ts";
import { forecast } from "../../../src/tools/plan/model/forecast.ts";
import type { PlanInput } from "../../../src/tools/plan/model/types.ts";
import { nextStep } from "../../../src/tools/plan/model/next.ts";
import { preset } from "../../../src/tools/plan/model/presets.ts";
import type { AnsweredStep } from "../../../src/tools/plan/run/run.ts";
import { tiers } from "../../../src/tools/plan/model/tiers.ts";
import { verify } from "../../../src/tools/plan/run/verify.ts";
import { input, run, step } from "./fixture.ts";

const near = (actual: number | undefined, expected: number, part = 1e-9): void =>
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= part * expected,
    `${actual} is not ${expected}`,
  );
/** The same where a write costs what a read does. */
const cheap = (of: PlanInput): PlanInput => ({
  ...of,
  costs: { ...of.costs, write: { ...of.costs.write, cpu: of.costs.cpu } },
});

test("CPU is reads × theirs + writes × theirs, and fills at fewer users", () => {
  const plan = input({ users: 100, rate: 1, writes: 0.3 });
  const { load, needs } = forecast(plan);
  near(load.cpu, (70 * COSTS.cpu + 30 * COSTS.write.cpu + load.made * COSTS.make) / 1_000);
  const cpu = needs.find(({ resource }) => resource === "cpu");
  near(cpu?.needs, load.cpu);
  const otherwise = forecast(cheap(plan)).needs.find(({ resource }) => resource === "cpu");
  assert.ok(
    (cpu?.fullAt ?? Infinity) < (otherwise?.fullAt ?? Infinity) / 10,
    `${cpu?.fullAt} ${otherwise?.fullAt}`,
  );
});

test("many writes bind at the CPU before Google's quota, answer later, and their cure is no CDN", () => {
  const plan = input({ users: 300, rate: 1, writes: 1, cpus: 1, workers: 2 });
  const made = forecast(plan);
  assert.deepEqual([made.binding.resource, made.verdict], ["cpu", "tight"]);
  assert.notEqual(forecast(cheap(plan)).binding.resource, "cpu");
  assert.ok((made.latency?.p50 ?? 0) > (forecast(cheap(plan)).latency?.p50 ?? 0) + 5);
  assert.match(
    nextStep(made, { measured: true, measureWith: undefined, foreign: false }),
    /several rows in one request/,
  );
});

test("tiers and presets have their writes' CPU in them; another server's write costs what its read does", () => {
  const day = tiers(input()).find(({ name }) => name === "10k a day")?.forecast;
  assert.ok(
    day !== undefined &&
      day.load.cpu * 1_000 > day.load.writes * COSTS.write.cpu &&
      day.load.writes > 4,
  );
  const campaign = forecast(preset("campaign", input()));
  near(campaign.load.cpu, day.load.cpu);
  const { cpu, write } = preset("before", input()).costs;
  assert.equal(write.cpu, cpu);
});

/** A step whose reads cost 0.04 ms, whose writes 3 ms, and which burns 0.02 CPUs by doing nothing. */
const mixed = (requests: number, share: number): AnsweredStep => {
  const writes = requests * share;
  const cpuSeconds = 100 * 0.02 + (requests - writes) * 0.000_04 + writes * 0.003;
  return step(1, {
    model: "open",
    thinkMs: 0,
    requests,
    offeredPerSecond: requests / 100,
    achievedPerSecond: requests / 100,
    writes,
    cpuSeconds,
  });
};

test("a run whose steps differ in their writes tells what one costs", () => {
  const steps = [mixed(1_000, 0), mixed(10_000, 0.5), mixed(20_000, 0.1), mixed(5_000, 0)];
  const found = cpuOfRequest(steps);
  near(found?.cost, 0.04, 1e-6);
  near(found?.write, 3, 1e-6);
  near(found?.idle, 0.02, 1e-6);
  const { cpu, write, make } = calibrate(input(), run(steps), "run.json").costs;
  assert.deepEqual([Math.round(cpu * 1e6) / 1e6, write.p50, make], [0.04, COSTS.write.p50, 0]);
  near(write.cpu, 3, 1e-6);
});

test("a run of one mix tells what its requests cost, its writes among them", () => {
  const steps = [mixed(1_000, 0.3), mixed(10_000, 0.3), mixed(20_000, 0.31)];
  const { cpu, write } = calibrate(input(), run(steps), "run.json").costs;
  near(cpu, 0.7 * 0.04 + 0.3 * 3, 0.1);
  assert.deepEqual(
    [write.cpu, write.p50, write.p99],
    [cpu, 0, 0],
    "a write is a request like any other",
  );
  assert.equal(cpuOfRequest([mixed(1_000, 0), mixed(2_000, 0)])?.write, undefined);
});

test("--verify asks each step's own writes, of users who wait as of strangers who do not", () => {
  const server = {
    cpus: 1,
    memoryBytes: 4e9,
    workers: 1,
    workerConnections: 1_000,
    cacheTtlMs: 30_000,
    tables: 3,
    readsPerMinute: 60,
  };
  const all = { achievedPerSecond: 360, requests: 36_000, writes: 36_000 };
  const strangers = step(64, { ...all, model: "open", thinkMs: 0, offeredPerSecond: 1_000 });
  const users = step(100, {
    ...all,
    thinkMs: 100,
    latencyMs: { p50: 180, p95: 250, p99: 300, max: 400 },
  });
  const predicted = (
    model: PlanInput,
    from = run(),
  ): Partial<Record<string, number | undefined>>[] =>
    verify(model, { ...run([strangers, users]), server }, from).steps.map(({ comparisons }) =>
      Object.fromEntries(comparisons.map((one) => [one.what, one.predicted])),
    );
  const [open, closed] = predicted(input());
  near(open?.["rate"], 1_000 / COSTS.write.cpu);
  near(closed?.["rate"], 1_000 / COSTS.write.cpu, 0.02);
  const [, plain] = predicted(cheap(input()));
  near(plain?.["rate"], 100_000 / (100 + COSTS.quiet.p50 + COSTS.write.p50), 0.02);
  near(plain?.["p50"], COSTS.quiet.p50 + COSTS.write.p50, 0.02);
  // What was calibrated on the mix has its writes in each request's cost.
  const mix = {
    ...input(),
    costs: { ...COSTS, cpu: 2, write: { cpu: 2, p50: 0, p99: 0 } },
  };
  const [within] = predicted(mix, { ...run([mixed(1_000, 0.3)]), startedAt: "before" });
  near(within?.["rate"], 500, 0.01);
});

test("a held connection weighs what was measured", () => {
  const { held } = JSON.parse(readFileSync("bench/results/full.json", "utf8")) as {
    held: { pss: number; pssBefore: number; opened: number };
  };
  near(COSTS.connection, ((held.pss - held.pssBefore) * 1_048_576) / held.opened, 0.2);
  const [few, many] = [
    forecast(input({ users: 1 })),
    forecast(input({ users: 1_001, rate: 0.001 })),
  ];
  near(many.load.memory - few.load.memory, 1_000 * COSTS.connection);
});

test("a plan of nothing but writes is asked for no reads", () => {
  const { load } = forecast(input({ users: 10, rate: 1, writes: 1 }));
  near(load.cpu, (10 * COSTS.write.cpu) / 1_000);
  assert.equal(load.readCalls, 0);
});

test("the page lists the figures that the model assumes", () => {
  const page = readFileSync("docs/plan.md", "utf8");
  const { cpu, write, make, quiet, worker, others, connection } = COSTS;
  const mib = (bytes: number): string => `${bytes / 1_048_576} MiB`;
  for (const row of [
    `| CPU of a read | ${cpu} ms |`,
    `| CPU of a write | ${write.cpu} ms |`,
    `| a write until it is acknowledged | p50 ${write.p50} ms, p99 ${write.p99} ms |`,
    `| CPU of an answer made anew | ${make} ms |`,
    `| latency without load | p50 ${quiet.p50} ms, p95 ${quiet.p95} ms, p99 ${quiet.p99} ms |`,
    `| a worker; master and broker; a connection | ${mib(worker)}; ${mib(others)}; ${connection / 1_024} KiB |`,
    `| Google | p50 ${GOOGLE.p50} ms, p99 ${GOOGLE.p99} ms |`,
  ])
    assert.ok(page.includes(row), row);
});
