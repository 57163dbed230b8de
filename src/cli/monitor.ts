/** The master's eye on itself: figures, alerts and where they go, advice, and the text of /metrics. */
import { hostname } from "node:os";
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Measured } from "../base/measured.ts";
import type { Ms, Timestamp } from "../base/units.ts";
import { advise, type Advice } from "../admin/advice/advice.ts";
import { createAlerts, type Alerts } from "../admin/alerts/alerts.ts";
import { noticeJson, noticeText } from "../admin/alerts/body.ts";
import { createCommandSink } from "../admin/alerts/command.ts";
import { createCourier } from "../admin/alerts/courier.ts";
import { post } from "../admin/alerts/post.ts";
import type { AlertTest, AlertView, Delivered, DeliveryResult, Notice, Sink } from "../admin/alerts/view.ts";
import { renderMetrics } from "../admin/metrics/render.ts";
import { refusalsOf } from "../admin/refusals.ts";
import { Sightings } from "../admin/sightings.ts";
import type { Measures } from "../master/shell/measures.ts";
import type { Snapshot } from "../master/snapshot.ts";
import type { Settings } from "../settings/table.ts";
import type { SlotKeeper } from "./slots/keeper.ts";
import { version } from "./version.ts";

export interface Monitor {
  /** Judges once; call it every few seconds. */
  look(): void;
  /** Goes on with deliveries; call it every second. */
  tick(): void;
  alerts(): readonly AlertView[];
  advice(snapshot: Snapshot): Advice;
  /** Until all slots are taken; null: no clear trend. */
  fullIn(): Ms | null;
  /** The text of /metrics. */
  metrics(): string;
  /** Sends a test to every sink that is set. @returns their names. */
  test(): readonly Sink[];
  /** @returns false when no such alert fires. */
  ack(name: string): boolean;
  /** Where alerts go. */
  sinks(): readonly Sink[];
  /** The last test of each sink. */
  tests(): readonly AlertTest[];
  /** Deliberate refusals by reason, since the daemon started. */
  refusals(): Readonly<Record<string, number>>;
  /** An external monitor asked for the health on the administration's own address. */
  monitored(): void;
  /** Requests of external monitors, and when the last ones came. */
  monitorRequests(): number;
  monitorSeen(): readonly Timestamp[];
  close(): void;
}

export interface MonitorParts {
  readonly log: Logger;
  readonly measures: Measures;
  snapshot(): Snapshot;
  settings(): Settings;
  refusedReload(): string | null;
  readonly keeper: Pick<SlotKeeper, "schedule" | "usage">;
}

export function createMonitor(parts: MonitorParts): Monitor {
  const { settings } = parts;
  const measured = (): Measured => parts.measures.read(settings().journal_size);
  const sinks = createSinks(parts);
  const alerts = createAlerts({ clock: systemClock, thresholds: settings, tell: (notice) => sinks.tell(notice) });
  const sightings = new Sightings();
  let ownRequests = 0;
  const adviceFor = (snapshot: Snapshot): Advice => {
    const { worker_connections: connections, cache_ttl: ttl, reads_per_minute: readsPerMinute, journal_size: journalSize } = settings();
    return advise({ snapshot, journalSize, fullIn: alerts.fullIn(), connections, ttl, readsPerMinute, cores: CORES });
  };
  return {
    look() {
      const { refusedReload, keeper } = parts;
      const now = measured();
      const slots = { schedule: keeper.schedule(), above80: keeper.usage().timeAbove80pct["1d"] };
      alerts.look({ snapshot: parts.snapshot(), measured: now, refusedReload: refusedReload(), ...slots });
      sightings.look((now.counts["asked.monitor"] ?? 0) + ownRequests, systemClock.wall());
    },
    tick: () => sinks.tick(),
    alerts: () => alerts.firing(),
    advice: (snapshot) => adviceFor(snapshot),
    fullIn: () => alerts.fullIn(),
    metrics: () => metricsText(parts.snapshot(), measured(), { alerts, sinks, adviceFor, keeper: parts.keeper }),
    test() {
      sinks.tell(alerts.test());
      return sinks.set();
    },
    ack: (name) => alerts.ack(name),
    sinks: () => sinks.set(),
    tests: () => sinks.tests(),
    refusals: () => refusalsOf(parts.measures.counts()),
    monitored: () => void (ownRequests += 1),
    monitorRequests: () => sightings.total,
    monitorSeen: () => sightings.times(),
    close: () => sinks.close(),
  };
}

