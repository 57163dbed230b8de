/** The text of /metrics: a pure function of what the master knows. Nobody is asked for it, so nobody who hangs delays it. */
import type { MasterState } from "../../master/snapshot.ts";
import { effectiveMax, SHORTAGES } from "../../base/slots.ts";
import { LIMITS } from "../advice/advice.ts";
import type { Lines, MetricsInput } from "./lines.ts";
import { PLACE_LINES } from "./places.ts";
import { NODE_LINES, PROCESS_LINES } from "./processes.ts";
import { REQUEST_LINES, UPSTREAM_LINES, WRITE_LINES } from "./service.ts";
import { METRICS, type MetricName } from "./table.ts";
import { labelsOf, labelText, line, oneOf } from "./text.ts";

const STATES = labelsOf("state", ["starting", "running", "reloading", "stopping", "stopped"] as const satisfies readonly MasterState[]);
const NEAREST = labelsOf("limit", LIMITS);

const SLOT_LINES = {
  drover_slots_used: ({ snapshot: { slots } }, name) => line(name, slots?.used),
  drover_slots_limit: ({ snapshot: { slots } }, name) => line(name, slots?.max),
  drover_slots_effective_limit: ({ snapshot: { slots } }, name) => line(name, slots === null ? null : effectiveMax(slots)),
  drover_slots_full_in_seconds: ({ snapshot: { slots }, fullIn }, name) =>
    line(name, slots === null || fullIn === null ? null : fullIn / 1_000),
  drover_slots_time_above_80pct_seconds: ({ snapshot: { slots }, above80 }, name) =>
    slots === null
      ? ""
      : Object.entries(above80)
          .map(([window, span]) => line(name, Math.round(span / 1_000), labelText({ window })))
          .join(""),
  drover_slots_closed: ({ snapshot: { slots } }, name) =>
    slots === null ? "" : SHORTAGES.map((why) => line(name, slots.closed === why ? 1 : 0, labelText({ why }))).join(""),
  drover_slots_schedule_blocked: ({ schedule }, name) => line(name, schedule === null ? null : Number(schedule.state === "blocked")),
} satisfies Record<string, Lines>;

const MACHINE_LINES = {
  drover_machine_cpu_ratio: ({ snapshot: { machine } }, name) => line(name, machine?.cpu),
  drover_machine_memory_used_bytes: ({ snapshot: { machine } }, name) => line(name, machine?.ramUsed),
  drover_machine_memory_limit_bytes: ({ snapshot: { machine } }, name) => line(name, machine?.ramTotal),
  drover_disk_size_bytes: ({ measured: { disks } }, name) =>
    disks.map(({ directory, size }) => line(name, size, labelText({ directory }))).join(""),
  drover_disk_free_bytes: ({ measured: { disks } }, name) =>
    disks.map(({ directory, free }) => line(name, free, labelText({ directory }))).join(""),
} satisfies Record<string, Lines>;

const DAEMON_LINES = {
  drover_info: ({ snapshot: { version } }, name) => line(name, 1, labelText({ version })),
  drover_uptime_seconds: ({ snapshot }, name) => line(name, Math.round(snapshot.uptime) / 1_000),
  drover_state: ({ snapshot }, name) => oneOf(name, STATES, snapshot.state),
  drover_limited_by: ({ limit }, name) => oneOf(name, NEAREST, limit),
  drover_alerts_firing: ({ alerts }, name) => alerts.map(({ name: alert, level }) => line(name, 1, labelText({ alert, level }))).join(""),
  drover_alerts_total: ({ raised }, name) =>
    Object.entries(raised)
      .map(([alert, n]) => line(name, n, labelText({ alert })))
      .join(""),
  drover_alert_deliveries_total: ({ delivered }, name) =>
    delivered.map(({ sink, result, n }) => line(name, n, labelText({ sink, result }))).join(""),
} satisfies Record<string, Lines>;

/** Every metric's lines: the table has none that nobody writes. */
const LINES: Readonly<Record<MetricName, Lines>> = {
  ...REQUEST_LINES,
  ...PLACE_LINES,
  ...SLOT_LINES,
  ...UPSTREAM_LINES,
  ...WRITE_LINES,
  ...MACHINE_LINES,
  ...DAEMON_LINES,
  ...PROCESS_LINES,
  ...NODE_LINES,
};

const WRITERS = METRICS.map(({ name, help, type }) => ({
  head: `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`,
  name,
  lines: LINES[name],
}));

/** Lines of one metric together, under its help and type; metrics without a line are left out. */
export function renderMetrics(input: MetricsInput): string {
  let text = "";
  for (const { name, head, lines } of WRITERS) {
    const own = lines(input, name);
    if (own !== "") text += head + own;
  }
  return text;
}
