/** What is written into as it is: devices, pipes, our own output. */
import { closeSync, constants, fstatSync, openSync, statSync, writeSync, type BigIntStats } from "node:fs";
import { errnoOf } from "../../base/errors.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";

/** For a reader who is started beside us and has not come yet. */
export const READER_COMES = seconds(2);
/** That a reader may take nothing: one that never does would keep the other reports and the verdict for ever. */
export const READER_TAKES = seconds(10);
const PAUSE = ms(20);

/** Pipes, from the look until they are written: a reader would take the first close for the end. */
const kept = new Map<string, number>();

/** Inode numbers may be larger than a number holds exactly: two neighbours would be one. */
export const look = (file: string): BigIntStats | undefined => statSync(file, { bigint: true, throwIfNoEntry: false });

export const inode = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** @returns our own output's descriptor. A file that was opened again would be written from its beginning, a socket can't be. */
export const output = (there: BigIntStats): number | undefined =>
  [1, 2].find((fd) => inode(fstatSync(fd, { bigint: true })) === inode(there));

/** @throws Error saying why it can't be written into. */
export function tryDirect(file: string, there: BigIntStats, patience: Ms): void {
  if (kept.has(inode(there))) return;
  const fd = openDirect(file, there, patience);
  if (there.isFIFO()) kept.set(inode(there), fd);
  else closeSync(fd);
}

/** Without O_NONBLOCK a pipe that nobody reads is waited for: for ever. */
function openDirect(file: string, there: BigIntStats, patience: Ms): number {
  for (const until = performance.now() + patience; ; sleep(PAUSE)) {
    try {
      return openSync(file, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      if (errnoOf(error) !== "ENXIO" || !there.isFIFO()) throw error;
      if (performance.now() >= until) throw new Error("it is a pipe and nobody reads it: begin with its reader", { cause: error });
    }
  }
}

interface Direct {
  readonly there: BigIntStats;
  readonly text: string;
  readonly patience: Ms;
}

/** Our own output is waited for as long as it takes: a pager stops it, and somebody reads. */
export function writeDirect(file: string, { there, text, patience }: Direct): void {
  const bytes = Buffer.from(text);
  const own = output(there);
  if (own !== undefined) return pour(own, bytes, Infinity);
  const fd = kept.get(inode(there)) ?? openDirect(file, there, patience);
  kept.delete(inode(there));
  try {
    pour(fd, bytes, patience);
  } finally {
    closeSync(fd);
  }
}

/** @param patience ms. */
function pour(fd: number, bytes: Buffer, patience: number): void {
  let since = performance.now();
  for (let done = 0; done < bytes.length;) {
    const taken = offer(fd, bytes.subarray(done));
    done += taken;
    if (taken > 0) since = performance.now();
    else if (performance.now() - since < patience) sleep(PAUSE);
    else throw new Error(`its reader took ${done} of ${bytes.length} bytes, and no more for ${patience / 1_000} s`);
  }
}

/** @returns how much was taken: nothing by a pipe that is full. */
function offer(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return 0;
    throw error;
  }
}

/** The run has not begun, or is over: nothing else wants the loop. */
const sleep = (time: Ms): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time);
