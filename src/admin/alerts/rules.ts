/** The rules, from the settings. docs/operations.md says what to do about each. */
import { minutes, ms, seconds, type Ms } from "../../base/units.ts";
import type { Settings } from "../../settings/table.ts";
import type { AlertName, Band, Level, Rule } from "./model.ts";

export type Thresholds = Pick<
  Settings,
  | "alert_threshold"
  | "alert_urgent"
  | "alert_latency"
  | "alert_latency_for"
  | "alert_cpu"
  | "alert_ram"
  | "alert_quota"
  | "alert_restarts"
  | "alert_disk"
  | "alert_slots_time"
  | "alert_errors"
  | "alert_refusals"
  | "alert_worker_memory"
>;

/** How far back what counts as an edge is looked for. */
export const WINDOWS = {
  restarts: minutes(5),
  limited: minutes(5),
  parked: minutes(10),
  answers: minutes(1),
  errors: minutes(1),
  refusals: minutes(1),
} as const;

/** Memory from which on the machine begins to fail, whatever the warning is set to. */
const RAM_CRITICAL = 95;
/** Errors are critical from this many times their warning on. */
const GRAVER = 5;
const CALM = seconds(30);
const POINTS = 5;

const band = (level: Level, from: number): Band => ({ level, from });

interface Shape {
  readonly for?: Ms;
  readonly clearance?: number;
  readonly calm?: Ms;
}

const rule = (name: AlertName, bands: readonly Band[], shape: Shape = {}): Rule => ({
  name,
  bands: rising(bands),
  for: shape.for ?? ms(0),
  clearance: shape.clearance ?? 0,
  calm: shape.calm ?? CALM,
});

/** Of bands that begin at the same value the gravest counts. */
const rising = (bands: readonly Band[]): readonly Band[] =>
  bands.filter((one, i) => bands.slice(i + 1).every(({ from }) => from > one.from));

/** A state that is there (1) or not. */
const holds = (name: AlertName, level: Level, after: Ms): Rule => rule(name, [band(level, 1)], { for: after });

export function rulesOf(settings: Thresholds): readonly Rule[] {
  const worker = settings.alert_worker_memory;
  const { alert_threshold: warn, alert_urgent: urgent, alert_latency: p95, alert_ram: ram, alert_disk: disk } = settings;
  return [
    rule("capacity", [band("warning", warn), band("urgent", urgent), band("critical", 100)], { clearance: POINTS }),
    rule("latency", [band("warning", p95)], { for: settings.alert_latency_for, clearance: p95 / 10 }),
    rule("cpu", [band("warning", settings.alert_cpu)], { for: minutes(1), clearance: POINTS }),
    rule("memory", [band("warning", ram), band("critical", Math.max(ram, RAM_CRITICAL))], { for: seconds(30), clearance: POINTS }),
    rule("restarts", [band("warning", settings.alert_restarts + 1)]),
    rule("workers", [band("warning", 1), band("critical", 100)], { for: seconds(30) }),
    holds("broker", "urgent", seconds(30)),
    rule("quota", [band("warning", settings.alert_quota)], { for: minutes(1), clearance: POINTS }),
    rule("rate-limited", [band("warning", 1)]),
    holds("session-store", "urgent", seconds(10)),
    holds("other-writer", "warning", seconds(10)),
    holds("google", "urgent", minutes(1)),
    holds("credentials", "critical", ms(0)),
    rule("tables", [band("warning", 1), band("critical", 2)], { for: minutes(1) }),
    rule("parked", [band("warning", 1)]),
    rule("backlog", [band("warning", 300), band("urgent", 1_800)], { clearance: 60 }),
    rule("journal", [band("warning", 80), band("critical", 95)], { clearance: POINTS }),
    rule("table-size", [band("warning", 80), band("urgent", 95)], { clearance: POINTS }),
    rule("disk", [band("warning", disk), band("critical", disk + (100 - disk) / 2)], { clearance: 1 }),
    holds("reload", "warning", ms(0)),
    holds("slot-schedule", "warning", ms(0)),
    rule("time_above_80pct", [band("warning", settings.alert_slots_time / 1_000)], { clearance: 60 }),
    share("errors", [band("warning", settings.alert_errors), band("critical", Math.min(100, settings.alert_errors * GRAVER))]),
    share("refusals", [band("warning", settings.alert_refusals)]),
    rule("worker-memory", worker === 0 ? [] : [band("warning", worker / MEBIBYTE)], { for: minutes(5), clearance: worker / MEBIBYTE / 20 }),
  ];
}

const MEBIBYTE = 1_048_576;

/** A share of the last minute's answers, in 3 such minutes in a row. */
const share = (name: AlertName, bands: readonly Band[]): Rule =>
  rule(name, bands, { for: minutes(3), clearance: (bands[0]?.from ?? 0) / 5 });
