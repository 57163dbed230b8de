/** `GET /api/admin/stats`: all that the dashboard shows, in one answer that stays small: it is asked for every five seconds. */
import { CLASS_COUNTERS, REQUEST_CLASSES } from "../../base/requestclass.ts";
import type { Advice } from "../advice/advice.ts";
import { openConnections } from "../advice/machine.ts";
import type { Said } from "../said.ts";
import type { ChildView, PlaceView } from "../../master/snapshot.ts";
import type { TimelineEvent } from "../timeline.ts";
import type { AdminSnapshot } from "../source.ts";
import type { ScheduleView, UsageView } from "../slots/view.ts";
import { limitedBy, perClass } from "./capacity.ts";

export interface StatsFacts {
  readonly snapshot: AdminSnapshot;
  readonly capacity: object;
  readonly events: readonly TimelineEvent[];
  readonly mostWorkers: number;
  /** Of the machine that `machine.cpu` is a share of. */
  readonly cpus: number;
  /** Of the last minute, 0 to 1; null: there was no answer. */
  readonly errorRate: number | null;
}

const round = (value: number | null | undefined, digits = 1): number | null =>
  value === null || value === undefined ? null : Number(value.toFixed(digits));
const MOST_TABLES = 30;

export function statsView({ snapshot: s, capacity, events, mostWorkers, cpus, errorRate }: StatsFacts): object {
  const { counters: c } = s;
  return {
    success: true,
    at: new Date(s.at).toISOString(),
    version: s.version,
    pid: s.pid,
    state: s.state,
    status: s.health.status,
    demo: s.demo,
    data: s.data,
    urls: s.urls,
    uptime_s: Math.round(s.uptime / 1_000),
    generation: s.generation,
    roll: s.roll === null ? null : { generation: s.roll.generation, step: s.roll.step, left: s.roll.left.length, total: s.roll.total },
    last_roll: s.lastRoll,
    refused_reload: s.refusedReload,
    workers: { ...s.workers, most: mostWorkers },
    capacity,
    schedule: s.schedule === null ? null : scheduleOf(s.schedule),
    usage: usageOf(s.usage),
    limited_by: limitedBy(s),
    advice: adviceView(s.advice),
    requests: {
      per_second: round(s.recent.perSecond),
      p50_ms: round(s.recent.p50, 2),
      p95_ms: round(s.recent.p95, 2),
      total: c.served,
      errors: c.status5xx - c.refused5xx,
      error_rate: errorRate,
      status_4xx: c.status4xx,
      status_5xx: c.status5xx,
      refused: c.refused,
      timeouts: c.timeouts,
    },
    connections: openConnections(s.places),
    latency_total_ms: { p50: round(s.latency.p50, 2), p95: round(s.latency.p95, 2), p99: round(s.latency.p99, 2) },
    machine:
      s.machine === null
        ? null
        : {
            cpus,
            cpu: round(s.machine.cpu, 3),
            own_cpu: round(s.machine.ownCpu ?? null, 3),
            ram: round(s.machine.ram, 3),
            ram_used: s.machine.ramUsed,
            ram_total: s.machine.ramTotal,
          },
    memory_short: s.memoryShort,
    cache: { hits: c.hits, stale: c.stale, misses: c.misses, prepared: c.prepared, ttl_ms: s.cacheTtl },
    upstream: s.upstream === null ? null : upstreamView(s),
    writes: s.upstream?.writes ?? null,
    classes: classes(s),
    deaths: s.deaths,
    places: s.places.map(placeView),
    alerts: s.alerts.map(({ name, level, text, said, since, acked }) => ({
      name,
      level,
      text,
      ...spoken(said),
      since: new Date(since).toISOString(),
      acknowledged: acked !== null,
    })),
    events,
  };
}

/** What another language is made of; the English text stands beside it already. */
const spoken = (words: Said | undefined): { readonly said?: Spoken } => (words === undefined ? {} : { said: spokenOf(words) });

