/** One step: what was measured, what the server said, what is to be thought of it. */
import type { RunLatency, RunStep } from "../plan/run.ts";
import type { Measured } from "./crew.ts";
import { failed, judge } from "./judge.ts";
import { figuresOf, type Server, type ServerFigures, type ServerSample } from "./server.ts";
import { exhausted, saturated, slipLimit, slipQuantile, type Generator } from "./selfcheck.ts";
import { mean, type Step } from "./shape.ts";
import type { Judgement, Threshold } from "./metrics.ts";

export type Verdict = "PASS" | "FAIL" | "INVALID";

export interface StepResult {
  readonly step: Step;
  readonly measured: Measured;
  /** Of good answers; 0 where there is none. */
  readonly latency: RunLatency;
  readonly offered: number;
  /** Good answers a second that came within the step's time. */
  readonly achieved: number;
  readonly generator: Generator;
  readonly server: ServerFigures | undefined;
  readonly judgements: readonly Judgement[];
  readonly verdict: Verdict;
  /** Why the generator was what was measured. */
  readonly why: string | undefined;
  /** The run was interrupted, or the target died, before its time was over. */
  readonly cut: boolean;
}

/** What the conductor has gathered of a step. */
export interface Gathered {
  readonly step: Step;
  readonly measured: Measured;
  readonly samples: readonly ServerSample[];
  readonly about: Pick<Server, "machine" | "about"> | undefined;
  readonly generatorCpu: number;
  readonly thinkMs: number;
  readonly thresholds: readonly Threshold[];
  readonly cut: boolean;
}

export function resultOf(gathered: Gathered): StepResult {
  const { step, measured, samples, about, thresholds, cut } = gathered;
  const { tally, seconds } = measured;
  const server = about === undefined ? undefined : figuresOf(samples, seconds, about);
  const judgedAt = slipQuantile(thresholds);
  const generator: Generator = { elu: measured.elu, slipMs: tally.slip.quantile(judgedAt) ?? 0, cpu: gathered.generatorCpu };
  const spent = exhausted(tally.whys);
  const why = spent ?? saturated(generator, slipLimit(thresholds, tally.latency.quantile(judgedAt) ?? 0));
  const judgements = judge({ tally, seconds, cpu: server?.cpu, rss: server?.rss }, thresholds);
  const achieved = tally.inTime / seconds;
  return {
    step,
    measured,
    latency: latencyOf(measured),
    offered: offeredBy(gathered),
    achieved,
    generator,
    server,
    judgements,
    verdict: verdictOf(
      judgements.every(({ holds }) => holds),
      why,
      step.model === "closed" && gathered.thinkMs === 0 && spent === undefined,
    ),
    why,
    cut,
  };
}

/** @param breathless users who do not think ask as fast as anything lets them: the generator makes answers later, so that a pass is one. */
function verdictOf(holds: boolean, why: string | undefined, breathless: boolean): Verdict {
  if (why !== undefined && !(breathless && holds)) return "INVALID";
  return holds ? "PASS" : "FAIL";
}

/** Users who think for Z ms ask at most N / Z times; without a pause they ask as often as they are answered. */
function offeredBy({ step, thinkMs, measured: { tally, seconds } }: Gathered): number {
  if (step.model === "open") return mean(step);
  const asked = tally.requests / seconds;
  return thinkMs === 0 ? asked : Math.max(asked, (mean(step) * 1_000) / thinkMs);
}

function latencyOf({ tally }: Measured): RunLatency {
  const at = (q: number): number => Math.min(tally.latency.quantile(q) ?? 0, tally.maxMs);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: tally.maxMs };
}

/** Of the requests that came: the others are noise, and those under way at either end. */
const KEEPS_UP = 0.95;

/** Requests of the open model come whoever waits: where fewer are answered than come the queue grows, however short it was in the step. */
export const keepsUp = ({ step, measured: { tally, unsent } }: Pick<StepResult, "step" | "measured">): boolean =>
  step.model === "closed" || tally.inTime >= KEEPS_UP * (tally.requests + unsent);

const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

/** As `drover plan` reads it. */
export function runStep({ step, measured, latency, offered, achieved, server, why }: StepResult, thinkMs: number): RunStep {
  const { tally, seconds, connections } = measured;
  return {
    label: step.label,
    model: step.model,
    users: Math.max(1, Math.round(step.model === "closed" ? mean(step) : connections)),
    thinkMs: step.model === "closed" ? rounded(thinkMs) : 0,
    offeredPerSecond: rounded(offered),
    achievedPerSecond: rounded(achieved),
    seconds: rounded(seconds),
    requests: tally.requests,
    ...(tally.latency.count === 0
      ? {}
      : { latencyMs: { p50: rounded(latency.p50), p95: rounded(latency.p95), p99: rounded(latency.p99), max: rounded(latency.max) } }),
    errors: failed(tally) - tally.fates.timeout,
    timeouts: tally.fates.timeout,
    refused: tally.fates.refused,
    valid: why === undefined,
    ...(server === undefined ? {} : { cpuSeconds: rounded(server.cpuSeconds), rssBytes: server.rssBytes }),
    ...(server?.upstreamCalls === undefined ? {} : { upstreamCalls: server.upstreamCalls }),
    ...(server?.hitRatio === undefined ? {} : { hitRatio: rounded(server.hitRatio, 5) }),
  };
}
