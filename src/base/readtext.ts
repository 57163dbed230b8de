/** Reads a file that an operator named, whatever it is: it never waits indefinitely and never reads more than a bound. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf } from "./errors.ts";
import { mebibytes, seconds, type Bytes, type Ms } from "./units.ts";

export interface Bounds {
  readonly most?: Bytes;
  /** How long a pipe or a device may take; the process does nothing else meanwhile. */
  readonly within?: Ms;
}

/** No file that drover reads whole is larger. */
const MOST = mebibytes(16);
/** A command in `<(…)` that decrypts the file has time for it. */
const WITHIN = seconds(3);
const TRY_EVERY = 10;

/**
 * @returns the text, in UTF-8. Of a pipe, all that was written until its last writer closed it.
 * @throws Error with `code` from open(2) or read(2); Error when the file is too large, no UTF-8, or a pipe that is not closed in time.
 */
export function readText(path: string, { most = MOST, within = WITHIN }: Bounds = {}): string {
  // O_NONBLOCK: opening a pipe does not wait for a writer. Reading a regular file is not affected.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readAll(fd, most, within));
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number, most: Bytes, within: Ms): Buffer {
  const kind = fstatSync(fd);
  const isPipe = kind.isFIFO();
  const end = performance.now() + within;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const waits = (text: string): void => {
    if (performance.now() >= end) throw new Error(text);
    Atomics.wait(nap, 0, 0, TRY_EVERY);
  };
  let buffer = Buffer.allocUnsafe(Math.min(most + 1, Math.max(kind.size + 1, 65_536)));
  for (let length = 0; ;) {
    const got = tryRead(fd, buffer, length);
    if (got === undefined) waits(`it is ${isPipe ? "a pipe" : "no file"}, and not closed within ${within / 1_000} s`);
    else if (got > 0) length += got;
    else if (isPipe && length === 0) waits(`it is a pipe, and nothing was written to it within ${within / 1_000} s`);
    else return buffer.subarray(0, length);
    if (length > most) throw new Error(`it is larger than ${most} bytes`);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(most + 1, 2 * length));
  }
}

/** @returns 0 at the end, undefined when there is nothing to read yet. */
function tryRead(fd: number, buffer: Buffer, from: number): number | undefined {
  try {
    return readSync(fd, buffer, from, buffer.length - from, null);
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return undefined;
    throw error;
  }
}
