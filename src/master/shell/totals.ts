import { systemClock, type Clock } from "../../base/clock.ts";
import { Histogram, type HistogramDelta } from "../../base/histogram.ts";
import { COUNTERS, noCounters, type Counters } from "../../base/counters.ts";
import type { Beat } from "../../base/protocol.ts";
import { between, seconds, type Instant } from "../../base/units.ts";

/**
 * The service's counters over all children, dead ones included: a beat carries a child's own monotonic counters, and what
 * grew since its last beat is added here. So a worker's death never makes a total fall.
 */
export interface Totals {
  /** Takes a beat's growth in. A counter that fell (a broken child) adds nothing. */
  add(pid: number, beat: Beat): void;
  forget(pid: number): void;
  counters(): Readonly<Counters>;
  /** Durations since the daemon started. */
  readonly latency: Histogram;
  /** The last seconds: what an operator means by "now". */
  recent(): Recent;
  /** What happened since the last call: the minute's line. */
  takeMinute(): { readonly counters: Counters; readonly p50: number | undefined; readonly p95: number | undefined };
}

/** Requests of the last seconds; `perSecond` over the time that has passed since the start when that is shorter. */
export interface Recent {
  readonly perSecond: number;
  /** Milliseconds; undefined when there was no request. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
}

const RECENT = seconds(10);
/** Beats that the window holds at most: a child that beats like mad, as an application can make it, costs no memory. */
const MOST_BEATS = 8_192;

/** The growth of one beat. */
interface Growth {
  readonly at: Instant;
  readonly served: number;
  readonly latency: HistogramDelta;
}

export function createTotals(clock: Pick<Clock, "now"> = systemClock): Totals {
  const startedAt = clock.now();
  const window: Growth[] = [];
  const trim = (at: Instant): void => {
    const kept = window.findIndex((growth) => between(growth.at, at) < RECENT);
    window.splice(0, Math.max(kept === -1 ? window.length : kept, window.length - MOST_BEATS));
  };
  const sum = noCounters();
  const last = new Map<number, Counters>();
  const latency = new Histogram();
  const minute = new Histogram();
  let minuteStart = noCounters();
  return {
    latency,
    recent() {
      const at = clock.now();
      trim(at);
      const durations = new Histogram();
      for (const growth of window) durations.merge(growth.latency);
      const served = window.reduce((all, growth) => all + growth.served, 0);
      const over = Math.min(RECENT, Math.max(seconds(1), between(startedAt, at)));
      return { perSecond: served / (over / 1_000), p50: durations.quantile(0.5), p95: durations.quantile(0.95) };
    },
    add(pid, beat) {
      const before = last.get(pid) ?? noCounters();
      const at = clock.now();
      const served = Math.max(0, beat.counters.served - before.served);
      if (served > 0 || beat.latency.length > 0) {
        trim(at);
        window.push({ at, served, latency: beat.latency });
      }
      for (const name of COUNTERS) sum[name] += Math.max(0, beat.counters[name] - before[name]);
      last.set(pid, beat.counters);
      latency.merge(beat.latency);
      minute.merge(beat.latency);
    },
    forget: (pid) => void last.delete(pid),
    counters: () => ({ ...sum }),
    takeMinute() {
      const counters = noCounters();
      for (const name of COUNTERS) counters[name] = sum[name] - minuteStart[name];
      minuteStart = { ...sum };
      const result = { counters, p50: minute.quantile(0.5), p95: minute.quantile(0.95) };
      minute.reset();
      return result;
    },
  };
}
