/** A run second by second: for the terminal, the report's plots, and drills. */
import type { Counts } from "./engine/counts.ts";

/** About a second of a step. */
export interface Second {
  /** Seconds since the run began, at its end. */
  readonly at: number;
  /** Seconds. */
  readonly lasted: number;
  readonly step: string;
  /** The step's time was over: these are its last answers. */
  readonly isLate: boolean;
  readonly perSecond: number;
  /** ms, of good answers; undefined without one. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly good: number;
  readonly failed: number;
  readonly refused: number;
}

/** For a step that was over at once. */
const SHORTEST = 0.001;

export const secondOf = (
  { outcomes, latency, requests, failed }: Counts,
  when: Pick<Second, "at" | "lasted" | "step" | "isLate">,
): Second => ({
  ...when,
  perSecond: requests / Math.max(SHORTEST, when.lasted),
  p50: latency.quantile(0.5),
  p95: latency.quantile(0.95),
  good: outcomes.ok,
  failed,
  refused: outcomes.refused,
});

/** Seconds: the longest time without a good answer, while the steps' time ran. */
export function longestSilence(seconds: readonly Second[]): number {
  let [longest, silence] = [0, 0];
  for (const { good, lasted, isLate } of seconds) {
    if (isLate) continue;
    silence = good > 0 ? 0 : silence + lasted;
    longest = Math.max(longest, silence);
  }
  return longest;
}

/**
 * At most `most` seconds for a plot: adjacent seconds become one, with the worst latency and the mean of
 * the rest, so that a slow second stays visible in a run of hours.
 */
export function thinned(seconds: readonly Second[], most: number): readonly Second[] {
  const stride = Math.ceil(seconds.length / most);
  if (stride <= 1) return seconds;
  return Array.from({ length: Math.ceil(seconds.length / stride) }, (_, i) =>
    merged(seconds.slice(i * stride, (i + 1) * stride)),
  );
}

function merged(seconds: readonly Second[]): Second {
  const mean = (of: (second: Second) => number): number =>
    seconds.reduce((sum, second) => sum + of(second), 0) / seconds.length;
  const worst = (of: (second: Second) => number | undefined): number | undefined => {
    const known = seconds.map(of).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  return {
    ...(seconds.at(-1) as Second),
    perSecond: mean(({ perSecond }) => perSecond),
    p50: worst(({ p50 }) => p50),
    p95: worst(({ p95 }) => p95),
    failed: mean(({ failed }) => failed),
    refused: mean(({ refused }) => refused),
  };
}
