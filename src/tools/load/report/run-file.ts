/** The JSON of a run: what `drover plan` reads, and more for other readers. */
import type { Server } from "../../../load/server.ts";
import { mean } from "../../../load/shape.ts";
import { RUN_FORMAT, RUN_VERSION, type LoadRun, type RunStep } from "../../plan/run/run.ts";
import type { Threshold } from "../thresholds.ts";
import type { StepResult } from "../verdict.ts";
import { deathsOf } from "./figures.ts";

export interface RunFacts {
  readonly startedAt: string;
  readonly version: string;
  readonly target: string;
  readonly argv: readonly string[];
  readonly seed: number;
  /** Undefined: its figures are unknown. */
  readonly server: Server | undefined;
  /** Users sign in first. */
  readonly signedIn: boolean;
  readonly thinkMs: number;
  readonly thresholds: readonly Threshold[];
  readonly notes: readonly string[];
}

/** @returns undefined when nothing was measured. */
export function runOf(results: readonly StepResult[], facts: RunFacts): LoadRun | undefined {
  if (results.length === 0) return undefined;
  return {
    format: RUN_FORMAT,
    version: RUN_VERSION,
    startedAt: facts.startedAt,
    tool: `drover ${facts.version}`,
    target: facts.target,
    signedIn: facts.signedIn,
    ...(facts.server?.about === undefined ? {} : { server: facts.server.about }),
    steps: results.map((result) => ({ ...runStep(result, facts.thinkMs), ...more(result) })),
  };
}

/** Beyond the format that `drover plan` reads. */
const more = ({ verdict, why, cut, checks, generator, measured, server }: StepResult) => ({
  verdict,
  ...(why === undefined ? {} : { why }),
  ...(cut ? { cut } : {}),
  ...shares(server),
  thresholds: checks.map(({ threshold, value, holds }) => ({
    threshold: threshold.text,
    value: value ?? null,
    holds,
  })),
  generator,
  why503: measured.counts.outcomes.unexpected503,
  problems: Object.fromEntries(measured.counts.reasons),
  retried: measured.counts.retried,
  endpoints: Object.fromEntries(
    Array.from(measured.endpoints, ([name, { latency, failed, outcomes }]) => [
      name,
      {
        answered: latency.count,
        failed,
        refused: outcomes.refused,
        p50: latency.quantile(0.5) ?? null,
        p95: latency.quantile(0.95) ?? null,
        p99: latency.quantile(0.99) ?? null,
      },
    ]),
  ),
});

/** Of the target's machine, 0 to 1. Deaths: children that ended unexpectedly. */
function shares(server: StepResult["server"]) {
  if (server === undefined) return {};
  const deaths = deathsOf(server);
  return {
    cpu: rounded(server.cpu, 5),
    rss: rounded(server.rss, 5),
    ...(deaths === undefined ? {} : { deaths }),
  };
}

const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

/** As `drover plan` reads it. */
export function runStep(
  { step, measured, latency, offered, achieved, server, why }: StepResult,
  thinkMs: number,
): RunStep {
  const { counts, seconds, generator } = measured;
  const { p50, p95, p99, max } = latency;
  const isClosed = step.model === "closed";
  return {
    label: step.label,
    model: step.model,
    users: Math.max(1, Math.round(isClosed ? mean(step) : generator.connections)),
    thinkMs: isClosed ? rounded(thinkMs) : 0,
    offeredPerSecond: rounded(offered),
    achievedPerSecond: rounded(achieved),
    seconds: Math.max(0.001, rounded(seconds)),
    requests: counts.requests,
    ...(counts.latency.count === 0
      ? {}
      : {
          latencyMs: { p50: rounded(p50), p95: rounded(p95), p99: rounded(p99), max: rounded(max) },
        }),
    errors: counts.failed - counts.outcomes.timeout,
    timeouts: counts.outcomes.timeout,
    refused: counts.outcomes.refused,
    valid: why === undefined,
    ...(server === undefined
      ? {}
      : { cpuSeconds: rounded(server.cpuSeconds), rssBytes: server.rssBytes }),
    ...(server?.upstreamCalls === undefined ? {} : { upstreamCalls: server.upstreamCalls }),
    ...(server?.hitRatio === undefined ? {} : { hitRatio: rounded(server.hitRatio, 5) }),
  };
}
