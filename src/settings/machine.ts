/** What this machine, or the container or unit we run in, grants. */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { lacksDescriptors, withReserve } from "../base/descriptors.ts";
import { errnoOf } from "../base/errors.ts";
import { bytes, mebibytes, type Bytes } from "../base/units.ts";

export interface Machine {
  /** Processors we may use: affinity and cgroup counted. */
  readonly cpus: number;
  /** What the machine, or the tightest cgroup above us, grants. */
  readonly memory: Bytes;
  readonly constrainedBy: "ram" | "cgroup";
  /** RLIMIT_NOFILE: open files of one process. undefined: unlimited or unknown. */
  readonly nofile: number | undefined;
  readonly container: boolean;
}

/** What one worker of the built-in application takes under load; the default number of workers counts with it. */
export const WORKER_FOOTPRINT: Bytes = mebibytes(90);

/** A file's text, or undefined when it is not there or not ours to read; throws when no descriptor is left to look with. */
export type ReadIfThere = (path: string) => string | undefined;

const readIfThere: ReadIfThere = (path) => {
  try {
    return withReserve(() => readFileSync(path, "utf8"));
  } catch (thrown) {
    if (errnoOf(thrown) === undefined || lacksDescriptors(thrown)) throw thrown;
    return undefined;
  }
};

/** `max` and cgroup v1's "no limit" (a page below 2^63) are no limits. */
function limit(text: string | undefined): number {
  const value = /^\d+\s*$/.test(text ?? "") ? Number(text) : Infinity;
  return value > 0 && value < 2 ** 60 ? value : Infinity;
}

/** A cgroup path and everything above it: systemd limits slices too, and process.constrainedMemory() looks at the leaf alone. */
function upwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return Array.from({ length: parts.length + 1 }, (_, i) => parts.slice(0, parts.length - i).join("/"));
}

/** The tightest memory limit of our cgroups (v2: memory.max and memory.high, v1: memory.limit_in_bytes); Infinity: none. */
export function cgroupMemory(read: ReadIfThere): number {
  let least = Infinity;
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers = "", path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined || (controllers !== "" && !controllers.split(",").includes("memory"))) continue;
    const [root, files] =
      controllers === "" ? ["/sys/fs/cgroup", ["memory.max", "memory.high"]] : ["/sys/fs/cgroup/memory", ["memory.limit_in_bytes"]];
    for (const group of upwards(path)) for (const file of files) least = Math.min(least, limit(read(join(root, group, file))));
  }
  return least;
}

/** CPUs that the tightest quota of our cgroups grants (v2: cpu.max, v1: cpu.cfs_quota_us), such as 1.5; Infinity: none. */
export function cgroupCpus(read: ReadIfThere): number {
  const part = (quota: string | undefined, period: string | undefined): number =>
    Number(quota) > 0 && Number(period) > 0 ? Number(quota) / Number(period) : Infinity;
  let least = Infinity;
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers = "", path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined || (controllers !== "" && !controllers.split(",").includes("cpu"))) continue;
    for (const group of upwards(path)) {
      const v1 = (file: string): string | undefined => read(join("/sys/fs/cgroup/cpu", group, file));
      const [quota, period] = (read(join("/sys/fs/cgroup", group, "cpu.max")) ?? "").split(" ");
      least = Math.min(least, controllers === "" ? part(quota, period) : part(v1("cpu.cfs_quota_us"), v1("cpu.cfs_period_us")));
    }
  }
  return least;
}

/** CPUs that we may use now, by affinity and quota. */
export const grantedCpus = (read: ReadIfThere = readIfThere): number => Math.min(availableParallelism(), cgroupCpus(read));

/** The soft limit, which is the one that counts; Node.js raises it to the hard one as it starts. */
export function openFiles(read: ReadIfThere): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)\s/m.exec(read("/proc/self/limits") ?? "") ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** Whose process we are: init's own, or one that init started. */
type Lineage = Pick<NodeJS.Process, "pid" | "ppid">;

/**
 * Whether drover is what a container runs. An engine that says so in the environment is believed; the files that engines leave
 * count only for the container's first process and its children, because people also work in a shell inside of one.
 */
export function inContainer(env: NodeJS.ProcessEnv, read: ReadIfThere, self: Lineage = process): boolean {
  if (env["container"] || env["KUBERNETES_SERVICE_HOST"]) return true;
  if (self.pid !== 1 && self.ppid !== 1) return false;
  return read("/.dockerenv") !== undefined || read("/run/.containerenv") !== undefined;
}

/** Looks once; what it finds does not change while we run, except for limits that somebody moves under us. */
export function detectMachine(env: NodeJS.ProcessEnv, read: ReadIfThere = readIfThere): Machine {
  const ram = totalmem();
  // Without a limit Node.js answers 0, or on cgroup v1 something near 2^64.
  const granted = Math.min(cgroupMemory(read), limit(String(process.constrainedMemory())));
  return Object.freeze({
    cpus: availableParallelism(),
    memory: bytes(Math.min(ram, granted)),
    constrainedBy: granted < ram ? "cgroup" : "ram",
    nofile: openFiles(read),
    container: inContainer(env, read),
  });
}
