/** The text of /metrics: a pure function of what the master knows. Nobody is asked for it, so nobody who hangs delays it. */
import type { Measured } from "../../base/measured.ts";
import type { Ms } from "../../base/units.ts";
import type { MasterState, Snapshot } from "../../master/snapshot.ts";
import type { Limit } from "../advice/advice.ts";
import { LIMITS } from "../advice/advice.ts";
import type { AlertView, Delivered } from "../alerts/view.ts";
import { processSamples, workerSamples } from "./processes.ts";
import { exposition, oneOf, sample, type Sample } from "./samples.ts";
import { requestSamples, upstreamSamples, writeSamples } from "./service.ts";

export interface MetricsInput {
  readonly snapshot: Snapshot;
  readonly measured: Measured;
  /** process.versions.node of the master; its children run the same. */
  readonly node: string;
  /** What binds next. */
  readonly limit: Limit;
  /** Until all slots are taken; null: no clear trend. */
  readonly fullIn: Ms | null;
  readonly alerts: readonly AlertView[];
  /** How often each alert was raised. */
  readonly raised: Readonly<Record<string, number>>;
  readonly delivered: readonly Delivered[];
}

const STATES = ["starting", "running", "reloading", "stopping", "stopped"] as const satisfies readonly MasterState[];

export function renderMetrics(input: MetricsInput): string {
  const { snapshot, measured, node } = input;
  return exposition([
    ...requestSamples(snapshot, measured),
    ...workerSamples(snapshot),
    ...slotSamples(input),
    ...upstreamSamples(snapshot, measured),
    ...writeSamples(snapshot, measured),
    ...machineSamples(input),
    ...daemonSamples(input),
    ...processSamples(measured, node),
  ]);
}

function slotSamples({ snapshot: { slots }, fullIn }: MetricsInput): readonly Sample[] {
  if (slots === null) return [];
  return [
    ...sample("drover_slots_used", slots.used),
    ...sample("drover_slots_limit", slots.max),
    ...sample("drover_slots_full_in_seconds", fullIn === null ? null : fullIn / 1_000),
  ];
}

function machineSamples({ snapshot: { machine }, measured: { disks } }: MetricsInput): readonly Sample[] {
  return [
    ...sample("drover_machine_cpu_ratio", machine?.cpu),
    ...sample("drover_machine_memory_used_bytes", machine?.ramUsed),
    ...sample("drover_machine_memory_limit_bytes", machine?.ramTotal),
    ...disks.flatMap(({ directory, size, free }) => [
      ...sample("drover_disk_size_bytes", size, { directory }),
      ...sample("drover_disk_free_bytes", free, { directory }),
    ]),
  ];
}

function daemonSamples({ snapshot, limit, alerts, raised, delivered }: MetricsInput): readonly Sample[] {
  return [
    ...sample("drover_info", 1, { version: snapshot.version }),
    ...sample("drover_uptime_seconds", Math.round(snapshot.uptime) / 1_000),
    ...oneOf("drover_state", "state", STATES, snapshot.state),
    ...oneOf("drover_limited_by", "limit", LIMITS, limit),
    ...alerts.flatMap(({ name, level }) => sample("drover_alerts_firing", 1, { alert: name, level })),
    ...Object.entries(raised).flatMap(([alert, n]) => sample("drover_alerts_total", n, { alert })),
    ...delivered.flatMap(({ sink, result, n }) => sample("drover_alert_deliveries_total", n, { sink, result })),
  ];
}
