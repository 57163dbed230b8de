/** How many workers one daemon may have: one bound for `drover check`, `drover scale`, TTIN and the admin API. */
import type { Bytes } from "../base/units.ts";
import { masterFiles } from "./files.ts";
import { WORKER_FOOTPRINT, type Machine } from "./machine.ts";
import type { Settings } from "./table.ts";

/** DROVER_WORKERS takes no more. */
export const MOST_WORKERS = 256;

export interface WorkerBound {
  readonly most: number;
  /** What binds, as the end of a sentence. */
  readonly why: string;
}

const mib = (size: Bytes): string => `${Math.round(size / 1_048_576)} MiB`;

type Sizes = Pick<Settings, "workers" | "memory" | "bind" | "admin_bind">;

/** @returns at least the configured number: what `drover check` accepts may run. */
export function workerBound(settings: Sizes, { nofile }: Pick<Machine, "nofile">): WorkerBound {
  const { workers, memory } = settings;
  const byMemory = Math.floor(memory / WORKER_FOOTPRINT);
  const files = nofile ?? Infinity;
  let byFiles = MOST_WORKERS;
  while (byFiles > workers && masterFiles({ ...settings, workers: byFiles }) > files) byFiles -= 1;
  const most = Math.max(workers, Math.min(MOST_WORKERS, byMemory, byFiles));
  if (most === MOST_WORKERS) return { most, why: `a daemon has at most ${MOST_WORKERS}` };
  if (byFiles <= byMemory) return { most, why: `the master may open ${nofile} files (LimitNOFILE= in the unit, ulimit -n in a shell)` };
  const fits = `${mib(memory)} of memory hold ${byMemory} of about ${mib(WORKER_FOOTPRINT)} each`;
  return { most, why: `${fits} (DROVER_MEMORY, DROVER_WORKERS)` };
}
