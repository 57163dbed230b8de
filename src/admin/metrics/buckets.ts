/** Prometheus' buckets of a histogram of ours. Which of its bounds a bucket of ours is under is worked out once. */
import { BUCKETS, middleOf, upperBound, type HistogramDelta } from "../../base/histogram.ts";

export interface Bounds {
  /** Seconds, as they stand behind `le`. */
  readonly texts: readonly string[];
  /** For every bucket of ours the first bound that it is wholly under; -1: there is none. */
  readonly first: Int8Array;
}

function bounds(...seconds: readonly number[]): Bounds {
  const first = Int8Array.from({ length: BUCKETS }, (_, bucket) => seconds.findIndex((bound) => upperBound(bucket) <= bound * 1e6));
  return { texts: seconds.map(String), first };
}

/** From what stands ready in memory to what a client gives up on. */
export const REQUEST_BUCKETS = bounds(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120);
/** prom-client's for garbage collection. */
export const PAUSE_BUCKETS = bounds(0.001, 0.01, 0.1, 1, 2, 5);
export const SHEET_BUCKETS = bounds(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 86_400);

/** Seconds. */
const MIDDLES = Float64Array.from({ length: BUCKETS }, (_, bucket) => middleOf(bucket) / 1_000);

/** How many fall under each bound and under none before it, how many there are, and the sum of their middles in seconds. */
export function countsBelow(counts: HistogramDelta, { texts, first }: Bounds): { below: Float64Array; count: number; sum: number } {
  const below = new Float64Array(texts.length);
  let [count, sum] = [0, 0];
  for (const [bucket, n] of counts) {
    count += n;
    sum += (MIDDLES[bucket] ?? 0) * n;
    const under = first[bucket] ?? -1;
    if (under >= 0) below[under] = (below[under] ?? 0) + n;
  }
  return { below, count, sum };
}
