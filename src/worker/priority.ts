import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../base/errors.ts";

/**
 * Gives this process at least so high a nice value (0 to 19): it stands behind the master and the broker then when there is not enough CPU for
 * all. Only ever lower: that needs no right, and who started the whole at a nice value of his own keeps it.
 *
 * On Linux a nice value is a thread's own (setpriority(2), sched(7)), and V8's and libuv's threads are older than the first line of JavaScript:
 * each is set. A thread that starts later has that of the one that starts it, which is the main one.
 * @throws Error (EPERM) where a filter of system calls forbids it.
 */
export async function lowerPriority(nice: number): Promise<void> {
  if (nice === 0) return;
  for (const thread of threads()) if (getPriority(thread) < nice) setPriority(thread, nice);
  if (isSessionLeader()) await lowerGroup(nice);
}

/** The main thread comes first; 0 is the one that asks. */
function threads(): readonly number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [0]; // no /proc
  }
}

/** setsid(1) makes a child the first of a session; without it the session is the master's too, and no business of a worker's. */
const isSessionLeader = (): boolean => /\) \S \d+ \d+ (\d+)/.exec(read("/proc/self/stat"))?.[1] === String(process.pid);

const GROUP = "/proc/self/autogroup";
/** Of all processes that have no right to do it oftener the kernel lets one a tenth of a second (EAGAIN). */
const AGAIN = { after: 100, times: 100 } as const;

/**
 * Where no cgroup divides the CPU, the kernel divides it between sessions, and a nice value ranks a thread within its session alone (sched(7),
 * the autogroup feature): the session must step back too.
 */
async function lowerGroup(nice: number): Promise<void> {
  for (let i = 0; i < AGAIN.times; i += 1) {
    const now = /nice (-?\d+)/.exec(read(GROUP))?.[1];
    if (now === undefined || Number(now) >= nice) return; // there is no such feature, or it is done
    try {
      return writeFileSync(GROUP, String(nice));
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN") throw error;
    }
    await sleep(AGAIN.after * (1 + Math.random()), undefined, { ref: false });
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // no /proc
  }
}
