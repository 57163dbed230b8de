/** What holds the service back, as far as it can be seen, and the one thing to do next. */
import type { StepResult } from "../tools/load/verdict.ts";
import { isOfTarget, type Metric } from "../tools/load/thresholds.ts";
import type { Measured } from "../tools/load/engine/engine.ts";
import { HOW_TO_KNOW } from "../tools/load/target-bars.ts";

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
  /** One sentence with its figures. */
  readonly says: string;
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;
/** A worker's loop that is this busy has no room left, and a machine neither. */
const BUSY = 0.85;
/** What other programs leave of a machine that is as busy as this is nothing. */
const FULL = 0.95;
/** Below this share of answers from memory the upstream is what people wait for. */
const COLD = 0.9;
/** Little that is asked of Google is no bottleneck, slow as it may be. */
const FEW = 0.02;

/** What fails when answers are wrong, however soon they come: a loop that is busy meanwhile is not why. */
const OF_ERRORS: ReadonlySet<Metric> = new Set(["errors", "unexpected_503", "http_req_failed"]);

/** Invalid for want of requests and answers, and no fault of the generator. */
export const isUnmeasured = ({ measured: { counts, generator } }: Pick<StepResult, "measured">): boolean =>
  generator.unanswered > 0 || counts.requests === 0;

/** Whatever came of it. */
const isAsked = ({ counts, endpoints }: Measured, endpoint: string | undefined): boolean =>
  ((endpoint === undefined ? counts : endpoints.get(endpoint))?.requests ?? 0) > 0;

/** Of one step that failed, or that is invalid. */
export function bottleneck(result: StepResult): Finding {
  const { step, measured, server, why, generator, checks } = result;
  const at = `at ${step.label}`;
  if (result.verdict === "INVALID" && why !== undefined)
    return isUnmeasured(result)
      ? { is: "unmeasured", says: `${at}: ${why}` }
      : { is: result.lacks ? "limits" : "generator", says: `the load generator itself ${at}: ${why}` };
  if (checks.every(({ holds }) => holds)) return { is: "none", says: `none ${at}` };
  const { outcomes, reasons } = measured.counts;
  const [first] = [...reasons].sort(([, a], [, b]) => b - a);
  const commonest = first === undefined ? "" : ` (${first[0]}: ${first[1]})`;
  if (measured.counts.requests > 0 && outcomes.ok === 0) return { is: "gone", says: `nothing was answered well ${at}${commonest}` };
  const missed = checks.filter(({ holds }) => !holds);
  if (missed.every(({ value, threshold: { endpoint } }) => value === undefined && !isAsked(measured, endpoint)))
    return {
      is: "unmeasured",
      says: `nothing was asked ${at} that ${missed.map(({ threshold }) => threshold.text).join(", ")} could be judged by`,
    };
  if (missed.every(({ value, threshold }) => value === undefined && isOfTarget(threshold)))
    return { is: "unseen", says: `unknown ${at}: CPU or memory of the target, which a threshold names` };
  const errors = outcomes.error + outcomes.unexpected503;
  if (errors > outcomes.timeout && missed.every(({ threshold: { metric } }) => OF_ERRORS.has(metric)))
    return (server?.deaths ?? 0) > 0
      ? { is: "deaths", says: `a death ${at}: ${server?.deaths} of the server's children ended unasked${commonest}` }
      : { is: "errors", says: `errors ${at}${commonest}` };
  if (server !== undefined) {
    const { quota, cpu, rss, elu, full, hitRatio, upstreamCalls } = server;
    if (quota !== undefined && (quota.locked || quota.used >= quota.limit))
      return { is: "quota", says: `Google's quota ${at}: ${quota.used} of ${quota.limit} reads this minute` };
    if (rss > 0.5) return { is: "memory", says: `memory ${at}: ${percent(rss)} of it` };
    const all = server.machineCpu ?? 0;
    const others = all > FULL && cpu < all / 2 && generator.cpu < 0.5;
    if (others && errors + outcomes.refused === 0)
      return { is: "others", says: `other programs ${at}: the machine's CPUs are ${percent(all)} busy, ${percent(cpu)} is the server's` };
    if (cpu > BUSY || (all > FULL && !others))
      return {
        is: "cpu",
        says: `CPU ${at}: ${percent(cpu)} of the machine is the server's, ${generator.cpu.toFixed(1)} CPUs the generator's`,
      };
    if (full) return { is: "connections", says: `connections ${at}: every worker is at its cap` };
    if ((elu ?? 0) > BUSY) return { is: "worker", says: `one process ${at}: its loop is ${percent(elu ?? 0)} busy while CPUs are free` };
    if (hitRatio !== undefined && hitRatio < COLD && (upstreamCalls ?? 0) > measured.counts.requests * FEW)
      return { is: "upstream", says: `Google's latency ${at}: only ${percent(hitRatio)} is answered from memory` };
  }
  if (outcomes.refused > 0 && errors + outcomes.timeout === 0) return { is: "refusals", says: `deliberate refusals ${at}${commonest}` };
  if (errors > 0) return { is: "errors", says: `errors ${at}${commonest}` };
  return {
    is: "unknown",
    says: `not visible from outside ${at}: ${missed.some(({ threshold }) => threshold.metric === "http_req_duration") ? "answers are too slow" : "not all are answered"}, and ${server === undefined ? "nothing is known of the server" : "neither CPU nor memory is why"}`,
  };
}

