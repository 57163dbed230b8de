/** Compares a prediction with the measurement of the same steps. */
import { forecast, withWaits } from "../model/forecast.ts";
import type { PlanInput } from "../model/types.ts";
import { closedRate, loopLatency, mixture, percentiles } from "../model/latency.ts";
import { cpuOfMix, cpuPerRequest, loadOf, loopsOf } from "../model/load.ts";
import { median } from "./calibrate.ts";
import { lint, usable, type AnsweredStep, type LoadRun, type RunStep } from "./run.ts";

export interface Comparison {
  readonly what: "rate" | "p50" | "p99" | "calls";
  /** undefined: overload, there is no such figure. */
  readonly predicted: number | undefined;
  readonly measured: number;
  readonly holds: boolean;
  /** Why a miss says nothing of the prediction: the measurement itself is no better. */
  readonly unclear?: string;
}

export interface VerifiedStep {
  readonly step: RunStep;
  readonly comparisons: readonly Comparison[];
}

export interface Verification {
  readonly steps: readonly VerifiedStep[];
  /** Nothing missed that could be judged, and something could. */
  readonly holds: boolean;
  /** Measured ÷ predicted, the median of all steps: what is left when single steps scatter. */
  readonly ratios: Readonly<Partial<Record<Comparison["what"], number>>>;
  readonly notes: readonly string[];
}

/** What a prediction may miss by: throughput ± 10 %, p50 ± 20 % or 0.2 ms, p99 within twice or half, calls to Google ± 5 % or one call. */
const within = {
  rate: (p: number, m: number) => Math.abs(p - m) <= 0.1 * m,
  p50: (p: number, m: number) => Math.abs(p - m) <= Math.max(0.2 * m, CLOCK),
  p99: (p: number, m: number) => p <= Math.max(2 * m, m + CLOCK) && p >= Math.min(m / 2, m - CLOCK),
  calls: (p: number, m: number) => Math.abs(p - m) <= Math.max(0.05 * m, 1),
};
/** ms; differences below what a clock and a scheduler give are none. */
const CLOCK = 0.2;

/** The place and the tables as the run says they were; what it does not say stays as it is. */
export function placed(input: PlanInput, run: LoadRun): PlanInput {
  const { server } = run;
  if (server === undefined) return input;
  return {
    ...input,
    place: {
      ...input.place,
      cpus: server.cpus,
      memory: server.memoryBytes,
      workers: server.workers,
      connections: server.workerConnections,
    },
    upstream: {
      ...input.upstream,
      tables: server.tables,
      ttl: server.cacheTtlMs / 1_000,
      reads: server.readsPerMinute,
    },
  };
}

/** The step's own demand, in place of the input's. */
function asked(input: PlanInput, step: RunStep): PlanInput {
  const writes = (step.writes ?? 0) / Math.max(1, step.requests);
  const rate = step.offeredPerSecond / step.users;
  return { ...input, demand: { ...input.demand, users: step.users, rate, burst: 1, writes } };
}

interface Predicted {
  readonly rate: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly calls: number;
}

/** Closed model: the rate follows from users, latency and think time. @param input with the step's demand */
function closed(input: PlanInput, step: RunStep): Predicted {
  const { costs, demand } = input;
  const servers = loopsOf(input);
  const service = cpuOfMix(input);
  const quiet = percentiles((name) => costs.quiet[name]);
  // Latency that is not CPU is like think time: the user waits, the server does not.
  const thinkMs = step.thinkMs + Math.max(0, quiet.p50 - service) + demand.writes * costs.write.p50;
  const rate = closedRate(step.users, thinkMs, service, servers);
  const load = loadOf(step.users, { ...input, demand: { ...demand, rate: rate / step.users } });
  const loop = loopLatency({
    rate,
    servers,
    service,
    quiet,
    closed: { users: step.users, thinkMs },
  });
  const latency = mixture(withWaits(loop, load, input));
  return { rate, p50: latency.p50, p99: latency.p99, calls: (load.readCalls * step.seconds) / 60 };
}

