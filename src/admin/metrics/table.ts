/** Every metric, once: what is written, docs/METRICS.md, and the tests of the dashboard and the alert rules follow from it. */

export type MetricType = "counter" | "gauge" | "histogram" | "untyped";

export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  /** One sentence, without a full stop. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Since which figure or in which case it is there, where that is not always. */
  readonly when?: string;
}

const PLACE = ["role", "slot"] as const;

/** The names that dashboards for Node.js expect: those of prom-client. */
const PROCESS = [
  {
    name: "process_cpu_user_seconds_total",
    type: "counter",
    help: "User CPU time spent, of ended processes of the place too",
    labels: PLACE,
  },
  {
    name: "process_cpu_system_seconds_total",
    type: "counter",
    help: "System CPU time spent, of ended processes of the place too",
    labels: PLACE,
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "User and system CPU time spent, of ended processes of the place too",
    labels: PLACE,
  },
  { name: "process_start_time_seconds", type: "gauge", help: "Start of the process since the Unix epoch", labels: PLACE },
  { name: "process_resident_memory_bytes", type: "gauge", help: "Resident memory", labels: PLACE },
  { name: "process_virtual_memory_bytes", type: "gauge", help: "Virtual memory", labels: PLACE },
  { name: "process_heap_bytes", type: "gauge", help: "Data segment", labels: PLACE },
  { name: "process_open_fds", type: "gauge", help: "Open file descriptors", labels: PLACE },
  { name: "process_max_fds", type: "gauge", help: "File descriptors that a process may open", labels: [], when: "there is a limit" },
] as const satisfies readonly Metric[];

const lag = <const N extends string>(name: N, what: string) =>
  ({ name, type: "gauge", help: `${what} of the event loop over the last half to whole minute`, labels: PLACE }) as const;
const space = <const N extends string>(name: N, what: string) =>
  ({ name, type: "gauge", help: `${what} of a V8 heap space`, labels: [...PLACE, "space"] }) as const;

const NODE = [
  lag("nodejs_eventloop_lag_seconds", "Mean lag"),
  lag("nodejs_eventloop_lag_min_seconds", "Least lag"),
  lag("nodejs_eventloop_lag_max_seconds", "Greatest lag"),
  lag("nodejs_eventloop_lag_mean_seconds", "Mean lag"),
  lag("nodejs_eventloop_lag_stddev_seconds", "Standard deviation of the lag"),
  lag("nodejs_eventloop_lag_p50_seconds", "Median lag"),
  lag("nodejs_eventloop_lag_p90_seconds", "90th percentile of the lag"),
  lag("nodejs_eventloop_lag_p99_seconds", "99th percentile of the lag"),
  { name: "nodejs_heap_size_total_bytes", type: "gauge", help: "Size of the V8 heap", labels: PLACE },
  { name: "nodejs_heap_size_used_bytes", type: "gauge", help: "Used part of the V8 heap", labels: PLACE },
  {
    name: "nodejs_external_memory_bytes",
    type: "gauge",
    help: "Memory of C++ objects that JavaScript holds, buffers included",
    labels: PLACE,
  },
  space("nodejs_heap_space_size_total_bytes", "Size"),
  space("nodejs_heap_space_size_used_bytes", "Used part"),
  space("nodejs_heap_space_size_available_bytes", "Free part"),
  { name: "nodejs_active_resources", type: "gauge", help: "What keeps the event loop alive, by kind", labels: [...PLACE, "type"] },
  // A name of prom-client's that breaks Prometheus' own rule: no gauge ends in _total. Untyped, it breaks none.
  { name: "nodejs_active_resources_total", type: "untyped", help: "What keeps the event loop alive, all kinds", labels: PLACE },
  { name: "nodejs_active_handles_total", type: "untyped", help: "The same: Node.js no longer tells handles apart", labels: PLACE },
  { name: "nodejs_gc_duration_seconds", type: "histogram", help: "Pauses for garbage collection", labels: ["role", "kind"] },
  { name: "nodejs_version_info", type: "gauge", help: "Version of Node.js", labels: ["version", "major", "minor", "patch"] },
] as const satisfies readonly Metric[];

