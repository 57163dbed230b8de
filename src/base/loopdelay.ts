import { Histogram, middleOf } from "./histogram.ts";
import { ms, type Ms } from "./units.ts";

/** Five samples a second cost an idle process less than 0.1 % of a core. */
const EVERY = 200;
/** Of two windows the older one goes. */
const WINDOW = 30_000;

/** Delays in milliseconds; all 0 before the first sample. */
export interface LoopLag {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface LoopWatch {
  /** Over the last half to whole minute. */
  lag(): LoopLag;
  /** 99th percentile over the last half to whole minute; undefined before the first sample. */
  p99(): Ms | undefined;
  stop(): void;
}

/**
 * How late this process's event loop runs what is due: sampled at regular times, so the share of late samples is the share of
 * events that would have found the loop busy.
 */
export function watchLoop(now: () => number = () => performance.now()): LoopWatch {
  let [older, newer] = [new Histogram(), new Histogram()];
  let turnedAt = now();
  let due = turnedAt + EVERY;
  const sample = (): void => {
    const at = now();
    newer.record(Math.max(0, at - due));
    due = at + EVERY;
    if (at - turnedAt < WINDOW) return;
    [older, newer] = [newer, new Histogram()];
    turnedAt = at;
  };
  const timer = setInterval(sample, EVERY).unref();
  const window = (): Histogram => {
    const both = new Histogram();
    for (const part of [older, newer]) both.absorb(part);
    return both;
  };
  return {
    lag() {
      const both = window();
      const at = (q: number): number => both.quantile(q) ?? 0;
      return { min: at(0), max: at(1), ...spread(both), p50: at(0.5), p90: at(0.9), p99: at(0.99) };
    },
    p99() {
      const late = window().quantile(0.99);
      return late === undefined ? undefined : ms(late);
    },
    stop: () => clearInterval(timer),
  };
}

/** From the middles of the buckets. */
function spread(histogram: Histogram): Pick<LoopLag, "mean" | "stddev"> {
  if (histogram.count === 0) return { mean: 0, stddev: 0 };
  let [sum, squares] = [0, 0];
  for (const [bucket, count] of histogram.counts()) {
    const middle = middleOf(bucket);
    sum += middle * count;
    squares += middle * middle * count;
  }
  const mean = sum / histogram.count;
  return { mean, stddev: Math.sqrt(Math.max(0, squares / histogram.count - mean * mean)) };
}
