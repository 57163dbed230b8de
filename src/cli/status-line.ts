/** The line of `systemctl status`: "8/8 workers, gen 3, HEALTHY 12/200, quota 4/60, 12 connections". */
import type { Health } from "../base/protocol.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { SlotsState } from "../base/slots.ts";
import type { Child } from "../master/shell/children.ts";
import { allChildren } from "../master/core/places.ts";
import type { Master, Roll } from "../master/core/model.ts";

/** All that the line is made of. */
export interface StatusFacts {
  readonly state: Master;
  readonly health: Health;
  readonly upstream: UpstreamReport | undefined;
  /** undefined: nobody logs in. */
  readonly slots?: SlotsState | undefined;
  readonly children: Iterable<Pick<Child, "role" | "lastBeat">>;
}

/** What matters first comes first: terminals cut the line. */
export function statusLine({ state, health, upstream, slots, children }: StatusFacts): string {
  const { workers, generation, demo } = health;
  const quota = upstream === undefined ? [] : [`quota ${upstream.quota.used}/${upstream.quota.limit}`];
  return [
    `${workers.ready}/${workers.target} workers`,
    `gen ${generation}`,
    `${condition(state, health, slots)}${slots === undefined ? "" : ` ${slots.used}/${slots.max}`}`,
    ...(state.roll === undefined ? [] : [rolling(state.roll)]),
    ...(state.lastRoll?.is === "rolledBack" && state.mode.is === "running" ? ["the last reload was rolled back"] : []),
    ...quota,
    `${connections(children)} connections`,
    ...(demo ? ["demo"] : []),
  ].join(", ");
}

function condition(state: Master, health: Health, slots: SlotsState | undefined): string {
  if (state.mode.is !== "running") return `STOPPING (${allChildren(state).length} processes left)`;
  if (!state.booted) return "STARTING";
  if (health.status === "ok") return slots?.status === "WARNING" || slots?.status === "FULL" ? slots.status : "HEALTHY";
  const why = [
    ...(health.workers.ready < health.workers.target ? ["workers missing"] : []),
    ...(health.broker === "away" ? ["broker away"] : []),
    ...(health.upstream === "ok" || health.upstream === "never" ? [] : [`Google ${health.upstream}`]),
  ];
  return `DEGRADED (${why.join("; ")})`;
}

function rolling({ back, proven, generation, left }: Roll): string {
  if (back !== undefined) return "the reload is rolled back";
  return `reload: gen ${generation} ${proven ? "rolls" : "is tried"}, ${left.length} to go`;
}

function connections(children: StatusFacts["children"]): number {
  let sum = 0;
  for (const { role, lastBeat } of children) sum += role === "worker" ? (lastBeat?.connections ?? 0) : 0;
  return sum;
}
