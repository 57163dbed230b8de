import { mebibytes, minutes, ms, bytes as asBytes, type Bytes } from "../../base/units.ts";
import { WORKER_FOOTPRINT } from "../machine.ts";
import { MOST_WORKERS } from "../workerbound.ts";
import { choice, duration, integer, onOff, roughly, size } from "../parsers.ts";
import { setting, type Situation } from "../setting.ts";

const NEVER = "never";
const LEAST_MEMORY = mebibytes(16);
/** Beyond any machine. */
export const MOST_MEMORY = asBytes(64 * 1_099_511_627_776);

/** CPU × 4, or what half the memory holds, whichever is less; at least one. */
function defaultWorkers({ machine, earlier }: Situation): { text: string; why: string } {
  const memory = earlier.get("memory") as Bytes;
  const byCpu = machine.cpus * 4;
  const byMemory = Math.max(1, Math.floor(memory / 2 / WORKER_FOOTPRINT));
  const [least, most] = [earlier.get("min_workers") as number, earlier.get("max_workers") as number];
  const workers = Math.max(Math.min(byCpu, byMemory, most), Math.min(least, most));
  const rule =
    byMemory < byCpu
      ? `memory decides: half of ${roughly(memory)} holds ${byMemory} of ${roughly(WORKER_FOOTPRINT)} each; CPU × 4 would be ${byCpu}`
      : `CPU decides: ${machine.cpus} × 4; half of ${roughly(memory)} would hold ${byMemory}`;
  const wanted = Math.min(byCpu, byMemory);
  const bound = workers < wanted ? `; no more than ${most}` : workers > wanted ? `; no fewer than ${least}` : "";
  return { text: String(workers), why: `${rule}${bound}` };
}

export const WORKERS = [
  setting({
    name: "memory",
    group: "workers",
    codec: size(LEAST_MEMORY, MOST_MEMORY),
    default: {
      rule: "the machine's memory, or the cgroup's limit",
      example: "4g",
      from: ({ machine }) => ({
        text: `${Math.max(machine.memory, LEAST_MEMORY)}b`,
        why: machine.constrainedBy === "cgroup" ? "the cgroup's limit" : "this machine's RAM",
      }),
    },
    reload: "live",
    help: "What drover and all its processes together may use.",
  }),
  setting({
    name: "min_workers",
    group: "workers",
    codec: integer(1, MOST_WORKERS),
    default: "1",
    reload: "live",
    help: "The fewest workers that the daemon may be scaled to.",
    notes:
      "Bounds DROVER_WORKERS, `drover scale`, TTOU and the admin API. These workers stay ready, as AWS Lambda's provisioned concurrency does.",
  }),
  setting({
    name: "max_workers",
    group: "workers",
    codec: integer(1, MOST_WORKERS),
    default: String(MOST_WORKERS),
    reload: "live",
    help: "The most workers that the daemon may be scaled to.",
    notes:
      "Bounds DROVER_WORKERS, `drover scale`, TTIN and the admin API, as AWS Lambda's reserved concurrency does. Memory and open files may allow fewer.",
  }),
  setting({
    name: "workers",
    group: "workers",
    codec: integer(1, MOST_WORKERS),
    default: {
      rule: `CPU × 4, or what half the memory holds (${roughly(WORKER_FOOTPRINT)} a worker), whichever is less`,
      example: "8",
      from: defaultWorkers,
    },
    reload: "live",
    help: "How many worker processes serve.",
    notes:
      "`drover scale`, TTIN and TTOU change it while running; that survives a reload unless this setting itself changed. The master needs up to 10 open files for each worker (LimitNOFILE=, ulimit -n).",
    aliases: [{ name: "GUNICORN_WORKERS" }, { name: "WEB_CONCURRENCY" }],
  }),
  setting({
    name: "worker_connections",
    group: "workers",
    codec: integer(1, 100_000),
    default: "1000",
    reload: "roll",
    help: "How many connections one worker holds at most; more wait in the kernel's backlog.",
    notes: "With 100 more for everything else it must fit into the process's limit of open files (LimitNOFILE=, ulimit -n).",
    aliases: [{ name: "GUNICORN_WORKER_CONNECTIONS" }],
  }),
  setting({
    name: "worker_priority",
    group: "workers",
    codec: integer(0, 19),
    default: "0",
    reload: "roll",
    help: "The nice value of workers, as nginx's worker_priority: with more than 0 master and broker come first when the CPU is short.",
    notes:
      "It needs no right, and never undercuts the nice value that the daemon was started with. Workers then stand behind other services of the machine too, unless cgroups divide the CPU between services, as in containers and where a systemd unit sets CPUWeight= or CPUQuota=.",
    lookalikes: ["DROVER_NICE", "DROVER_WORKER_NICE"],
  }),
  setting({
    name: "worker_scheduling",
    group: "workers",
    codec: choice(["auto", "batch", "normal"]),
    default: "auto",
    reload: "roll",
    help: "How the kernel gives workers the CPU: with `batch` (SCHED_BATCH) one that wakes up lets whoever runs finish first.",
    notes:
      "`auto` is batch for the built-in service, whose answers are short: where there are more workers than CPUs they change places less often, for less CPU a request; while all CPUs are taken, by other programs too, an answer may wait some milliseconds longer for one. With an application of yours it is normal, as nobody knows for how long it computes; try batch and measure. It needs no right, and chrt(1) of util-linux; what a worker starts inherits it. A daemon that was itself started with a nice value or another policy (nice, chrt, Nice=, CPUSchedulingPolicy=) leaves its workers with that.",
  }),
  setting({
    name: "max_requests",
    group: "workers",
    codec: integer(0, 1_000_000_000, NEVER),
    default: "0",
    reload: "live",
    help: "Replace a worker after so many requests.",
  }),
  setting({
    name: "max_requests_jitter",
    group: "workers",
    codec: integer(0, 1_000_000_000, "none"),
    default: "0",
    reload: "live",
    help: "Up to so many requests more, drawn for each worker, so that not all are replaced at once.",
  }),
  setting({
    name: "max_lifetime",
    group: "workers",
    codec: duration(ms(0), minutes(24 * 20 * 60)),
    default: "0",
    reload: "live",
    help: "Replace a worker after so long; 0: never.",
  }),
  setting({
    name: "max_rss",
    group: "workers",
    codec: size(mebibytes(32), MOST_MEMORY, NEVER),
    default: "0",
    reload: "live",
    help: "Replace a worker whose resident memory is beyond this in three samples, 5 s apart, in a row.",
  }),
  setting({
    name: "autopsy",
    group: "workers",
    codec: onOff,
    default: "on",
    reload: "roll",
    help: "Before a silent process is killed, take its JavaScript stack and its requests in flight through its debugger.",
    notes:
      "The debugger opens on a loopback port for that moment alone and its address is told to the master only. Off: no process ever opens one, and the verdict comes from /proc; `drover stack` has nothing to show.",
  }),
] as const;
