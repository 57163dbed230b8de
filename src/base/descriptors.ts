/**
 * A reserve of file descriptors: a process that has no free one (EMFILE), or a machine that has none (ENFILE), must still read
 * /proc, write its log and start a replacement. Each process holds a few open on /dev/null and closes them for the length of
 * one such call.
 */
import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { errnoOf } from "./errors.ts";

/** Descriptors that the master holds back: one fork, with its pipes and what libuv opens on its way. */
export const MASTER_RESERVE = 16;
/** The same of a worker or the broker: one file at a time. */
export const CHILD_RESERVE = 2;

/** This process's reserve: descriptors belong to the process as a whole. */
const reserve = { wanted: 0, held: [] as number[] };

/** Holds `count` descriptors back from now on, or as many as there are. Call it once, as the process starts. */
export function holdReserve(count: number): void {
  reserve.wanted = count;
  refill();
}

/** Opens what the reserve lacks; without free descriptors a later call tries again. */
function refill(): void {
  try {
    while (reserve.held.length < reserve.wanted) reserve.held.push(openSync("/dev/null", "r"));
  } catch {
    // No descriptor is free now, or there is no /dev/null: a smaller reserve, which leaves some for the operator's connections.
    for (const fd of reserve.held.splice(-Math.floor(reserve.wanted / 4) || reserve.held.length)) closeSync(fd);
  }
}

/** Closes the reserve for a call that opens files later. @returns a function that opens it again. */
export function lendReserve(): () => void {
  for (const fd of reserve.held.splice(0)) closeSync(fd);
  return refill;
}

/** Whether an error says that the process or the machine has no descriptor left. */
export const lacksDescriptors = (error: unknown): boolean => ["EMFILE", "ENFILE"].includes(errnoOf(error) ?? "");

/**
 * Runs `open`, and once more with the reserve closed if no descriptor was left for it.
 * @throws what `open` throws.
 */
export function withReserve<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!lacksDescriptors(error)) throw error;
    return insideReserve(open);
  }
}

/** Runs `open` with the reserve closed, for a call that keeps descriptors, or fails silently without them. */
export function insideReserve<T>(open: () => T): T {
  const giveBack = lendReserve();
  try {
    return open();
  } finally {
    giveBack();
  }
}

/** @throws Error EMFILE or ENFILE when fewer than `count` descriptors can be opened now. */
export function requireDescriptors(count: number): void {
  const probes: number[] = [];
  try {
    for (let i = 0; i < count; i += 1) probes.push(openSync("/dev/null", "r"));
  } finally {
    for (const fd of probes) closeSync(fd);
  }
}

/** @returns the most files that this process may open; undefined when unknown. Never throws. */
export function mostDescriptors(): number | undefined {
  try {
    const limits = withReserve(() => readFileSync("/proc/self/limits", "latin1"));
    const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
    return Number.isNaN(most) ? undefined : most;
  } catch {
    return undefined; // no /proc, or no descriptor is left: the figure is unknown
  }
}

/** @returns how many more files this process may open; Infinity when unknown. Never throws. */
export function freeDescriptors(): number {
  const most = mostDescriptors();
  if (most === undefined) return Infinity;
  try {
    // The size is the number of open files since Linux 6.2, and 0 before.
    const open = statSync("/proc/self/fd").size || withReserve(() => readdirSync("/proc/self/fd").length);
    return most - open;
  } catch {
    return Infinity; // as above
  }
}

/** Resident memory of this process in bytes; undefined when it can't be read. Never throws. */
export function residentMemory(): number | undefined {
  try {
    return withReserve(() => process.memoryUsage.rss()); // libuv opens /proc/self/stat
  } catch {
    return undefined; // EMFILE, ENFILE, or no /proc: the figure is unknown
  }
}
