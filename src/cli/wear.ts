/** When a worker has served long enough: by requests, by age, by memory. */
import type { Child } from "../master/shell/children.ts";
import type { Settings } from "../settings/table.ts";

export type Worn = Pick<Child, "pid" | "startedAt" | "lastBeat">;

export interface Wear {
  /**
   * @param rss bytes, as sampled now; undefined: could not be read, which says nothing of the samples before it.
   * @param now on the clock of `startedAt`.
   * @returns why it is to be recycled, or undefined. The setting's name stands in it: deaths are counted by it.
   */
  check(child: Worn, rss: number | undefined, settings: Settings, now: number): string | undefined;
  forget(pid: number): void;
}

/** Samples in a row that must be over DROVER_MAX_RSS: one peak, before the garbage collector comes, is no leak. */
const IN_A_ROW = 3;

export function createWear(): Wear {
  const over = new Map<number, number>();
  return {
    forget: (pid) => void over.delete(pid),
    check(child, rss, settings, now) {
      const { max_lifetime, max_rss } = settings;
      const served = child.lastBeat?.counters.served ?? 0;
      const most = mostRequests(child.pid, settings);
      if (most > 0 && served >= most) return `it has served ${served} requests (DROVER_MAX_REQUESTS)`;
      const age = now - child.startedAt;
      if (max_lifetime > 0 && age >= max_lifetime) return `it is ${Math.round(age / 1_000)} s old (DROVER_MAX_LIFETIME)`;
      if (rss === undefined) return undefined;
      const times = max_rss > 0 && rss >= max_rss ? (over.get(child.pid) ?? 0) + 1 : 0;
      over.set(child.pid, times);
      if (times >= IN_A_ROW) return `it holds ${Math.round(rss / 1_048_576)} MiB, ${times} samples in a row (DROVER_MAX_RSS)`;
      return undefined;
    },
  };
}

/** 0: no limit. The jitter is the child's own: its pid decides, so it never changes. */
const mostRequests = (pid: number, { max_requests, max_requests_jitter }: Settings): number =>
  max_requests === 0 || max_requests_jitter === 0 ? max_requests : max_requests + (pid % (max_requests_jitter + 1));