type Spoken = readonly [form: string, ...figures: (string | number | Spoken)[]];
const spokenOf = ({ form, with: figures }: Said): Spoken => [
  form,
  ...figures.map((one) => (typeof one === "object" ? spokenOf(one) : one)),
];

const adviceView = ({ limit, share, reason, step, said }: Advice): object => ({
  limit,
  share,
  reason,
  step,
  ...(said === undefined ? {} : { said: { reason: spokenOf(said.reason), step: spokenOf(said.step) } }),
});

function scheduleOf({ state, day, step, steps, max, scheduled, next, text, said }: ScheduleView): object {
  return { state, day, step, steps, max, scheduled, next, text, ...spoken(said) };
}

function usageOf({ days, regular }: UsageView): object {
  const second = (millis: number): number => Math.round(millis / 1_000);
  return {
    days: days.map(({ day, comfort, above80, above90, peak, peakAt }) => ({
      day,
      above_comfort_s: second(comfort),
      above_80pct_s: second(above80),
      above_90pct_s: second(above90),
      peak,
      peak_hour: peakAt,
    })),
    regular:
      regular === null
        ? null
        : {
            above: regular.above,
            of: regular.of,
            days: regular.days,
            reason: regular.reason.text,
            step: regular.step.text,
            said: { reason: spokenOf(regular.reason), step: spokenOf(regular.step) },
          },
  };
}

function upstreamView({ upstream, counters, at }: AdminSnapshot): object | null {
  if (upstream === null) return null;
  const { state, message, quota, tables } = upstream;
  return {
    state,
    message,
    quota,
    calls: counters.upstreamCalls,
    errors: counters.upstreamErrors,
    tables: tables.slice(0, MOST_TABLES).map(({ name, rows, version, checkedAt, warnings, failure }) => ({
      name,
      rows,
      version,
      age_s: checkedAt === 0 ? null : Math.max(0, Math.round((at - checkedAt) / 1_000)),
      warnings,
      ...(failure === undefined ? {} : { failure: failure.slice(0, 200) }),
    })),
    more_tables: Math.max(0, tables.length - MOST_TABLES),
  };
}

function classes(snapshot: AdminSnapshot): object {
  const now = perClass(snapshot);
  return Object.fromEntries(
    REQUEST_CLASSES.map((kind) => {
      const [answered, refused] = CLASS_COUNTERS[kind];
      return [kind, { answered: snapshot.counters[answered], refused: snapshot.counters[refused], in_flight: now[kind] ?? 0 }];
    }),
  );
}

function placeView(place: PlaceView): object {
  const { id, role, slot, state, generation, restarts, crashes, retryIn, lastDeath, child, successor, leaving, closing } = place;
  return {
    id,
    role,
    slot,
    state,
    generation,
    restarts,
    crashes,
    ...(closing ? { closing } : {}),
    ...(retryIn === null ? {} : { retry_in_s: Math.ceil(retryIn / 1_000) }),
    ...(lastDeath === null
      ? {}
      : {
          last_death: {
            name: lastDeath.name,
            how: lastDeath.how.split("\n", 1)[0]?.slice(0, 160),
            at: new Date(lastDeath.at).toISOString(),
          },
        }),
    ...(child === null ? {} : childView(child)),
    ...(successor === null ? {} : { next: successor.state }),
    ...(leaving.length === 0 ? {} : { leaving: leaving.length }),
  };
}

const childView = (child: ChildView): object => ({
  pid: child.pid,
  uptime_s: child.uptime === null ? null : Math.round(child.uptime / 1_000),
  beat_ms: round(child.beatAge, 0),
  in_flight: child.inFlight,
  connections: child.connections,
  ...(child.full === true ? { full: true } : {}),
  served: child.served,
  elu: round(child.elu, 3),
  delay_p99_ms: round(child.delayP99 ?? child.delay),
  rss: child.rss,
  cpu: round(child.cpu, 3),
});
