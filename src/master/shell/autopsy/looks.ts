/** What the kernel tells of a process's main thread: looked at twice, a moment apart, before a debugger would hold it still. */
import { setTimeout as sleep } from "node:timers/promises";
import { readMainThread, readMainThreadDelay, readMainThreadTime, readWaitChannel, TICKS_PER_SECOND, type ProcStat } from "../procstat.ts";

export interface Looks {
  readonly before: ProcStat | undefined;
  readonly later: ProcStat | undefined;
  /** CPU time that it had between the two, and the time between them, both in milliseconds. */
  readonly ran: number;
  readonly apart: number;
  /** Of that time, what it waited for its turn on a CPU. */
  readonly queued: number;
  /** Looks at which it was running or ready to run. */
  readonly runnable: number;
  /** The kernel function in which it sleeps, or empty. */
  readonly waits: string;
}

const APART = 80;
/** A thread that seems to get no CPU at all is watched for longer: its turn may just not have come, or it waits for its garbage collector. */
const LONGER = 160;
const LOOK_EVERY = 20;
/** Whoever was found ready to run so often does not wait for something to happen, but for its turn, or for the threads of its garbage collector. */
const OFTEN = 2;
/** Of the time, for the same: a sleeper that wakes for a moment waits for less. */
const QUEUED = 0.2;
/** Of the time between two looks: who is ready to run and gets less than this is starved, who runs for more than this spins. */
const LEAST_SHARE = 0.05;

/** No debugger comes to these: the process can't hear it. */
export const isHeld = (stat: ProcStat | undefined): boolean => stat === undefined || ["T", "t", "D", "Z", "X"].includes(stat.state);

/** It wants to run, and the machine does not let it: throttled by its cgroup, or crowded out. */
export const isStarved = ({ before, later, ran, apart }: Looks): boolean =>
  before?.state === "R" && later?.state === "R" && ran < apart * LEAST_SHARE;

/** It runs: whatever it does, it does not wait for something to happen. */
export const isRunning = ({ later, ran, apart, queued, runnable }: Looks): boolean =>
  later?.state === "R" || ran >= apart * LEAST_SHARE || ran + queued >= apart * QUEUED || runnable >= OFTEN;

export async function lookTwice(pid: number): Promise<Looks> {
  const first = look(pid);
  if (!isHeld(first.stat)) await sleep(APART);
  let looks = between([first, look(pid)], pid);
  if (isHeld(looks.later) || (isRunning(looks) && !isStarved(looks))) return looks;
  const all: [Look, ...Look[]] = [first];
  for (const end = performance.now() + LONGER; performance.now() < end;) {
    await sleep(LOOK_EVERY);
    all.push(look(pid));
    looks = between(all, pid);
  }
  return looks;
}

interface Look {
  readonly stat: ProcStat | undefined;
  /** CPU milliseconds of the thread, and when they were read. */
  readonly cpu: number;
  readonly queued: number;
  readonly at: number;
}

function look(pid: number): Look {
  const stat = readMainThread(pid);
  return {
    stat,
    cpu: readMainThreadTime(pid) ?? ((stat?.cpuTicks ?? 0) * 1_000) / TICKS_PER_SECOND,
    queued: readMainThreadDelay(pid) ?? 0,
    at: performance.now(),
  };
}

function between(looks: readonly [Look, ...Look[]], pid: number): Looks {
  const [first] = looks;
  const last = looks.at(-1) ?? first;
  return {
    before: first.stat,
    later: last.stat,
    ran: Math.max(0, last.cpu - first.cpu),
    apart: last.at - first.at,
    queued: Math.max(0, last.queued - first.queued),
    runnable: looks.filter(({ stat }) => stat?.state === "R").length,
    waits: readWaitChannel(pid),
  };
}
