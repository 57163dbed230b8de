import type { HeapSpace } from "../../base/figures.ts";
import type { Measured, ProcessMeasured } from "../../base/measured.ts";
import type { PlaceView, Snapshot } from "../../master/snapshot.ts";
import { histogram, PAUSE_BUCKETS, sample, type Labels, type Sample } from "./samples.ts";

const STATES = [
  "vacant",
  "waiting",
  "starting",
  "trial",
  "ready",
  "examined",
  "draining",
  "killed",
] as const satisfies readonly PlaceView["state"][];

/** Workers by state, restarts, and what each place's process last said of itself. */
export function workerSamples(snapshot: Snapshot): readonly Sample[] {
  const { places, workers, deaths, roll, lastRoll, generation } = snapshot;
  const ofWorkers = places.filter(({ role }) => role === "worker");
  return [
    ...STATES.flatMap((state) => sample("drover_workers", ofWorkers.filter((place) => place.state === state).length, { state })),
    ...sample("drover_workers_wanted", workers.target),
    ...Object.entries(deaths).flatMap(([reason, n]) => sample("drover_restarts_total", n, { reason })),
    ...places.flatMap(placeSamples),
    ...sample("drover_generation", generation),
    ...sample("drover_reload_in_progress", roll === null ? 0 : 1),
    ...sample("drover_reload_failed", roll === null && lastRoll?.is === "rolledBack" ? 1 : 0),
  ];
}

function placeSamples(place: PlaceView): readonly Sample[] {
  const { role, slot, child, state, restarts } = place;
  const at: Labels = { role, slot: String(slot) };
  const all = [
    ...sample("drover_unexpected_restarts_total", restarts, at),
    ...sample("drover_process_up", state === "ready" ? 1 : 0, at),
    ...sample("drover_report_age_seconds", child?.beatAge == null ? null : child.beatAge / 1_000, at),
    ...sample("drover_event_loop_utilization_ratio", child?.elu, at),
  ];
  if (role !== "worker") return all;
  const own: Labels = { slot: String(slot) };
  return [
    ...all,
    ...sample("drover_worker_connections", child?.connections, own),
    ...sample("drover_worker_requests_in_flight", child?.inFlight, own),
    ...sample("drover_worker_full", child?.full == null ? null : Number(child.full), own),
  ];
}

/** The names that dashboards for Node.js ask for. */
export function processSamples({ processes, pauses, mostFiles }: Measured, node: string): readonly Sample[] {
  const [major = "", minor = "", patch = ""] = node.replace(/^v/, "").split(".");
  return [
    ...processes.flatMap(oneProcess),
    ...sample("process_max_fds", mostFiles),
    ...pauses.flatMap(({ role, kind, times }) => histogram("nodejs_gc_duration_seconds", times, PAUSE_BUCKETS, { role, kind })),
    ...sample("nodejs_version_info", 1, { version: node, major, minor, patch }),
  ];
}

function oneProcess(one: ProcessMeasured): readonly Sample[] {
  const at: Labels = { role: one.role, slot: String(one.slot) };
  return [
    ...sample("process_cpu_user_seconds_total", one.cpuUser, at),
    ...sample("process_cpu_system_seconds_total", one.cpuSystem, at),
    ...sample("process_cpu_seconds_total", Number((one.cpuUser + one.cpuSystem).toFixed(2)), at),
    ...(one.startedAt === 0 ? [] : sample("process_start_time_seconds", one.startedAt / 1_000, at)),
    ...sample("process_resident_memory_bytes", one.rss, at),
    ...sample("process_virtual_memory_bytes", one.virtual, at),
    ...sample("process_heap_bytes", one.data, at),
    ...sample("process_open_fds", one.files, at),
    ...nodeSamples(one, at),
  ];
}

const spaceSamples = ({ size, used, available }: HeapSpace, at: Labels): readonly Sample[] => [
  ...sample("nodejs_heap_space_size_total_bytes", size, at),
  ...sample("nodejs_heap_space_size_used_bytes", used, at),
  ...sample("nodejs_heap_space_size_available_bytes", available, at),
];

function nodeSamples({ node }: ProcessMeasured, at: Labels): readonly Sample[] {
  if (node === undefined) return [];
  const { lag, spaces, resources } = node;
  const seconds = (millis: number): number => Number((millis / 1_000).toFixed(9));
  const active = Object.values(resources).reduce((sum, n) => sum + n, 0);
  return [
    ...sample("nodejs_eventloop_lag_seconds", seconds(lag.mean), at),
    ...sample("nodejs_eventloop_lag_min_seconds", seconds(lag.min), at),
    ...sample("nodejs_eventloop_lag_max_seconds", seconds(lag.max), at),
    ...sample("nodejs_eventloop_lag_mean_seconds", seconds(lag.mean), at),
    ...sample("nodejs_eventloop_lag_stddev_seconds", seconds(lag.stddev), at),
    ...sample("nodejs_eventloop_lag_p50_seconds", seconds(lag.p50), at),
    ...sample("nodejs_eventloop_lag_p90_seconds", seconds(lag.p90), at),
    ...sample("nodejs_eventloop_lag_p99_seconds", seconds(lag.p99), at),
    ...sample("nodejs_heap_size_total_bytes", node.heapTotal, at),
    ...sample("nodejs_heap_size_used_bytes", node.heapUsed, at),
    ...sample("nodejs_external_memory_bytes", node.external, at),
    ...spaces.flatMap((space) => spaceSamples(space, { ...at, space: space.name })),
    ...Object.entries(resources).flatMap(([type, n]) => sample("nodejs_active_resources", n, { ...at, type })),
    ...sample("nodejs_active_resources_total", active, at),
    ...sample("nodejs_active_handles_total", active, at),
  ];
}