/** @param own the input with the step's demand. */
function open(own: PlanInput, step: RunStep): Predicted {
  const { latency, load } = forecast(own);
  const most = (loopsOf(own) * 1_000) / cpuPerRequest(load, own);
  return {
    rate: Math.min(step.offeredPerSecond, most),
    p50: latency?.p50,
    p99: latency?.p99,
    calls: (load.readCalls * step.seconds) / 60,
  };
}

/** Fewer than five above a p99, and it is one client's luck. */
const ENOUGH = 500;

/** @param again the same step of the run that was predicted from. */
function whyUnclear(
  what: Comparison["what"],
  step: AnsweredStep,
  again: AnsweredStep | undefined,
): string | undefined {
  if (what === "rate" || what === "calls") return undefined;
  const before = again?.latencyMs[what];
  if (before !== undefined && !within[what](before, step.latencyMs[what]))
    return `measured before: ${Number(before.toPrecision(2))} ms`;
  return what === "p99" && step.requests < ENOUGH ? `of ${step.requests} requests` : undefined;
}

function compare(
  step: AnsweredStep,
  predicted: Predicted,
  again: AnsweredStep | undefined,
): Comparison[] {
  const one = (what: Comparison["what"], p: number | undefined, m: number): Comparison => {
    const holds = p !== undefined && within[what](p, m);
    const unclear = holds || p === undefined ? undefined : whyUnclear(what, step, again);
    return {
      what,
      predicted: p,
      measured: m,
      holds,
      ...(unclear === undefined ? {} : { unclear }),
    };
  };
  return [
    one("rate", predicted.rate, step.achievedPerSecond),
    one("p50", predicted.p50, step.latencyMs.p50),
    one("p99", predicted.p99, step.latencyMs.p99),
    ...(step.upstreamCalls === undefined
      ? []
      : [one("calls", predicted.calls, step.upstreamCalls)]),
  ];
}

function ratiosOf(steps: readonly VerifiedStep[]): Verification["ratios"] {
  const of = (what: Comparison["what"]): number[] =>
    steps.flatMap(({ comparisons }) =>
      comparisons.flatMap((one) =>
        one.what === what && one.predicted !== undefined && one.predicted > 0
          ? [one.measured / one.predicted]
          : [],
      ),
    );
  const entries = (["rate", "p50", "p99"] as const).map((what) => [what, of(what)] as const);
  return Object.fromEntries(
    entries.flatMap(([what, all]) => (all.length === 0 ? [] : [[what, median(all)]])),
  );
}

/** A step's miss is the measurement's only where the steps together are as predicted: a server that became slower is no scatter. */
function excused(one: Comparison, ratios: Verification["ratios"]): Comparison {
  const ratio = ratios[one.what];
  if (one.unclear === undefined || one.predicted === undefined || ratio === undefined) return one;
  if (within[one.what](one.predicted, one.predicted * ratio)) return one;
  return { what: one.what, predicted: one.predicted, measured: one.measured, holds: one.holds };
}

const alike = (a: RunStep, b: RunStep): boolean =>
  a.model === b.model &&
  a.users === b.users &&
  a.thinkMs === b.thinkMs &&
  Math.abs(a.offeredPerSecond - b.offeredPerSecond) < 0.02 * b.offeredPerSecond;

/**
 * @param input with the figures to predict from: the model's own, or those of another run (calibrate).
 * @param from that other run: where it has the same step, what the two measurements differ by is no fault of the prediction.
 */
export function verify(input: PlanInput, run: LoadRun, from?: LoadRun): Verification {
  const before = from === undefined || from.startedAt === run.startedAt ? [] : usable(from);
  const here = placed(input, run);
  const steps = usable(run).map((step) => {
    const own = asked(here, step);
    const predicted = step.model === "closed" ? closed(own, step) : open(own, step);
    const again = before.find((one) => alike(one, step));
    return { step, comparisons: compare(step, predicted, again) };
  });
  const ratios = ratiosOf(steps);
  const judged = steps.map(({ step, comparisons }) => ({
    step,
    comparisons: comparisons.map((one) => excused(one, ratios)),
  }));
  const all = judged.flatMap(({ comparisons }) => comparisons);
  const missed = all.some(({ holds, unclear }) => !holds && unclear === undefined);
  return {
    steps: judged,
    holds: !missed && all.some(({ holds }) => holds),
    ratios,
    notes: lint(run),
  };
}
