import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { withReserve } from "./descriptors.ts";
import { errnoOf, messageOf } from "./errors.ts";

/** Where lines go: a file (opened for append, may be reopened), or an inherited descriptor such as 1. */
export type LogTarget = { readonly file: string } | { readonly fd: number };

/** Lines that could not be written, and the last reason: ENOSPC, EPIPE. */
export interface Lost {
  readonly lines: number;
  readonly why: string;
}

/**
 * A destination of whole lines. Nothing is kept back for later: what can't be written now is lost and counted, so that a full
 * disk costs lines and no memory, and the first line that finds room again is preceded by one that tells of it.
 */
export interface LogFile {
  /** Appends lines, each with its line feed, before it returns. Never throws. */
  write(lines: string): void;
  /** Opens the file again after it was renamed; its folder may be gone too. @throws Error when that fails: the old one stays. */
  reopen(): void;
  /** The file was removed (not renamed): its lines go nowhere. */
  isRemoved(): boolean;
}

/** A pipe that another process made non-blocking may be full for a moment: its lines are tried for 100 ms. */
const TRIES = 20;
const PAUSE_MS = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** A file that could not be opened is tried again after this, with the next line. */
const OPEN_AGAIN_MS = 1_000;

/**
 * @param tell makes the line that says what was lost.
 * @param mayWait a file that can't be opened now is opened later, and costs lines until then.
 * @throws Error with `code` when the file can't be opened, unless it may wait.
 */
export function openLogFile(target: LogTarget, tell: (lost: Lost) => string, mayWait = false): LogFile {
  let fd: number | undefined;
  let failure: { readonly error: unknown; readonly at: number } | undefined;
  let lost: Lost | undefined;
  let torn = false;
  const open = (): number => {
    if (failure !== undefined && performance.now() - failure.at < OPEN_AGAIN_MS) throw failure.error;
    try {
      fd = "file" in target ? openToAppend(target.file) : target.fd;
      failure = undefined;
      return fd;
    } catch (error) {
      failure = { error, at: performance.now() };
      throw error;
    }
  };
  try {
    open();
  } catch (error) {
    if (!mayWait) throw error;
    process.stderr.write(`the log file can't be opened, lines are lost until it can: ${messageOf(error)}\n`); // the master logs it
  }
  const append = (lines: string): void => {
    const to = fd ?? open();
    const bytes = Buffer.from(torn ? `\n${lines}` : lines); // a new line must not end one that was cut
    for (let done = 0, tries = 0; done < bytes.length;) {
      try {
        done += writeSync(to, bytes, done);
      } catch (error) {
        torn ||= done > 0;
        tries += 1;
        if (errnoOf(error) !== "EAGAIN" || tries > TRIES) throw error;
        Atomics.wait(pause, 0, 0, PAUSE_MS);
      }
    }
    torn = false;
  };
  return {
    write(lines) {
      try {
        append(lost === undefined ? lines : tell(lost) + lines);
        lost = undefined;
      } catch (error) {
        lost = { lines: (lost?.lines ?? 0) + lines.split("\n").length - 1, why: errnoOf(error) ?? messageOf(error) };
      }
    },
    reopen() {
      if (!("file" in target)) return;
      makeLogFolder(target.file);
      const fresh = openToAppend(target.file);
      if (fd !== undefined) closeSync(fd);
      [fd, failure] = [fresh, undefined];
      torn = false;
    },
    isRemoved: () => "file" in target && fd !== undefined && fstatSync(fd).nlink === 0,
  };
}

/** Makes the log's folder; folders above it, which may be the data directory, are made private. */
export function makeLogFolder(file: string): void {
  const folder = dirname(file);
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  mkdirSync(folder, { recursive: true, mode: 0o750 });
}

/** Of the log file, whatever the umask: its user writes, its group may read. */
export const LOG_MODE = 0o640;

/** O_NONBLOCK: a pipe without a reader is refused (ENXIO), instead of waited for. A regular file is not affected. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Opens a file for appending; a new one gets its mode. @throws Error with `code`. */
export const openToAppend = (file: string): number => withReserve(() => openOrMake(file));

function openOrMake(file: string): number {
  try {
    const made = openSync(file, "ax", LOG_MODE);
    fchmodSync(made, LOG_MODE);
    return made;
  } catch (e) {
    if (errnoOf(e) !== "EEXIST") throw e;
  }
  return openSync(file, APPEND, LOG_MODE);
}
