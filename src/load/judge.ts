/** A step's figures beside its thresholds. */
import type { Tally, Times } from "./tally.ts";
import { compares, type Judgement, type Statistic, type Threshold } from "./metrics.ts";

/** What thresholds may ask of a step. */
export interface Judged {
  readonly tally: Tally;
  readonly seconds: number;
  /** 0 to 1 of all CPUs, of all memory; undefined: a foreign server. */
  readonly cpu?: number | undefined;
  readonly rss?: number | undefined;
}

export const isOfMachine = ({ metric }: Pick<Threshold, "metric">): boolean => metric === "target_cpu" || metric === "target_rss";

export const failed = ({ fates }: Tally): number => fates.error + fates.unexpected503 + fates.timeout;

/** An unknown CPU or memory of the target fails only a threshold that the user named. No answer at all is no good p95. */
export function judge(step: Judged, thresholds: readonly Threshold[]): Judgement[] {
  return thresholds.map((threshold) => {
    const value = valueOf(step, threshold);
    const unknown = isOfMachine(threshold) && threshold.usual === true;
    return { threshold, value, holds: value === undefined ? unknown : compares(value, threshold) };
  });
}

function valueOf({ tally, seconds, cpu, rss }: Judged, { metric, statistic, endpoint }: Threshold): number | undefined {
  switch (metric) {
    case "http_req_duration":
      return trend(endpoint === undefined ? tally : tally.endpoints.get(endpoint), statistic);
    case "http_req_failed": {
      if (endpoint === undefined) return share(failed(tally), tally.requests);
      const own = tally.endpoints.get(endpoint);
      return own === undefined ? undefined : share(own.failed, own.failed + own.refused + own.latency.count);
    }
    case "http_req_shed":
      return share(tally.fates.refused, tally.requests);
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

/** Of good answers. */
function trend(times: Times | undefined, statistic: Statistic): number | undefined {
  if (times === undefined || times.latency.count === 0) return undefined;
  if (statistic === "avg") return times.sumMs / times.latency.count;
  if (statistic === "min") return times.minMs;
  if (statistic === "max") return times.maxMs;
  return times.latency.quantile(typeof statistic === "object" ? statistic.p / 100 : 0.5);
}