export interface Situation {
  readonly results: readonly StepResult[];
  readonly ending: "done" | "interrupted" | "target gone";
  /** It is a drover that answers on the control socket. */
  readonly known: boolean;
  readonly json: string | undefined;
  /** Without flags, for the command to go on with. */
  readonly url: string;
  /** It was a search for the most. */
  readonly searching: boolean;
}

/** @returns what binds, over all steps: of the first that did not pass. */
export function finding({ results, ending }: Pick<Situation, "results" | "ending">): Finding {
  if (ending === "target gone") {
    const at = results.at(-1)?.step.label ?? "the start";
    const reasons = results.at(-1)?.measured.counts.reasons;
    const refuses = reasons === undefined || reasons.size === 0 || reasons.has("ECONNREFUSED");
    return {
      is: "gone",
      says: `${refuses ? `the target died at ${at}` : `the target breaks every connection from ${at} on`}: nothing but broken connections since`,
    };
  }
  const bad = results.find(({ verdict }) => verdict !== "PASS");
  if (bad !== undefined) return bottleneck(bad);
  const last = results.at(-1);
  return { is: "none", says: last === undefined ? "nothing was measured" : `none up to ${last.step.label}` };
}

/** Refused for what its address has asked for, not for what the target can do. */
const byAddress = ({ measured }: StepResult): boolean => measured.counts.reasons.has("refused: rate");

const QUIET = "measure while the machine is quiet, or from another one: this result says nothing of the server";

/** One next step, the one that a colleague would name. */
export function nextStep(situation: Situation): string {
  const { results, ending, known, json, url, searching } = situation;
  const { is } = finding(situation);
  if (ending === "target gone")
    return known ? "read drover status and the log: the service went away under load" : "find out why the target died: its own log, dmesg";
  if (ending === "interrupted") return "run it again to the end: this is a part";
  if (results.length === 0) return "run it again";
  const advice: Readonly<Record<Exclude<Bottleneck, "none">, string>> = {
    generator:
      "load it with fewer users or a longer --think, or from several machines (drover emit k6): this result says nothing of the server",
    gone: "ask the target once by hand (curl -i): it answers nothing well",
    quota: "a longer DROVER_CACHE_TTL: each table costs one read per TTL (docs/cache-and-quota.md)",
    memory: "fewer workers (DROVER_WORKERS), or more memory: drover plan says which",
    cpu: "measure from another machine, so that the generator takes nothing; then drover plan for the CPUs that this needs",
    others: QUIET,
    worker: known
      ? "drover top: see which worker is busy, and drover stack SLOT what with"
      : "one process does all the work: more of them would use the other CPUs (drover serve APP runs several)",
    connections: "a larger DROVER_WORKER_CONNECTIONS, or more workers",
    refusals: results.some(byAddress)
      ? "these users share one address: --spread-addresses (loopback), --user-file signs them in, or start the target with DROVER_RATE_LIMIT=off DROVER_EXPORT_RATE=off"
      : "raise the limit that refuses (X-Drover-Refused names it), or take it as the capacity",
    errors: known ? "drover status, and the log, for the errors above" : "the server's own log, for the errors above",
    deaths: known ? "drover status (deaths), and the log: why they ended" : "the server's own log: why its processes end",
    upstream: "a longer TTL for the tables that are asked for most (docs/cache-and-quota.md)",
    limits: "raise the limit that is named above, or send fewer",
    unmeasured: results[0]?.step.model === "open" ? "a longer --hold, or a higher --rate" : "a longer --hold, or more users",
    unseen: HOW_TO_KNOW,
    unknown: `find out what the server waits for: its own log, its database${searching ? "" : "; --find-max tells how many users it holds"}`,
  };
  const late = results.find(({ verdict }) => verdict !== "PASS")?.generator.elu ?? 1;
  if (is === "generator" && late < BUSY) return QUIET;
  if (is !== "none") return advice[is];
  if (json !== undefined) return `drover plan --from ${json}: what binds beyond this, and how many users the machine holds`;
  return searching
    ? `drover load ${url} --ladder 5,10,25,50,100,200 --json run.json, then drover plan --from run.json: what binds beyond this`
    : `drover load ${url} --find-max: how many users it holds`;
}