const REQUESTS = [
  { name: "http_request_duration_seconds", type: "histogram", help: "Time from a request's head to the end of its answer", labels: [] },
  { name: "drover_http_responses_total", type: "counter", help: "Answers by class of their status", labels: ["code"] },
  {
    name: "drover_http_failures_total",
    type: "counter",
    help: "Answers with a status from 500 on: errors, and deliberate refusals",
    labels: ["cause"],
  },
  { name: "drover_http_requests_total", type: "counter", help: "Answered requests by what they want", labels: ["class"] },
  { name: "drover_http_refused_total", type: "counter", help: "Deliberate refusals by X-Drover-Refused", labels: ["reason"] },
  {
    name: "drover_http_timeouts_total",
    type: "counter",
    help: "Requests that were not answered within DROVER_REQUEST_TIMEOUT",
    labels: [],
  },
  { name: "drover_connections_accepted_total", type: "counter", help: "Connections accepted", labels: [] },
  { name: "drover_queue_wait_seconds", type: "histogram", help: "Waits for a place at the gate; 0 without a wait", labels: [] },
  {
    name: "drover_cache_requests_total",
    type: "counter",
    help: "Reads by X-Cache: miss waited for Google, hit did not",
    labels: ["result"],
  },
  { name: "drover_cache_prepared_total", type: "counter", help: "Reads whose answer stood ready as bytes in the worker", labels: [] },
] as const satisfies readonly Metric[];

const WORKERS = [
  { name: "drover_workers", type: "gauge", help: "Places of workers by state", labels: ["state"] },
  { name: "drover_workers_wanted", type: "gauge", help: "Workers there should be", labels: [] },
  { name: "drover_restarts_total", type: "counter", help: "Processes that ended, by the name of their end", labels: ["reason"] },
  {
    name: "drover_unexpected_restarts_total",
    type: "counter",
    help: "Ends of a place's processes that nobody had asked for",
    labels: PLACE,
  },
  { name: "drover_process_up", type: "gauge", help: "1 when the place's process is ready", labels: PLACE },
  {
    name: "drover_report_age_seconds",
    type: "gauge",
    help: "Age of the last beat: what a process tells of itself is so old",
    labels: PLACE,
  },
  { name: "drover_event_loop_utilization_ratio", type: "gauge", help: "Share of time in which the event loop was busy", labels: PLACE },
  { name: "drover_worker_connections", type: "gauge", help: "Open connections", labels: ["slot"] },
  { name: "drover_worker_requests_in_flight", type: "gauge", help: "Requests that are being answered", labels: ["slot"] },
  { name: "drover_worker_full", type: "gauge", help: "1 while the connection cap keeps it from accepting", labels: ["slot"] },
  { name: "drover_generation", type: "gauge", help: "Current generation: one more with each reload", labels: [] },
  { name: "drover_reload_in_progress", type: "gauge", help: "1 while a generation rolls", labels: [] },
  { name: "drover_reload_failed", type: "gauge", help: "1 when the last reload was rolled back", labels: [] },
] as const satisfies readonly Metric[];

const SLOTS = [
  { name: "drover_slots_used", type: "gauge", help: "Slots that people hold", labels: [], when: "people log in" },
  { name: "drover_slots_limit", type: "gauge", help: "Slots there are (DROVER_MAX_SLOTS)", labels: [], when: "people log in" },
  {
    name: "drover_slots_effective_limit",
    type: "gauge",
    help: "Slots that count now: those taken while new sessions are refused (DROVER_SLOT_GUARD), else the limit",
    labels: [],
    when: "people log in",
  },
  {
    name: "drover_slots_full_in_seconds",
    type: "gauge",
    help: "Until all slots are taken if the trend goes on",
    labels: [],
    when: "the trend is upward and clear",
  },
  {
    name: "drover_slots_time_above_80pct_seconds",
    type: "gauge",
    help: "How long at least 80 % of the slots were taken within the window (1d, 7d); it survives restarts",
    labels: ["window"],
    when: "people log in",
  },
  {
    name: "drover_slots_closed",
    type: "gauge",
    help: "1 while new sessions are refused for want of this (DROVER_SLOT_GUARD)",
    labels: ["why"],
    when: "people log in",
  },
  {
    name: "drover_slots_schedule_blocked",
    type: "gauge",
    help: "1 while a guard keeps the launch schedule from its next step",
    labels: [],
    when: "DROVER_SLOT_SCHEDULE is set",
  },
] as const satisfies readonly Metric[];

const UPSTREAM_WHEN = "there are tables";
const UPSTREAM = [
  { name: "drover_upstream_state", type: "gauge", help: "1 for the state Google is in", labels: ["state"], when: UPSTREAM_WHEN },
  { name: "drover_upstream_calls_total", type: "counter", help: "Calls to Google", labels: ["pool", "outcome"], when: UPSTREAM_WHEN },
  {
    name: "drover_upstream_call_duration_seconds",
    type: "histogram",
    help: "Duration of calls to Google",
    labels: [],
    when: UPSTREAM_WHEN,
  },
  {
    name: "drover_upstream_quota_limit",
    type: "gauge",
    help: "Calls that drover makes in a minute at most",
    labels: ["pool"],
    when: UPSTREAM_WHEN,
  },
  { name: "drover_upstream_quota_remaining", type: "gauge", help: "Calls left of this minute's", labels: ["pool"], when: UPSTREAM_WHEN },
  {
    name: "drover_upstream_locked_seconds",
    type: "gauge",
    help: "Until a lock-out by Google (429) ends; 0: none",
    labels: ["pool"],
    when: UPSTREAM_WHEN,
  },
  { name: "drover_table_rows", type: "gauge", help: "Rows of a table", labels: ["table"], when: "of the first 100 tables" },
  {
    name: "drover_table_age_seconds",
    type: "gauge",
    help: "Since a table was last compared with the sheet",
    labels: ["table"],
    when: "of the first 100 tables",
  },
  {
    name: "drover_table_warnings",
    type: "gauge",
    help: "What is wrong with a table's rows",
    labels: ["table"],
    when: "of the first 100 tables",
  },
] as const satisfies readonly Metric[];

