import { systemClock } from "../base/clock.ts";
import { snapshotOf as makeSnapshot, type ChildFacts, type Facts, type Snapshot } from "../master/snapshot.ts";
import type { Child } from "../master/shell/children.ts";
import type { Daemon } from "./daemon.ts";
import { dataSource } from "./greeting.ts";
import type { Generations } from "./generations.ts";
import { version } from "./version.ts";

/** What `drover status --json` prints: the master's snapshot, and where the data comes from. */
export interface Status extends Snapshot {
  readonly data: string;
  readonly urls: readonly string[];
  readonly log: string;
  /** Why the last reload was refused before anything rolled: a wrong setting. */
  readonly refusedReload: string | null;
}

const facts = (child: Child, daemon: Daemon): ChildFacts => {
  const use = daemon.watch.use(child.pid);
  return { startedAt: child.startedAt, lastBeat: child.lastBeat, lastBeatAt: child.lastBeatAt, cpu: use?.cpu, rss: use?.rss };
};

export function statusOf(daemon: Daemon, generations: Generations): Status {
  const { arbiter, totals, watch } = daemon;
  const limit = daemon.limitedBy();
  const gathered: Facts = {
    at: systemClock.now(),
    wall: systemClock.wall(),
    version: version(),
    pid: process.pid,
    startedAt: daemon.startedAt,
    addresses: daemon.listeners.map((listener) => listener.address),
    demo: daemon.demo,
    children: new Map([...arbiter.children].map(([pid, child]) => [pid, facts(child, daemon)])),
    deaths: arbiter.deaths.counts,
    lastDeaths: arbiter.deaths.last,
    counters: totals.counters(),
    latency: { p50: totals.latency.quantile(0.5), p95: totals.latency.quantile(0.95), p99: totals.latency.quantile(0.99) },
    machine: watch.machine(),
    limitedBy: limit === "none" ? [] : [limit],
  };
  const { log_file: target } = generations.settings();
  return {
    ...makeSnapshot(arbiter.state(), gathered),
    data: dataSource(generations.plan(arbiter.state().generation)),
    urls: daemon.listeners.map((listener) => listener.url),
    log: "file" in target ? target.file : "-",
    refusedReload: generations.refusal ?? null,
  };
}
