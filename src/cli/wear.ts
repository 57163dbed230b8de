/** When a child is to be replaced: its debugger stays open, or it has reached a limit of requests, age or memory. */
import type { Child } from "../master/shell/children.ts";
import type { Settings } from "../settings/table.ts";

export type Worn = Pick<Child, "startedAt" | "lastBeat" | "worn" | "exposed">;

export interface Wear {
  /**
   * @param rss bytes, as sampled now; undefined: could not be read, which says nothing of the samples before it.
   * @param now on the clock of `startedAt`.
   * @returns why it is to be recycled, or undefined. The setting's name stands in it: deaths are counted by it.
   */
  check(child: Worn, rss: number | undefined, settings: Settings, now: number): string | undefined;
}

/** Samples in a row that must be over DROVER_MAX_RSS: one peak, before the garbage collector comes, is no leak. */
const IN_A_ROW = 3;

export function createWear(): Wear {
  const over = new WeakMap<Worn, number>();
  return {
    check(child, rss, settings, now) {
      if (child.exposed) return "its debugger can't be closed";
      const { max_requests, max_lifetime, max_rss } = settings;
      const spent = max_requests > 0 ? spentText(child) : undefined;
      if (spent !== undefined) return spent;
      const age = now - child.startedAt;
      if (max_lifetime > 0 && age >= max_lifetime) return `it is ${Math.round(age / 1_000)} s old (DROVER_MAX_LIFETIME)`;
      if (rss === undefined) return undefined;
      const times = max_rss > 0 && rss >= max_rss ? (over.get(child) ?? 0) + 1 : 0;
      over.set(child, times);
      if (times >= IN_A_ROW) return `it holds ${Math.round(rss / 1_048_576)} MiB, ${times} samples in a row (DROVER_MAX_RSS)`;
      return undefined;
    },
  };
}

/** The worker counts its own requests and knows its limit. @returns undefined until it has reported that it reached it. */
const spentText = ({ worn, lastBeat }: Pick<Worn, "worn" | "lastBeat">): string | undefined =>
  worn === undefined ? undefined : `it has served ${Math.max(worn, lastBeat?.counters.served ?? 0)} requests (DROVER_MAX_REQUESTS)`;
