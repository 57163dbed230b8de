import { readFileSync, writeFileSync } from "node:fs";

const FILE = "/proc/self/oom_score_adj";
/** proc(5): −1000 never … 1000 first. Raising it needs no right. */
const MORE = 200;
const MOST = 1_000;

/** When memory runs out the kernel shall take a worker, which is replaced, and not the master or the broker. */
export function preferUnderMemoryPressure(): void {
  try {
    writeFileSync(FILE, String(Math.min(MOST, Number(readFileSync(FILE, "utf8")) + MORE)));
  } catch {
    // no /proc, or it is read-only: the kernel chooses as it does
  }
}
