/** One step: what was measured, what the server said, what is to be thought of it. */
import type { RunLatency, RunStep } from "../plan/run.ts";
import type { Measured } from "../tools/load/engine/engine.ts";
import { judge } from "./judge.ts";
import { figuresOf, type Server, type ServerFigures, type ServerSample } from "./server.ts";
import { exhausted, saturated, slipLimit, slipQuantile, tightest, type Generator } from "./selfcheck.ts";
import { mean, peak, type Step } from "./shape.ts";
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
  /** It was: its machine, or its limits, gave it no more connections. */
  readonly lacks: boolean;
  /** The run was interrupted, or the target died, before its time was over. */
  readonly cut: boolean;
}

/** What the runner has gathered of a step. */
export interface Gathered {
  readonly step: Step;
  readonly measured: Measured;
  readonly samples: readonly ServerSample[];
  readonly about: Pick<Server, "machine" | "about"> | undefined;
  readonly generatorCpu: number;
  readonly thinkMs: number;
  readonly thresholds: readonly Threshold[];
  /** The generator may open fewer files than it would have connections. */
  readonly limited: boolean;
  readonly cut: boolean;
}

export function resultOf(gathered: Gathered): StepResult {
  const { step, measured, samples, about, cut } = gathered;
  const thresholds = peak([step]) === 0 ? [] : gathered.thresholds; // a pause in the stages: there is nothing to judge
  const { counts, seconds } = measured;
  const { loop, late } = measured.generator;
  const server = about === undefined ? undefined : figuresOf(samples, seconds, about);
  const judgedAt = slipQuantile(thresholds);
  const generator: Generator = { elu: loop, slipMs: late.quantile(judgedAt) ?? 0, cpu: gathered.generatorCpu };
  const lack = exhausted(counts.reasons) ?? short(gathered);
  const spent = lack ?? unasked(gathered);
  const why = spent ?? saturated(generator, slipLimit(thresholds, counts.latency.quantile(judgedAt) ?? 0));
  const judgements = judge({ measured, cpu: server?.cpu, rss: server?.rss }, thresholds);
  const achieved = counts.inTime / seconds;
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
    lacks: lack !== undefined,
    cut,
  };
}

/**
 * Connections of the open model that its own limit of files did not give it. Those that requests take which are answered within the latency's limit are
 * enough: who takes more of them is too slow.
 */
function short({ step, measured: { generator }, limited, thresholds }: Gathered): string | undefined {
  const enough = (mean(step) * tightest(thresholds)) / 1_000;
  const { isShort, connections } = generator;
  if (!isShort || !limited || connections >= enough) return undefined;
  return `all ${connections} connections that its open files allow were taken, and requests waited for one: raise its limit (ulimit -n)`;
}

/** What says nothing because too little was asked, or not to its end. */
function unasked({ step, measured: { counts, generator } }: Gathered): string | undefined {
  const { unanswered } = generator;
  if (peak([step]) > 0 && counts.requests + unanswered === 0) return "nothing was to be asked in its time";
  if (unanswered > 0) return `it ended while ${unanswered} requests had no answer`;
  return undefined;
}

/** @param breathless users who do not think ask as fast as anything lets them: the generator makes answers later, so that a pass is one. */
function verdictOf(holds: boolean, why: string | undefined, breathless: boolean): Verdict {
  if (why !== undefined && !(breathless && holds)) return "INVALID";
  return holds ? "PASS" : "FAIL";
}

/** Users who think for Z ms ask at most N / Z times; without a pause they ask as often as they are answered. */
function offeredBy({ step, thinkMs, measured: { counts, seconds } }: Gathered): number {
  if (step.model === "open") return mean(step);
  const asked = counts.requests / seconds;
  return thinkMs === 0 ? asked : Math.max(asked, (mean(step) * 1_000) / thinkMs);
}

function latencyOf({ counts }: Measured): RunLatency {
  const at = (q: number): number => Math.min(counts.latency.quantile(q) ?? 0, counts.maxMs);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: counts.maxMs };
}

const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

/** As `drover plan` reads it. */
export function runStep({ step, measured, latency, offered, achieved, server, why }: StepResult, thinkMs: number): RunStep {
  const { counts, seconds, generator } = measured;
  return {
    label: step.label,
    model: step.model,
    users: Math.max(1, Math.round(step.model === "closed" ? mean(step) : generator.connections)),
    thinkMs: step.model === "closed" ? rounded(thinkMs) : 0,
    offeredPerSecond: rounded(offered),
    achievedPerSecond: rounded(achieved),
    seconds: Math.max(0.001, rounded(seconds)),
    requests: counts.requests,
    ...(counts.latency.count === 0
      ? {}
      : { latencyMs: { p50: rounded(latency.p50), p95: rounded(latency.p95), p99: rounded(latency.p99), max: rounded(latency.max) } }),
    errors: counts.failed - counts.outcomes.timeout,
    timeouts: counts.outcomes.timeout,
    refused: counts.outcomes.refused,
    valid: why === undefined,
    ...(server === undefined ? {} : { cpuSeconds: rounded(server.cpuSeconds), rssBytes: server.rssBytes }),
    ...(server?.upstreamCalls === undefined ? {} : { upstreamCalls: server.upstreamCalls }),
    ...(server?.hitRatio === undefined ? {} : { hitRatio: rounded(server.hitRatio, 5) }),
  };
}
