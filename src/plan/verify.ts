/** A prediction beside the measurement it was about. */
import { configured } from "./figure.ts";
import { forecast } from "./forecast.ts";
import type { PlanInput } from "./input.ts";
import { closedRate, loopLatency, percentiles } from "./latency.ts";
import { cpuPerRequest, loadOf, loopsOf } from "./load.ts";
import { lint, usable, type LoadRun, type RunStep } from "./run.ts";

export interface Comparison {
  readonly what: "rate" | "p50" | "p99" | "calls";
  /** undefined: overload, there is no such figure. */
  readonly predicted: number | undefined;
  readonly measured: number;
  readonly holds: boolean;
}

export interface VerifiedStep {
  readonly step: RunStep;
  readonly comparisons: readonly Comparison[];
}

export interface Verification {
  readonly steps: readonly VerifiedStep[];
  readonly holds: boolean;
  readonly notes: readonly string[];
}

/** What a prediction may miss by: throughput ± 10 %, p50 ± 20 %, p99 within twice or half, calls to Google ± 5 % or one call. */
const within = {
  rate: (p: number, m: number) => Math.abs(p - m) <= 0.1 * m,
  p50: (p: number, m: number) => Math.abs(p - m) <= Math.max(0.2 * m, CLOCK),
  p99: (p: number, m: number) => p <= Math.max(2 * m, m + CLOCK) && p >= Math.min(m / 2, m - CLOCK),
  calls: (p: number, m: number) => Math.abs(p - m) <= Math.max(0.05 * m, 1),
};
/** ms; differences below what a clock and a scheduler give are none. */
const CLOCK = 0.2;

/** The place and the tables as the run says they were; what it does not say stays as it is. */
export function placed(input: PlanInput, run: LoadRun, file: string): PlanInput {
  const { server } = run;
  if (server === undefined) return input;
  const was = (value: number): ReturnType<typeof configured> => configured(value, `${file}: server`);
  return {
    ...input,
    place: {
      cpus: was(server.cpus),
      memory: was(server.memoryBytes),
      workers: was(server.workers),
      connections: was(server.workerConnections),
    },
    upstream: { ...input.upstream, tables: was(server.tables), ttl: was(server.cacheTtlMs / 1_000), reads: was(server.readsPerMinute) },
  };
}

/** The step's own demand, in place of the input's. */
function asked(input: PlanInput, step: RunStep, rate: number): PlanInput {
  const said = (value: number): ReturnType<typeof configured> => configured(value, step.label);
  return { ...input, demand: { ...input.demand, users: said(step.users), rate: said(rate / step.users), burst: said(1) } };
}

interface Predicted {
  readonly rate: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly calls: number;
}

/** Users who wait for their answers: as many requests as they get round to. */
function closed(input: PlanInput, step: RunStep): Predicted {
  const { costs, place } = input;
  const servers = loopsOf(input);
  const quiet = percentiles((name) => costs.quiet[name].value);
  // What an answer takes besides the CPU passes like thought: the user waits, the server does not.
  const besides = Math.max(0, quiet.p50 - costs.cpu.value);
  const rate = closedRate(step.users, step.thinkMs + besides, costs.cpu.value, servers);
  const load = loadOf(step.users, asked(input, step, rate));
  const latency = loopLatency({
    rate,
    servers,
    service: costs.cpu.value,
    quiet,
    crowd: costs.crowd.value * Math.max(0, place.workers.value / place.cpus.value - 1),
    population: step.users,
  });
  return { rate, p50: latency.p50, p99: latency.p99, calls: (load.readCalls * step.seconds) / 60 };
}

function open(input: PlanInput, step: RunStep): Predicted {
  const own = asked(input, step, step.offeredPerSecond);
  const { latency, load } = forecast(own);
  const most = (loopsOf(own) * 1_000) / cpuPerRequest(load, own);
  return { rate: Math.min(step.offeredPerSecond, most), p50: latency?.p50, p99: latency?.p99, calls: (load.readCalls * step.seconds) / 60 };
}

function compare(step: RunStep, predicted: Predicted): Comparison[] {
  const one = (what: Comparison["what"], p: number | undefined, m: number): Comparison => ({
    what,
    predicted: p,
    measured: m,
    holds: p !== undefined && within[what](p, m),
  });
  return [
    one("rate", predicted.rate, step.achievedPerSecond),
    one("p50", predicted.p50, step.latencyMs.p50),
    one("p99", predicted.p99, step.latencyMs.p99),
    ...(step.upstreamCalls === undefined ? [] : [one("calls", predicted.calls, step.upstreamCalls)]),
  ];
}

/** @param input with the figures to predict from: the model's own, or those of another run (calibrate). */
export function verify(input: PlanInput, run: LoadRun, file: string): Verification {
  const here = placed(input, run, file);
  const steps = usable(run).map((step) => ({
    step,
    comparisons: compare(step, step.model === "closed" ? closed(here, step) : open(here, step)),
  }));
  return { steps, holds: steps.length > 0 && steps.every(({ comparisons }) => comparisons.every(({ holds }) => holds)), notes: lint(run) };
}
