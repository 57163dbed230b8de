import { Histogram } from "../../base/histogram.ts";
import { COUNTERS, noCounters, type Beat, type Counters } from "../../base/protocol.ts";

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
  /** What happened since the last call: the minute's line. */
  takeMinute(): { readonly counters: Counters; readonly p50: number | undefined; readonly p95: number | undefined };
}

export function createTotals(): Totals {
  const sum = noCounters();
  const last = new Map<number, Counters>();
  const latency = new Histogram();
  const minute = new Histogram();
  let minuteStart = noCounters();
  return {
    latency,
    add(pid, beat) {
      const before = last.get(pid) ?? noCounters();
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
