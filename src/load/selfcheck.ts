/** Whether a step says something about the server, or about the generator. */
import type { Threshold } from "./metrics.ts";

export interface Generator {
  /** How busy its event loop was, 0 to 1. */
  readonly elu: number;
  /** How much later than intended requests were sent, in ms: at the highest percentile that a threshold looks at. */
  readonly slipMs: number;
  /** CPUs that it took: 1 is one core. */
  readonly cpu: number;
}

const MOST_ELU = 0.9;
/** What a busy machine's timers do anyway. */
const LEAST_SLIP = 10;

/** Lateness is judged where latency is: who asks for the p99 must have it right there, who asks for the p95 need not. 0 to 1. */
export function slipQuantile(thresholds: readonly Threshold[]): number {
  const asked = thresholds.flatMap(({ statistic }) => (typeof statistic === "object" ? [statistic.p / 100] : []));
  return asked.length === 0 ? USUALLY : Math.min(LAST, Math.max(...asked));
}
const [USUALLY, LAST] = [0.95, 0.999];

/** ms: the least that a threshold lets an answer take; Infinity: none does. */
export const tightest = (thresholds: readonly Threshold[]): number =>
  Math.min(
    Infinity,
    ...thresholds.filter(({ metric, operator }) => metric === "http_req_duration" && operator.startsWith("<")).map(({ limit }) => limit),
  );

/**
 * A tenth of the tightest latency limit, or of the latency where that is more: lateness that can't turn a pass into a fail, or the other
 * way round.
 */
export function slipLimit(thresholds: readonly Threshold[], latencyMs: number): number {
  const limit = tightest(thresholds);
  return Math.max(LEAST_SLIP, latencyMs / 10, limit === Infinity ? 0 : limit / 10);
}

/** What connect(2) answers when the generator's own machine gives no more connections. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ["EMFILE", "it may open no more files: raise its limit (ulimit -n)"],
  ["ENFILE", "its machine opens no more files: raise that limit (sysctl fs.file-max)"],
  ["EADDRNOTAVAIL", "its machine has no more ports towards the target: more of them (sysctl net.ipv4.ip_local_port_range)"],
  ["EAGAIN", "its machine's kernel has no room for more connections"],
]);

/** @param reasons what went wrong, and how often. @returns why the step is invalid, or undefined. */
export function exhausted(reasons: ReadonlyMap<string, number>): string | undefined {
  for (const [code, says] of LIMITS) {
    const times = reasons.get(code);
    if (times !== undefined) return `${says}, or have fewer users, or a second machine (${code}: ${times})`;
  }
  return undefined;
}

/** @returns why the step is invalid, or undefined. */
export function saturated({ elu, slipMs }: Generator, limit: number): string | undefined {
  if (elu > MOST_ELU)
    return `its own loop was ${Math.round(elu * 100)} % busy (at most ${MOST_ELU * 100} %): fewer users, a longer --think, or several machines (drover emit k6)`;
  if (slipMs > limit)
    return `it sent ${Math.round(slipMs)} ms late (at most ${Math.round(limit)} ms): it, or the machine it shares with the server, is overloaded`;
  return undefined;
}
