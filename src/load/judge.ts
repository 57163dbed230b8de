/** A step's figures beside its thresholds. */
import type { Counts } from "../tools/load/engine/counts.ts";
import type { Measured } from "../tools/load/engine/engine.ts";
import { compares, type Judgement, type Statistic, type Threshold } from "./metrics.ts";

/** What thresholds may ask of a step. */
export interface Judged {
  readonly measured: Pick<Measured, "counts" | "endpoints" | "seconds">;
  /** 0 to 1 of all CPUs, of all memory; undefined: a foreign server. */
  readonly cpu?: number | undefined;
  readonly rss?: number | undefined;
}

export const isOfMachine = ({ metric }: Pick<Threshold, "metric">): boolean => metric === "target_cpu" || metric === "target_rss";

/** An unknown CPU or memory of the target fails only a threshold that the user named. No answer at all is no good p95. */
export function judge(step: Judged, thresholds: readonly Threshold[]): Judgement[] {
  return thresholds.map((threshold) => {
    const value = valueOf(step, threshold);
    const unknown = isOfMachine(threshold) && threshold.usual === true;
    return { threshold, value, holds: value === undefined ? unknown : compares(value, threshold) };
  });
}

function valueOf(
  { measured: { counts, endpoints, seconds }, cpu, rss }: Judged,
  { metric, statistic, endpoint }: Threshold,
): number | undefined {
  switch (metric) {
    case "http_req_duration":
      return trend(endpoint === undefined ? counts : endpoints.get(endpoint), statistic);
    case "http_req_failed": {
      const of = endpoint === undefined ? counts : endpoints.get(endpoint);
      return of === undefined ? undefined : share(of.failed, of.requests);
    }
    case "http_req_shed":
      return share(counts.outcomes.refused, counts.requests);
    case "http_reqs":
      return statistic === "count" ? counts.requests : counts.requests / seconds;
    case "errors":
      return counts.outcomes.error + counts.outcomes.unexpected503;
    case "unexpected_503":
      return counts.outcomes.unexpected503;
    case "timeouts":
      return counts.outcomes.timeout;
    case "shed":
      return counts.outcomes.refused;
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
function trend(of: Counts | undefined, statistic: Statistic): number | undefined {
  if (of === undefined || of.latency.count === 0) return undefined;
  if (statistic === "avg") return of.sumMs / of.latency.count;
  if (statistic === "min") return of.minMs;
  if (statistic === "max") return of.maxMs;
  return of.latency.quantile(typeof statistic === "object" ? statistic.p / 100 : 0.5);
}
