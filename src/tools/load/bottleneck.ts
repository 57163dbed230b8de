/** Names the bottleneck of a run, as far as it is visible, in one sentence with its figures. */
import type { ServerFigures } from "../../load/server.ts";
import type { Measured } from "./engine/engine.ts";
import { isOfTarget, type Metric } from "./thresholds.ts";
import type { Check, StepResult } from "./verdict.ts";

export type Bottleneck =
  | "generator"
  | "gone"
  | "quota"
  | "memory"
  | "cpu"
  | "others"
  | "worker"
  | "connections"
  | "refusals"
  | "errors"
  | "deaths"
  | "upstream"
  | "unmeasured"
  | "unseen"
  | "limits"
  | "unknown"
  | "none";

export interface Finding {
  readonly is: Bottleneck;
  readonly says: string;
}

export interface Situation {
  readonly results: readonly StepResult[];
  readonly ending: "done" | "interrupted" | "target gone";
  /** The target is a drover whose figures are known. */
  readonly known: boolean;
  readonly json: string | undefined;
  /** Of the target. */
  readonly url: string;
  /** --find-max. */
  readonly searching: boolean;
}

export const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

/** Shares of a worker's event loop and of the machine's CPUs that leave no room. */
export const BUSY = 0.85;
const FULL = 0.95;
/** Below this share of answers from memory, users wait for Google. */
const COLD = 0.9;
/** With fewer reads of Google a request, its latency does not matter. */
const FEW = 0.02;

/** They fail on wrong answers, however fast; a busy loop is not their cause. */
const OF_ERRORS: ReadonlySet<Metric> = new Set(["errors", "unexpected_503", "http_req_failed"]);

/** Invalid because too little was measured, not because of the generator. */
export const isUnmeasured = ({
  measured: { counts, generator },
}: Pick<StepResult, "measured">): boolean => generator.unanswered > 0 || counts.requests === 0;

/** The bottleneck of the first step that did not pass. */
export function finding({ results, ending }: Pick<Situation, "results" | "ending">): Finding {
  const last = results.at(-1);
  if (ending === "target gone") return gone(last);
  const bad = results.find(({ verdict }) => verdict !== "PASS");
  if (bad !== undefined) return bottleneck(bad);
  return {
    is: "none",
    says: last === undefined ? "nothing was measured" : `none up to ${last.step.label}`,
  };
}

function gone(last: StepResult | undefined): Finding {
  const at = last?.step.label ?? "the start";
  const reasons = last?.measured.counts.reasons;
  const refuses = reasons === undefined || reasons.size === 0 || reasons.has("ECONNREFUSED");
  const what = refuses
    ? `the target died at ${at}`
    : `the target breaks every connection from ${at} on`;
  return { is: "gone", says: `${what}: nothing but broken connections since` };
}

/** Of a step that did not pass. */
export function bottleneck(result: StepResult): Finding {
  const { step, measured, server, why, checks } = result;
  const { counts } = measured;
  const at = `at ${step.label}`;
  if (result.verdict === "INVALID" && why !== undefined) {
    if (isUnmeasured(result)) return { is: "unmeasured", says: `${at}: ${why}` };
    return {
      is: result.lacks ? "limits" : "generator",
      says: `the load generator itself ${at}: ${why}`,
    };
  }
  const missed = checks.filter(({ holds }) => !holds);
  if (missed.length === 0) return { is: "none", says: `none ${at}` };
  const commonest = commonestOf(result);
  if (counts.requests > 0 && counts.outcomes.ok === 0)
    return { is: "gone", says: `nothing was answered well ${at}${commonest}` };
  return (
    unevaluated(missed, measured, at) ??
    wrong(result, missed, `${at}${commonest}`) ??
    (server === undefined ? undefined : ofServer(result, server, at)) ??
    rest(result, missed, `${at}${commonest}`)
  );
}

/** ` (HTTP 500: 3)`. */
function commonestOf({ measured }: StepResult): string {
  const [first] = [...measured.counts.reasons].sort(([, a], [, b]) => b - a);
  return first === undefined ? "" : ` (${first[0]}: ${first[1]})`;
}

