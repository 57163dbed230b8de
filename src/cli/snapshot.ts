import type { Advice } from "../admin/advice/advice.ts";
import type { AlertTest, AlertView, Sink } from "../admin/alerts/view.ts";
import type { ScheduleView, UsageView } from "../admin/slots/view.ts";
import { systemClock } from "../base/clock.ts";
import { snapshotOf as makeSnapshot, type ChildFacts, type Facts, type Snapshot } from "../master/snapshot.ts";
import type { Instant, Ms, Timestamp } from "../base/units.ts";
import type { Arbiter } from "../master/shell/arbiter.ts";
import type { Child } from "../master/shell/children.ts";
import type { HooksView } from "../master/shell/hooks/hooks.ts";
import type { Listener } from "../master/shell/listeners.ts";
import type { Totals } from "../master/shell/totals.ts";
import { dataSource } from "./greeting.ts";
import type { Generations } from "./generations.ts";
import type { DaemonHooks } from "./hooks.ts";
import type { Monitor } from "./monitor.ts";
import type { SlotKeeper } from "./slots/keeper.ts";
import type { limitedBy } from "./stats.ts";
import { version } from "./version.ts";
import type { Watch } from "./watch.ts";

/** What `drover status --json` prints: the master's snapshot, and where the data comes from. */
export interface Status extends Snapshot {
  readonly data: string;
  readonly urls: readonly string[];
  readonly log: string;
  /** How long rows count as fresh unless the tables file says otherwise (DROVER_CACHE_TTL). */
  readonly cacheTtl: Ms;
  /** Why the last reload was refused before anything rolled: a wrong setting. */
  readonly refusedReload: string | null;
  /** How often the control socket refused what was no request of ours. */
  readonly refusedRequests: number;
  readonly hooks: HooksView;
  readonly alerts: readonly AlertView[];
  /** Where alerts go, and the last test of each of these. */
  readonly alertSinks: readonly Sink[];
  readonly alertTests: readonly AlertTest[];
  /** Deliberate refusals by X-Drover-Refused, since the daemon started. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Requests of external monitors for /api/admin/health, and when the last ones came, the newest last. */
  readonly monitorRequests: number;
  readonly monitorSeen: readonly Timestamp[];
  readonly advice: Advice;
  /** Until all slots are taken; null: no clear trend. */
  readonly fullIn: Ms | null;
  /** The launch schedule; null: there is none. */
  readonly schedule: ScheduleView | null;
  readonly usage: UsageView;
}

/** What a snapshot is taken of. */
export interface Observed {
  readonly arbiter: Arbiter;
  readonly watch: Watch;
  readonly totals: Totals;
  readonly startedAt: Instant;
  readonly listeners: readonly Listener[];
  readonly demo: boolean;
  limitedBy(): ReturnType<typeof limitedBy>;
}

/** And who knows the rest of a status. */
export interface Reporting extends Observed {
  readonly hooks: DaemonHooks;
  readonly monitor: Monitor;
  readonly keeper: SlotKeeper;
}

const facts = (child: Child, daemon: Observed): ChildFacts => {
  const use = daemon.watch.use(child.pid);
  return { startedAt: child.startedAt, lastBeat: child.lastBeat, lastBeatAt: child.lastBeatAt, cpu: use?.cpu, rss: use?.rss };
};

/** The master as the world may see it now. */
export function masterSnapshot(daemon: Observed): Snapshot {
  const { arbiter, totals, watch } = daemon;
  const gathered: Facts = {
    at: systemClock.now(),
    wall: systemClock.wall(),
    version: version(),
    pid: process.pid,
    startedAt: daemon.startedAt,
    addresses: daemon.listeners.map((listener) => listener.address),
    demo: daemon.demo,
    children: new Map([...arbiter.children].map(([pid, child]) => [pid, facts(child, daemon)])),
    slots: arbiter.slots(),
    deaths: arbiter.deaths.counts,
    lastDeaths: arbiter.deaths.last,
    restarts: arbiter.deaths.restarts,
    counters: totals.counters(),
    latency: { p50: totals.latency.quantile(0.5), p95: totals.latency.quantile(0.95), p99: totals.latency.quantile(0.99) },
    recent: totals.recent(),
    machine: watch.machine(),
    limitedBy: daemon.limitedBy(),
  };
  return makeSnapshot(arbiter.state(), gathered);
}

/** What `drover status --json` prints. @param refusedRequests of the control socket. */
export function statusOf(daemon: Reporting, generations: Generations, refusedRequests: number): Status {
  const { arbiter, monitor } = daemon;
  const { log_file: target, cache_ttl: cacheTtl } = generations.settings();
  const snapshot = masterSnapshot(daemon);
  return {
    ...snapshot,
    alerts: monitor.alerts(),
    alertSinks: monitor.sinks(),
    alertTests: monitor.tests(),
    refusals: monitor.refusals(),
    monitorRequests: monitor.monitorRequests(),
    monitorSeen: monitor.monitorSeen(),
    advice: monitor.advice(snapshot),
    fullIn: monitor.fullIn(),
    schedule: daemon.keeper.schedule(),
    usage: daemon.keeper.usage(),
    data: dataSource(generations.plan(arbiter.state().generation)),
    urls: daemon.listeners.map((listener) => listener.url),
    log: "file" in target ? target.file : "-",
    cacheTtl,
    refusedReload: generations.refusal ?? null,
    refusedRequests,
    hooks: daemon.hooks.view(),
  };
}
