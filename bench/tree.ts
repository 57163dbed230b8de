/** What a process and all that descend from it cost: CPU from /proc/PID/stat, memory as PSS from smaps_rollup. */
import { readdirSync, readFileSync } from "node:fs";
import { parseProcStat, TICKS_PER_SECOND } from "../src/master/shell/procstat.ts";

export function family(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
    const stat = statOf(Number(name));
    if (stat !== undefined) parents.set(Number(name), stat.ppid);
  }
  const found = new Set([root]);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

function statOf(pid: number): ReturnType<typeof parseProcStat> {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined; // gone meanwhile
  }
}

/** CPU-seconds of the tree so far. */
export const cpuSeconds = (root: number): number =>
  family(root).reduce((sum, pid) => sum + (statOf(pid)?.cpuTicks ?? 0), 0) / TICKS_PER_SECOND;

/**
 * The same to the nanosecond, from the scheduler's own account of every thread (/proc/PID/task/TID/schedstat): a tick of 10 ms is too coarse for
 * rounds of half a second. Threads that have ended are not in it.
 */
export const cpuSecondsFine = (root: number): number => family(root).reduce((sum, pid) => sum + nanosOf(pid), 0) / 1e9;

function nanosOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce(
      (sum, tid) => sum + Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, "latin1").split(" ", 1)[0]),
      0,
    );
  } catch {
    return 0; // gone meanwhile
  }
}

/** Times that a main thread of the tree went to sleep of its own accord: proc(5), voluntary_ctxt_switches. */
export const sleepsOf = (root: number): number => family(root).reduce((sum, pid) => sum + voluntarySwitches(pid), 0);

function voluntarySwitches(pid: number): number {
  try {
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0; // gone meanwhile
  }
}

/** Proportional set size of the tree in MiB. */
export const pssMiB = (root: number): number => family(root).reduce((sum, pid) => sum + pssOf(pid), 0) / 1_024;

function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
