/** CPU and memory of processes of this machine, from /proc (proc(5), Linux only). */
import { readProcStat, TICKS_PER_SECOND } from "../../master/shell/procstat.ts";

export interface ProcessUse {
  /** Since the first call. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** Processes come and go: what started after the first call counts from its start. */
export function processUse(): (pids: readonly number[]) => ProcessUse {
  let before: ReadonlyMap<string, number> | undefined;
  let ticks = 0;
  return (pids) => {
    const seen = new Map<string, number>();
    let rssBytes = 0;
    for (const pid of pids) {
      const stat = readProcStat(pid);
      if (stat === undefined) continue;
      const name = `${pid} ${stat.startTicks}`; // a pid is used again
      rssBytes += stat.rss;
      if (before !== undefined) ticks += stat.cpuTicks - (before.get(name) ?? 0);
      seen.set(name, stat.cpuTicks);
    }
    before = seen;
    return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes };
  };
}
