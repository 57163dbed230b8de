/** The minute's line: what an operator who only has `tail -f` needs to see. */
import type { Logger } from "../base/log.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Master } from "../master/core/model.ts";
import type { Child } from "../master/shell/children.ts";
import type { MachineSample } from "../master/shell/machine-watch.ts";
import type { Totals } from "../master/shell/totals.ts";
import { readyWorkers } from "./state.ts";

export interface StatsInput {
  readonly state: Master;
  readonly totals: Totals;
  readonly children: Iterable<Child>;
  readonly machine: MachineSample | undefined;
  readonly upstream: UpstreamReport | undefined;
  readonly limitedBy: string;
}

const round = (n: number | undefined, digits = 1): number | null => (n === undefined ? null : Number(n.toFixed(digits)));

export function logStats(log: Logger, { state, totals, children, machine, upstream, limitedBy }: StatsInput): void {
  const { counters, p50, p95 } = totals.takeMinute();
  const cached = counters.hits + counters.stale;
  const asked = cached + counters.misses;
  let inFlight = 0;
  let connections = 0;
  for (const child of children) {
    inFlight += child.lastBeat?.inFlight ?? 0;
    connections += child.role === "worker" ? (child.lastBeat?.connections ?? 0) : 0;
  }
  log.info(
    {
      stats: true,
      requests: counters.served,
      p50_ms: round(p50, 2),
      p95_ms: round(p95, 2),
      "4xx": counters.status4xx,
      "5xx": counters.status5xx,
      refused: counters.refused,
      timeouts: counters.timeouts,
      cache_hit_ratio: asked === 0 ? null : round(cached / asked, 4),
      stale: counters.stale,
      upstream_calls: counters.upstreamCalls,
      upstream_errors: counters.upstreamErrors,
      quota: upstream === undefined ? null : `${upstream.quota.used}/${upstream.quota.limit}`,
      upstream: upstream?.state ?? null,
      in_flight: inFlight,
      connections,
      cpu: round(machine?.cpu, 3),
      ram: round(machine?.ram, 3),
      workers: `${readyWorkers(state)}/${state.target}`,
      limited_by: limitedBy,
    },
    "stats",
  );
}

/** What binds first right now: the answer to "what would I buy?". */
export function limitedBy(
  over: { cpu: boolean; ram: boolean },
  upstream: UpstreamReport | undefined,
  children: Iterable<Child>,
): "memory" | "cpu" | "quota" | "connections" | "none" {
  if (over.ram) return "memory";
  if (over.cpu) return "cpu";
  if (upstream !== undefined && (upstream.state === "locked" || upstream.quota.used >= upstream.quota.limit)) return "quota";
  const workers = [...children].filter((child) => child.role === "worker");
  return workers.length > 0 && workers.every((child) => child.lastBeat?.full === true) ? "connections" : "none";
}
