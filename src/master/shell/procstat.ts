import { readdirSync, readFileSync, statSync } from "node:fs";
import { withReserve } from "../../base/descriptors.ts";

/** What /proc tells of a process: works on one whose loop is wedged. proc(5). */
export interface ProcStat {
  /** R running, S sleeping, D uninterruptible, T stopped, Z dead … */
  readonly state: string;
  readonly ppid: number;
  /** User and system time in clock ticks (100 a second on Linux). */
  readonly cpuTicks: number;
  readonly userTicks: number;
  /** Clock ticks after boot at which it started: with the pid, its identity. */
  readonly startTicks: number;
  /** Resident set in bytes. */
  readonly rss: number;
}

const PAGE = 4_096;
export const TICKS_PER_SECOND = 100;

/** @returns undefined when there is no such process, or no /proc. */
export const readProcStat = (pid: number): ProcStat | undefined => parseProcStat(read(`/proc/${pid}/stat`));

/** The same of its main thread alone: a loop may stand still while threads of its process work. */
export const readMainThread = (pid: number): ProcStat | undefined => parseProcStat(read(`/proc/${pid}/task/${pid}/stat`));

/**
 * CPU time its main thread has had, in milliseconds and far finer than the ticks of its stat (proc(5), schedstat: nanoseconds on
 * the CPU come first); undefined where the kernel does not count it.
 */
export function readMainThreadTime(pid: number): number | undefined {
  const [ran = ""] = read(`/proc/${pid}/task/${pid}/schedstat`).split(" ");
  return /^\d+$/.test(ran) ? Number(ran) / 1e6 : undefined;
}

/** How the kernel schedules its main thread (sched(7)): 0 SCHED_OTHER, 3 SCHED_BATCH, 5 SCHED_IDLE …; undefined: it is gone, or there is no /proc. */
export function readSchedulingPolicy(pid: number): number | undefined {
  const text = read(`/proc/${pid}/stat`);
  const policy = text.slice(text.lastIndexOf(")") + 2).split(" ")[38] ?? "";
  return /^\d+$/.test(policy) ? Number(policy) : undefined;
}

/** Milliseconds that its main thread was ready to run and had to wait for its turn; undefined where the kernel does not count them. */
export function readMainThreadDelay(pid: number): number | undefined {
  const [, waited = ""] = read(`/proc/${pid}/task/${pid}/schedstat`).split(" ");
  return /^\d+$/.test(waited) ? Number(waited) / 1e6 : undefined;
}

/** Its address space and its data segment in bytes (proc(5), statm), and how many files it has open; undefined: it is gone, or not ours to know. */
export function readProcSizes(pid: number): { readonly virtual: number; readonly data: number; readonly files: number } | undefined {
  const [virtual = Number.NaN, , , , , data = Number.NaN] = read(`/proc/${pid}/statm`).split(" ").map(Number);
  const files = openFiles(pid);
  return Number.isNaN(virtual + data) || files === undefined ? undefined : { virtual: virtual * PAGE, data: data * PAGE, files };
}

/** Since Linux 6.2 the size of /proc/PID/fd is the number of its entries; before, they are counted. */
function openFiles(pid: number): number | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    return statSync(folder).size || withReserve(() => readdirSync(folder)).length;
  } catch {
    return undefined; // it has gone
  }
}

/** The kernel function in which its main thread sleeps ("futex_wait_queue"), or empty: it runs, or that is not ours to know. */
export const readWaitChannel = (pid: number): string => read(`/proc/${pid}/task/${pid}/wchan`).trim().replace(/^0$/, "").slice(0, 100);

function read(file: string): string {
  try {
    return withReserve(() => readFileSync(file, "latin1"));
  } catch {
    return ""; // ENOENT, ESRCH: it has gone; EACCES: hidden from us; EMFILE: not even the reserve could be used
  }
}

/** The command's name stands in parentheses and may itself hold spaces and parentheses: fields count from the last one. */
export function parseProcStat(text: string): ProcStat | undefined {
  const close = text.lastIndexOf(")");
  if (close < 0) return undefined;
  const fields = text.slice(close + 2).split(" ");
  const number = (index: number): number => Number(fields[index] ?? Number.NaN);
  const stat = {
    state: fields[0] ?? "?",
    ppid: number(1),
    cpuTicks: number(11) + number(12),
    userTicks: number(11),
    startTicks: number(19),
    rss: number(21) * PAGE,
  };
  return Number.isNaN(stat.cpuTicks + stat.startTicks + stat.rss) ? undefined : stat;
}
