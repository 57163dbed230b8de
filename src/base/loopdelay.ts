import { Histogram } from "./histogram.ts";
import { ms, type Ms } from "./units.ts";

/** Five samples a second cost an idle process less than 0.1 % of a core. */
const EVERY = 200;
/** Of two windows the older one goes. */
const WINDOW = 30_000;

export interface LoopWatch {
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
  return {
    p99() {
      const both = new Histogram();
      for (const part of [older, newer]) both.absorb(part);
      const late = both.quantile(0.99);
      return late === undefined ? undefined : ms(late);
    },
    stop: () => clearInterval(timer),
  };
}