const CORES = navigator.hardwareConcurrency;

interface Sources {
  readonly alerts: Alerts;
  readonly sinks: Sinks;
  adviceFor(snapshot: Snapshot): Advice;
  readonly keeper: MonitorParts["keeper"];
}

function metricsText(snapshot: Snapshot, measured: Measured, { alerts, sinks, adviceFor, keeper }: Sources): string {
  return renderMetrics({
    snapshot,
    measured,
    node: process.versions.node,
    limit: adviceFor(snapshot).limit,
    fullIn: alerts.fullIn(),
    above80: keeper.usage().timeAbove80pct,
    schedule: keeper.schedule(),
    alerts: alerts.firing(),
    raised: alerts.raised(),
    delivered: sinks.delivered(),
  });
}

interface Sinks {
  tell(notice: Notice): void;
  tick(): void;
  set(): readonly Sink[];
  delivered(): readonly Delivered[];
  tests(): readonly AlertTest[];
  close(): void;
}

function createSinks({ log, settings }: MonitorParts): Sinks {
  const counts = new Map<string, Delivered>();
  const count = (sink: Sink, result: DeliveryResult): void => {
    const n = (counts.get(`${sink} ${result}`)?.n ?? 0) + 1;
    counts.set(`${sink} ${result}`, { sink, result, n });
  };
  const tests = new Map<Sink, AlertTest>();
  const body = (notice: Notice): string => noticeJson(notice, { host: hostname(), version: version(), runbook: settings().alert_runbook });
  const done =
    (sink: Sink) =>
    (notice: Notice, result: DeliveryResult, why: string): void => {
      count(sink, result);
      if (notice.event === "test") tests.set(sink, { sink, at: systemClock.wall(), result, why });
      const fields = { sink, alert: notice.alert, delivery: notice.id, why };
      if (result === "ok") log.debug(fields, `the ${sink} has taken alert ${notice.id}`);
      else
        log.warn(
          fields,
          `the ${sink} has not taken alert ${notice.id} (${notice.alert}): ${why}${result === "lost" ? "" : "; it is tried again"}`,
        );
    };
  const target = () => {
    const { alert_webhook: url, alert_webhook_secret: secret } = settings();
    return url === undefined ? undefined : { url, secret };
  };
  const program = () => {
    const { alert_command: file, alert_command_timeout: timeout } = settings();
    return file === undefined ? undefined : { file, timeout };
  };
  const courier = createCourier({ clock: systemClock, post, target, body, done: done("webhook") });
  const command = createCommandSink({ command: program, body, done: done("command") });
  return {
    tell(notice) {
      sayAlert(log, notice);
      count("log", "ok");
      courier.post(notice);
      command.run(notice);
    },
    tick: () => courier.look(),
    set: () => ["log", ...(target() === undefined ? [] : ["webhook" as const]), ...(program() === undefined ? [] : ["command" as const])],
    delivered: () => [...counts.values()],
    tests: () => [...tests.values()],
    close: () => command.close(),
  };
}

function sayAlert(log: Logger, notice: Notice): void {
  const { id, alert, event, level, value, threshold } = notice;
  const grave = event === "raised" || event === "escalated";
  const say = grave ? (level === "warning" ? "warn" : "error") : "info";
  log[say]({ alert, event, alert_level: level, value, threshold, delivery: id }, noticeText(notice));
}
