/** A step's figures beside its thresholds. */
import type { Histogram } from "../base/histogram.ts";
import type { Tally } from "./tally.ts";
import { compares, type Judgement, type Statistic, type Threshold } from "./thresholds.ts";

/** What thresholds may ask of a step. */
export interface Judged {
  readonly tally: Tally;
  readonly seconds: number;
  /** 0 to 1 of all CPUs, of all memory; undefined: a foreign server. */
  readonly cpu?: number | undefined;
  readonly rss?: number | undefined;
}

export const failed = ({ fates }: Tally): number => fates.error + fates.unexpected503 + fates.timeout;

/** Nothing measured passes only where nothing can be said: the CPU of a foreign server. No answer at all is no good p95. */
export function judge(step: Judged, thresholds: readonly Threshold[]): Judgement[] {
  return thresholds.map((threshold) => {
    const value = valueOf(step, threshold);
    const unknown = threshold.metric === "target_cpu" || threshold.metric === "target_rss";
    return { threshold, value, holds: value === undefined ? unknown : compares(value, threshold) };
  });
}

function valueOf({ tally, seconds, cpu, rss }: Judged, { metric, statistic, endpoint }: Threshold): number | undefined {
  switch (metric) {
    case "http_req_duration":
      return endpoint === undefined ? trend(tally, statistic) : quantile(tally.endpoints.get(endpoint)?.latency, statistic);
    case "http_req_failed": {
      const own = endpoint === undefined ? undefined : tally.endpoints.get(endpoint);
      if (endpoint !== undefined) return own === undefined ? undefined : share(own.failed, own.failed + own.latency.count);
      return share(failed(tally), tally.requests);
    }
    case "http_reqs":
      return statistic === "count" ? tally.requests : tally.requests / seconds;
    case "errors":
      return tally.fates.error + tally.fates.unexpected503;
    case "unexpected_503":
      return tally.fates.unexpected503;
    case "timeouts":
      return tally.fates.timeout;
    case "shed":
      return tally.fates.refused;
    case "target_cpu":
      return cpu === undefined ? undefined : cpu * 100;
    case "target_rss":
      return rss === undefined ? undefined : rss * 100;
    default:
      return metric satisfies never;
  }
}

const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole);

function trend(tally: Tally, statistic: Statistic): number | undefined {
  const { count } = tally.latency;
  if (count === 0) return undefined;
  if (statistic === "avg") return tally.sumMs / count;
  if (statistic === "min") return tally.minMs;
  return statistic === "max" ? tally.maxMs : quantile(tally.latency, statistic);
}

/** Of an endpoint alone, mean and extremes are the histogram's: at most 1/128 off. */
function quantile(of: Histogram | undefined, statistic: Statistic): number | undefined {
  if (of === undefined) return undefined;
  if (typeof statistic === "object") return of.quantile(statistic.p / 100);
  return of.quantile(statistic === "max" ? 1 : statistic === "min" ? 0 : 0.5);
}
