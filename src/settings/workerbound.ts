/** How many workers one daemon may have: one bound for `drover check`, `drover scale`, TTIN and the admin API. */
import type { Bytes } from "../base/units.ts";
import { masterFiles } from "./files.ts";
import { WORKER_FOOTPRINT, type Machine } from "./machine.ts";
import type { Settings } from "./table.ts";

/** DROVER_WORKERS takes no more. */
export const MOST_WORKERS = 256;

export interface WorkerBound {
  readonly least: number;
  readonly most: number;
  /** What binds, as the end of a sentence. */
  readonly why: string;
}

const mib = (size: Bytes): string => `${Math.round(size / 1_048_576)} MiB`;

type Sizes = Pick<Settings, "workers" | "min_workers" | "max_workers" | "memory" | "bind" | "admin_bind">;

/** @returns at least the configured number: what `drover check` accepts may run. */
export function workerBound(settings: Sizes, { nofile }: Pick<Machine, "nofile">): WorkerBound {
  const { workers, memory, max_workers: limit } = settings;
  const least = Math.min(settings.min_workers, workers);
  const byMemory = Math.floor(memory / WORKER_FOOTPRINT);
  const files = nofile ?? Infinity;
  let byFiles = MOST_WORKERS;
  while (byFiles > workers && masterFiles({ ...settings, workers: byFiles }) > files) byFiles -= 1;
  const most = Math.max(workers, Math.min(limit, byMemory, byFiles));
  if (most === limit && limit < MOST_WORKERS) return { least, most, why: "DROVER_MIN_WORKERS and DROVER_MAX_WORKERS bound it" };
  if (most === MOST_WORKERS) return { least, most, why: `a daemon has at most ${MOST_WORKERS}` };
  if (byFiles <= byMemory)
    return { least, most, why: `the master may open ${nofile} files (LimitNOFILE= in the unit, ulimit -n in a shell)` };
  const fits = `${mib(memory)} of memory hold ${byMemory} of about ${mib(WORKER_FOOTPRINT)} each`;
  return { least, most, why: `${fits} (DROVER_MEMORY, DROVER_WORKERS)` };
}
