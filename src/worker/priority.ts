import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/**
 * Gives this process at least so high a nice value (0 to 19): it stands behind the master and the broker then when there is not enough CPU for
 * all. Only ever lower: that needs no right, and who started the whole at a nice value of his own keeps it.
 *
 * On Linux a nice value is a thread's own (setpriority(2), sched(7)), and V8's and libuv's threads are older than the first line of JavaScript:
 * each is set. A thread that starts later has that of the one that starts it, which is the main one.
 * @returns why it could not; undefined when it is done.
 */
export function lowerPriority(nice: number): string | undefined {
  if (nice === 0) return undefined;
  try {
    for (const thread of threads()) if (getPriority(thread) < nice) setPriority(thread, nice);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error); // a filter of system calls, as a unit may have
  }
}

/** The main thread comes first; 0 is the one that asks. */
function threads(): readonly number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [0]; // no /proc
  }
}