/** No failed threshold could be evaluated. */
function unevaluated(
  missed: readonly Check[],
  measured: Measured,
  at: string,
): Finding | undefined {
  if (missed.some(({ value }) => value !== undefined)) return undefined;
  if (missed.every(({ threshold }) => isOfTarget(threshold)) && measured.counts.requests > 0)
    return {
      is: "unseen",
      says: `unknown ${at}: CPU or memory of the target, which a threshold names`,
    };
  const isAsked = ({ threshold: { endpoint } }: Check): boolean => {
    const own = endpoint === undefined ? measured.counts : measured.endpoints.get(endpoint);
    return own !== undefined && own.requests > 0;
  };
  if (missed.some(isAsked)) return undefined;
  const texts = missed.map(({ threshold }) => threshold.text).join(", ");
  return { is: "unmeasured", says: `nothing was asked ${at} that ${texts} could be judged by` };
}

const errorsOf = ({ measured: { counts } }: StepResult): number =>
  counts.outcomes.error + counts.outcomes.unexpected503;

function wrong(result: StepResult, missed: readonly Check[], where: string): Finding | undefined {
  const isOfErrors = missed.every(({ threshold }) => OF_ERRORS.has(threshold.metric));
  if (errorsOf(result) <= result.measured.counts.outcomes.timeout || !isOfErrors) return undefined;
  const deaths = result.server?.deaths ?? 0;
  if (deaths === 0) return { is: "errors", says: `errors ${where}` };
  const [at, reason] = [`at ${result.step.label}`, commonestOf(result)];
  return {
    is: "deaths",
    says: `a death ${at}: ${deaths} of the server's children ended unasked${reason}`,
  };
}

/** What the server's own figures show. */
function ofServer(result: StepResult, server: ServerFigures, at: string): Finding | undefined {
  const { generator, measured } = result;
  const { quota, cpu, rss, elu = 0, full, hitRatio = 1, upstreamCalls = 0 } = server;
  if (quota !== undefined && (quota.locked || quota.used >= quota.limit))
    return {
      is: "quota",
      says: `Google's quota ${at}: ${quota.used} of ${quota.limit} reads this minute`,
    };
  if (rss > 0.5) return { is: "memory", says: `memory ${at}: ${percent(rss)} of it` };
  const all = server.machineCpu ?? 0;
  const isOthers = all > FULL && cpu < all / 2 && generator.cpu < 0.5;
  if (isOthers && errorsOf(result) + measured.counts.outcomes.refused === 0)
    return {
      is: "others",
      says: `other programs ${at}: the machine's CPUs are ${percent(all)} busy, ${percent(cpu)} is the server's`,
    };
  if (cpu > BUSY || (all > FULL && !isOthers))
    return {
      is: "cpu",
      says: `CPU ${at}: ${percent(cpu)} of the machine is the server's, ${generator.cpu.toFixed(1)} CPUs the generator's`,
    };
  if (full) return { is: "connections", says: `connections ${at}: every worker is at its cap` };
  if (elu > BUSY)
    return {
      is: "worker",
      says: `one process ${at}: its loop is ${percent(elu)} busy while CPUs are free`,
    };
  if (hitRatio < COLD && upstreamCalls > measured.counts.requests * FEW)
    return {
      is: "upstream",
      says: `Google's latency ${at}: only ${percent(hitRatio)} is answered from memory`,
    };
  return undefined;
}

function rest(result: StepResult, missed: readonly Check[], where: string): Finding {
  const { outcomes } = result.measured.counts;
  const errors = errorsOf(result);
  if (outcomes.refused > 0 && errors + outcomes.timeout === 0)
    return { is: "refusals", says: `deliberate refusals ${where}` };
  if (errors > 0) return { is: "errors", says: `errors ${where}` };
  const isSlow = missed.some(({ threshold }) => threshold.metric === "http_req_duration");
  const what = isSlow ? "answers are too slow" : "not all are answered";
  const seen =
    result.server === undefined
      ? "nothing is known of the server"
      : "neither CPU nor memory is why";
  return {
    is: "unknown",
    says: `not visible from outside at ${result.step.label}: ${what}, and ${seen}`,
  };
}
