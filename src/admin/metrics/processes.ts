/** What each process tells of itself and /proc of it, by the names that dashboards for Node.js ask for. */
import type { HeapSpace, NodeFigures } from "../../base/figures.ts";
import type { ProcessMeasured } from "../../base/measured.ts";
import { PAUSE_BUCKETS } from "./buckets.ts";
import type { Lines } from "./lines.ts";
import { placeStarts, wordStarts } from "./starts.ts";
import { histogram, labelText, line, lineOf } from "./text.ts";

/** One line for each process. */
const perProcess = (valueOf: (one: ProcessMeasured) => number | undefined): Lines => {
  const startOf = placeStarts();
  return ({ measured }, name) => {
    let text = "";
    for (const one of measured.processes) text += lineOf(startOf(name, one), valueOf(one));
    return text;
  };
};

/** One line for each process whose Node.js has said something. */
const perNode = (valueOf: (node: NodeFigures) => number): Lines =>
  perProcess(({ node }) => (node === undefined ? undefined : valueOf(node)));

const lag = (name: keyof NodeFigures["lag"]): Lines => perNode((node) => seconds(node.lag[name]));
const seconds = (millis: number): number => Number((millis / 1_000).toFixed(9));

const active = ({ resources }: NodeFigures): number => {
  let all = 0;
  for (const kind in resources) all += resources[kind] ?? 0;
  return all;
};

/** One line for each of V8's heap spaces of each process. */
const perSpace = (valueOf: (space: HeapSpace) => number): Lines => {
  const startOf = wordStarts("space");
  return ({ measured }, name) => {
    let text = "";
    for (const one of measured.processes)
      for (const space of one.node?.spaces ?? []) text += lineOf(startOf(name, one, space.name), valueOf(space));
    return text;
  };
};

const perResource = (): Lines => {
  const startOf = wordStarts("type");
  return ({ measured }, name) => {
    let text = "";
    for (const one of measured.processes)
      for (const type in one.node?.resources) text += lineOf(startOf(name, one, type), one.node.resources[type]);
    return text;
  };
};

export const PROCESS_LINES = {
  process_cpu_user_seconds_total: perProcess(({ cpuUser }) => cpuUser),
  process_cpu_system_seconds_total: perProcess(({ cpuSystem }) => cpuSystem),
  process_cpu_seconds_total: perProcess(({ cpuUser, cpuSystem }) =>
    cpuUser === undefined || cpuSystem === undefined ? undefined : Number((cpuUser + cpuSystem).toFixed(2)),
  ),
  process_start_time_seconds: perProcess(({ startedAt }) => (startedAt === 0 ? undefined : startedAt / 1_000)),
  process_resident_memory_bytes: perProcess(({ rss }) => rss),
  process_virtual_memory_bytes: perProcess(({ virtual }) => virtual),
  process_heap_bytes: perProcess(({ data }) => data),
  process_open_fds: perProcess(({ files }) => files),
  process_max_fds: ({ measured }, name) => line(name, measured.mostFiles),
} satisfies Record<string, Lines>;

export const NODE_LINES = {
  nodejs_eventloop_lag_seconds: lag("mean"),
  nodejs_eventloop_lag_min_seconds: lag("min"),
  nodejs_eventloop_lag_max_seconds: lag("max"),
  nodejs_eventloop_lag_mean_seconds: lag("mean"),
  nodejs_eventloop_lag_stddev_seconds: lag("stddev"),
  nodejs_eventloop_lag_p50_seconds: lag("p50"),
  nodejs_eventloop_lag_p90_seconds: lag("p90"),
  nodejs_eventloop_lag_p99_seconds: lag("p99"),
  nodejs_heap_size_total_bytes: perNode(({ heapTotal }) => heapTotal),
  nodejs_heap_size_used_bytes: perNode(({ heapUsed }) => heapUsed),
  nodejs_external_memory_bytes: perNode(({ external }) => external),
  nodejs_heap_space_size_total_bytes: perSpace(({ size }) => size),
  nodejs_heap_space_size_used_bytes: perSpace(({ used }) => used),
  nodejs_heap_space_size_available_bytes: perSpace(({ available }) => available),
  nodejs_active_resources: perResource(),
  nodejs_active_resources_total: perNode(active),
  nodejs_active_handles_total: perNode(active),
  nodejs_gc_duration_seconds: ({ measured }, name) =>
    measured.pauses.map(({ role, kind, times }) => histogram(name, times, PAUSE_BUCKETS, labelText({ role, kind }))).join(""),
  nodejs_version_info: ({ node: version }, name) => {
    const [major = "", minor = "", patch = ""] = version.replace(/^v/, "").split(".");
    return line(name, 1, labelText({ version, major, minor, patch }));
  },
} satisfies Record<string, Lines>;
