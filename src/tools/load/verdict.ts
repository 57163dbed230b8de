/** Evaluates one step: its thresholds, and whether the generator was the limit. */
import {
  figuresOf,
  type Server,
  type ServerFigures,
  type ServerSample,
} from "../../load/server.ts";
import { mean, peak, type Step } from "../../load/shape.ts";
import type { RunLatency } from "../plan/run/run.ts";
import type { Counts } from "./engine/counts.ts";
import type { Measured } from "./engine/engine.ts";
import * as limits from "./generator-limits.ts";
import { holds, isOfTarget, type Statistic, type Threshold } from "./thresholds.ts";

export type Verdict = "PASS" | "FAIL" | "INVALID";

/** `value` undefined: nothing was measured that the threshold could be evaluated by. */
export interface Check {
  readonly threshold: Threshold;
  readonly value: number | undefined;
  readonly holds: boolean;
}

export interface StepResult {
  readonly step: Step;
  readonly measured: Measured;
  /** Of good answers; 0 without one. */
  readonly latency: RunLatency;
  /** Requests a second that were due. */
  readonly offered: number;
  /** Good answers a second within the step's time. */
  readonly achieved: number;
  readonly generator: limits.Generator;
  readonly server: ServerFigures | undefined;
  readonly checks: readonly Check[];
  readonly verdict: Verdict;
  /** Why the step shows nothing about the server. */
  readonly why: string | undefined;
  /** The generator's machine, or its limits, gave it no more connections. */
  readonly lacks: boolean;
  /** The run was interrupted, or the target died, before the step's time was over. */
  readonly cut: boolean;
}

export interface Gathered {
  readonly step: Step;
  readonly measured: Measured;
  readonly samples: readonly ServerSample[];
  readonly about: Pick<Server, "machine" | "about"> | undefined;
  readonly generatorCpu: number;
  readonly thinkMs: number;
  readonly thresholds: readonly Threshold[];
  /** The limit of open files allows fewer connections than the open model may use. */
  readonly limited: boolean;
  readonly cut: boolean;
}

export function resultOf(gathered: Gathered): StepResult {
  const { step, measured, samples, about, cut, thinkMs } = gathered;
  const { counts, seconds } = measured;
  const thresholds = peak([step]) === 0 ? [] : gathered.thresholds; // a pause between stages
  const server = about === undefined ? undefined : figuresOf(samples, seconds, about);
  const quantile = limits.lateQuantile(thresholds);
  const generator = {
    elu: measured.generator.loop,
    slipMs: measured.generator.late.quantile(quantile) ?? 0,
    cpu: gathered.generatorCpu,
  };
  const lack = limits.exhausted(counts.reasons) ?? tooFewConnections(gathered);
  const unmeasured = lack ?? whyUnmeasured(gathered);
  const lateLimit = limits.lateLimit(thresholds, counts.latency.quantile(quantile) ?? 0);
  const why = unmeasured ?? limits.saturated(generator, lateLimit);
  const checks = thresholds.map((threshold) => check(measured, server, threshold));
  const isPassed = checks.every((one) => one.holds);
  // Users who do not think send as fast as they can: a saturated generator only adds to latency.
  const mayPass =
    why === undefined || (step.model === "closed" && thinkMs === 0 && unmeasured === undefined);
  return {
    step,
    measured,
    latency: latencyOf(counts),
    offered: offeredBy(gathered),
    achieved: counts.inTime / seconds,
    generator,
    server,
    checks,
    verdict: isPassed && mayPass ? "PASS" : why === undefined ? "FAIL" : "INVALID",
    why,
    lacks: lack !== undefined,
    cut,
  };
}

/** An unknown CPU or memory of the target fails only a threshold that the user named. */
export function check(
  measured: Pick<Measured, "counts" | "endpoints" | "seconds">,
  target: Pick<ServerFigures, "cpu" | "rss"> | undefined,
  threshold: Threshold,
): Check {
  const value = valueOf(measured, target, threshold);
  const isUnknown = isOfTarget(threshold) && threshold.usual === true;
  return { threshold, value, holds: value === undefined ? isUnknown : holds(value, threshold) };
}

function valueOf(
  { counts, endpoints, seconds }: Pick<Measured, "counts" | "endpoints" | "seconds">,
  target: Pick<ServerFigures, "cpu" | "rss"> | undefined,
  { metric, statistic, endpoint }: Threshold,
): number | undefined {
  const own = endpoint === undefined ? counts : endpoints.get(endpoint);
  const { outcomes, requests } = counts;
  switch (metric) {
    case "http_req_duration":
      return own === undefined ? undefined : latencyAt(own, statistic);
    case "http_req_failed":
      return own === undefined ? undefined : share(own.failed, own.requests);
    case "http_req_shed":
      return share(outcomes.refused, requests);
    case "http_reqs":
      return statistic === "count" ? requests : requests / seconds;
    case "errors":
      return outcomes.error + outcomes.unexpected503;
    case "unexpected_503":
      return outcomes.unexpected503;
    case "timeouts":
      return outcomes.timeout;
    case "shed":
      return outcomes.refused;
    case "target_cpu":
      return target === undefined ? undefined : target.cpu * 100;
    case "target_rss":
      return target === undefined ? undefined : target.rss * 100;
    default:
      return metric satisfies never;
  }
}

const share = (part: number, whole: number): number | undefined =>
  whole === 0 ? undefined : part / whole;

function latencyAt({ latency, sumMs, minMs, maxMs }: Counts, statistic: Statistic) {
  if (latency.count === 0) return undefined;
  if (statistic === "avg") return sumMs / latency.count;
  if (statistic === "min") return minMs;
  if (statistic === "max") return maxMs;
  return latency.quantile(typeof statistic === "object" ? statistic.p / 100 : 0.5);
}

function latencyOf({ latency, maxMs }: Counts): RunLatency {
  const at = (q: number): number => Math.min(latency.quantile(q) ?? 0, maxMs);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: maxMs };
}

/**
 * Open files allowed fewer connections than requests needed. Those that requests take which are
 * answered within the latency's limit are enough: beyond them the server is too slow.
 */
function tooFewConnections(gathered: Gathered): string | undefined {
  const { isShort, connections } = gathered.measured.generator;
  const enough = (mean(gathered.step) * limits.tightest(gathered.thresholds)) / 1_000;
  if (!isShort || !gathered.limited || connections >= enough) return undefined;
  return `all ${connections} connections that its open files allow were taken, and requests waited for one: raise its limit (ulimit -n)`;
}

function whyUnmeasured({ step, measured: { counts, generator } }: Gathered): string | undefined {
  const { unanswered } = generator;
  if (peak([step]) > 0 && counts.requests + unanswered === 0)
    return "nothing was to be asked in its time";
  return unanswered > 0 ? `it ended while ${unanswered} requests had no answer` : undefined;
}

/** N users who think for Z send at most N / Z; without a pause, as often as they are answered. */
function offeredBy({ step, thinkMs, measured: { counts, seconds } }: Gathered): number {
  if (step.model === "open") return mean(step);
  const sent = counts.requests / seconds;
  return thinkMs === 0 ? sent : Math.max(sent, (mean(step) * 1_000) / thinkMs);
}
