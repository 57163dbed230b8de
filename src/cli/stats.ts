/** The minute's line: what an operator who only has `tail -f` needs to see. */
import type { Logger } from "../base/log.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Master } from "../master/core/model.ts";
import type { Child } from "../master/shell/children.ts";
import type { MachineFacts } from "../master/snapshot.ts";
import type { Totals } from "../master/shell/totals.ts";
import { readyWorkers } from "./state.ts";

export interface StatsInput {
  readonly state: Master;
  readonly totals: Totals;
  readonly children: Iterable<Child>;
  readonly machine: MachineFacts | undefined;
  readonly upstream: UpstreamReport | undefined;
  readonly limitedBy: readonly Binding[];
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
      cpu_own: round(machine?.ownCpu, 3),
      ram: round(machine?.ram, 3),
      workers: `${readyWorkers(state)}/${state.target}`,
      limited_by: limitedBy[0] ?? "none",
    },
    "stats",
  );
}

export type Binding = "memory" | "quota" | "connections" | "cpu";

/** All that binds right now, the most serious first. The CPU does when drover itself is short of it. */
export function limitedBy(
  over: { cpu: boolean; ram: boolean },
  upstream: UpstreamReport | undefined,
  children: Iterable<Child>,
): readonly Binding[] {
  const workers = [...children].filter((child) => child.role === "worker");
  const binding = {
    memory: over.ram,
    quota: upstream !== undefined && (upstream.state === "locked" || upstream.quota.used >= upstream.quota.limit),
    connections: workers.length > 0 && workers.every((child) => child.lastBeat?.full === true),
    cpu: over.cpu,
  };
  return (["memory", "quota", "connections", "cpu"] as const).filter((name) => binding[name]);
}