const WRITES_WHEN = "a table may be written to";
const WRITES = [
  { name: "drover_journal_entries", type: "gauge", help: "Accepted writes that are not in the sheet yet", labels: [], when: WRITES_WHEN },
  { name: "drover_journal_bytes", type: "gauge", help: "Their size", labels: [], when: WRITES_WHEN },
  {
    name: "drover_journal_limit_bytes",
    type: "gauge",
    help: "Size from which on writes are refused (DROVER_JOURNAL_SIZE)",
    labels: [],
    when: WRITES_WHEN,
  },
  {
    name: "drover_journal_oldest_seconds",
    type: "gauge",
    help: "Age of the oldest of them; 0: there is none",
    labels: [],
    when: WRITES_WHEN,
  },
  { name: "drover_writes_landed_total", type: "counter", help: "Writes in the sheet, ever", labels: [], when: WRITES_WHEN },
  { name: "drover_writes_parked_total", type: "counter", help: "Writes that the sheet never took, ever", labels: [], when: WRITES_WHEN },
  {
    name: "drover_writes_set_aside",
    type: "gauge",
    help: "Writes that the sheet did not take and that nobody has tried again or discarded",
    labels: [],
    when: WRITES_WHEN,
  },
  {
    name: "drover_time_to_sheet_seconds",
    type: "histogram",
    help: "From a write's acceptance to the sheet",
    labels: [],
    when: WRITES_WHEN,
  },
] as const satisfies readonly Metric[];

const MACHINE = [
  { name: "drover_machine_cpu_ratio", type: "gauge", help: "CPU in use, of all cores", labels: [] },
  { name: "drover_machine_memory_used_bytes", type: "gauge", help: "Memory in use, of the machine or of the cgroup", labels: [] },
  { name: "drover_machine_memory_limit_bytes", type: "gauge", help: "Memory there is, of the machine or of the cgroup", labels: [] },
  { name: "drover_disk_size_bytes", type: "gauge", help: "Size of a file system that drover writes to", labels: ["directory"] },
  { name: "drover_disk_free_bytes", type: "gauge", help: "What drover may still write there", labels: ["directory"] },
] as const satisfies readonly Metric[];

const DAEMON = [
  { name: "drover_info", type: "gauge", help: "Version of drover", labels: ["version"] },
  { name: "drover_uptime_seconds", type: "gauge", help: "Since the daemon started", labels: [] },
  { name: "drover_state", type: "gauge", help: "1 for the state the daemon is in", labels: ["state"] },
  { name: "drover_limited_by", type: "gauge", help: "1 for the nearest limit", labels: ["limit"] },
  { name: "drover_alerts_firing", type: "gauge", help: "1 for every alert that fires", labels: ["alert", "level"] },
  { name: "drover_alerts_total", type: "counter", help: "How often an alert was raised", labels: ["alert"] },
  { name: "drover_alert_deliveries_total", type: "counter", help: "Alerts handed to a sink", labels: ["sink", "result"] },
] as const satisfies readonly Metric[];

export const METRIC_GROUPS = [
  { title: "Requests", metrics: REQUESTS },
  { title: "Workers and other processes", metrics: WORKERS },
  { title: "Slots", metrics: SLOTS },
  { title: "Google", metrics: UPSTREAM },
  { title: "Writes", metrics: WRITES },
  { title: "Machine", metrics: MACHINE },
  { title: "Daemon and alerts", metrics: DAEMON },
  { title: "Each process, by the names of prom-client", metrics: PROCESS },
  { title: "Each process's Node.js, by the names of prom-client", metrics: NODE },
] as const satisfies readonly { title: string; metrics: readonly Metric[] }[];

export type MetricName = (typeof METRIC_GROUPS)[number]["metrics"][number]["name"];
/** In the order in which they are written. */
export const METRICS: readonly (Metric & { readonly name: MetricName })[] = METRIC_GROUPS.flatMap(({ metrics }) => [...metrics]);
