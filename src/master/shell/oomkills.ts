import { readFileSync } from "node:fs";
import { withReserve } from "../../base/descriptors.ts";

/** How often the kernel has killed for want of memory, as near to us as it tells: our cgroup (v2, then v1), else the machine. */
export function readOomKills(): number | undefined {
  const groups = readOr("/proc/self/cgroup")
    .split("\n")
    .map((line) => line.split(":"));
  const v2 = groups.find(([id]) => id === "0")?.[2] ?? "";
  const v1 = groups.find(([, controllers]) => controllers?.split(",").includes("memory"))?.[2] ?? "";
  for (const file of [
    `/sys/fs/cgroup${v2}/memory.events`,
    `/sys/fs/cgroup/memory${v1}/memory.oom_control`,
    "/sys/fs/cgroup/memory/memory.oom_control",
    "/proc/vmstat",
  ]) {
    const kills = oomKillsIn(readOr(file));
    if (kills !== undefined) return kills;
  }
  return undefined;
}

/** The `oom_kill N` line of memory.events, memory.oom_control or vmstat; older kernels have none. */
export function oomKillsIn(text: string): number | undefined {
  const found = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

export interface OomWatch {
  /** Remembers the count; call it every few seconds, so that another's death of long ago is not blamed for a new one. */
  sample(): void;
  /** Whether the count grew since the sample before the last one. */
  grew(): boolean;
}

/** @param read the count now; undefined where nothing tells. */
export function createOomWatch(read: () => number | undefined = readOomKills): OomWatch {
  let [earlier, last] = [read(), read()];
  return {
    sample() {
      earlier = last;
      last = read();
    },
    grew() {
      const now = read();
      return now !== undefined && earlier !== undefined && now > earlier;
    },
  };
}

function readOr(file: string): string {
  try {
    return withReserve(() => readFileSync(file, "utf8"));
  } catch {
    return ""; // not this kind of system, or no descriptor is left
  }
}
