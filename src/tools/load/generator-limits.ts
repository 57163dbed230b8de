/** Whether a step shows the server's limit or the generator's. */
import type { Threshold } from "./thresholds.ts";

export interface Generator {
  /** How busy its event loop was, 0 to 1. */
  readonly elu: number;
  /** ms: how late requests were sent, at the highest percentile that a threshold evaluates. */
  readonly slipMs: number;
  /** CPUs: 1 is one core. */
  readonly cpu: number;
}

const MOST_BUSY = 0.9;
/** ms. Timers of a busy machine are this late anyway. */
const LEAST_LATE = 10;
const [USUAL_QUANTILE, LAST_QUANTILE] = [0.95, 0.999];

/** Lateness is evaluated at the percentile of the thresholds. 0 to 1. */
export function lateQuantile(thresholds: readonly Threshold[]): number {
  const asked = thresholds.flatMap(({ statistic }) =>
    typeof statistic === "object" ? [statistic.p / 100] : [],
  );
  return asked.length === 0 ? USUAL_QUANTILE : Math.min(LAST_QUANTILE, Math.max(...asked));
}

/** ms: the smallest upper limit of a latency; Infinity without one. */
export const tightest = (thresholds: readonly Threshold[]): number =>
  Math.min(
    Infinity,
    ...thresholds
      .filter(({ metric, operator }) => metric === "http_req_duration" && operator.startsWith("<"))
      .map(({ limit }) => limit),
  );

/** ms: a tenth of the limit or of the latency. Less lateness turns no pass into a fail, or back. */
export function lateLimit(thresholds: readonly Threshold[], latencyMs: number): number {
  const limit = tightest(thresholds);
  return Math.max(LEAST_LATE, latencyMs / 10, limit === Infinity ? 0 : limit / 10);
}

/** Errors of connect(2) that come from the generator's own machine. */
const EXHAUSTED: ReadonlyMap<string, string> = new Map([
  ["EMFILE", "it may open no more files: raise its limit (ulimit -n)"],
  ["ENFILE", "its machine opens no more files: raise that limit (sysctl fs.file-max)"],
  [
    "EADDRNOTAVAIL",
    "its machine has no more ports towards the target: more of them (sysctl net.ipv4.ip_local_port_range)",
  ],
  ["EAGAIN", "its machine's kernel has no room for more connections"],
]);

/** @returns why the step is invalid, or undefined. */
export function exhausted(reasons: ReadonlyMap<string, number>): string | undefined {
  for (const [code, why] of EXHAUSTED) {
    const times = reasons.get(code);
    if (times !== undefined)
      return `${why}, or have fewer users, or a second machine (${code}: ${times})`;
  }
  return undefined;
}

/** @returns why the step is invalid, or undefined. */
export function saturated({ elu, slipMs }: Generator, limit: number): string | undefined {
  if (elu > MOST_BUSY)
    return `its own loop was ${Math.round(elu * 100)} % busy (at most ${MOST_BUSY * 100} %): fewer users, a longer --think, or several machines (drover emit k6)`;
  if (slipMs > limit)
    return `it sent ${Math.round(slipMs)} ms late (at most ${Math.round(limit)} ms): it, or the machine it shares with the server, is overloaded`;
  return undefined;
}
