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

/**
 * @param tell makes the line that says what was lost.
 * @throws Error with `code` when the file can't be opened.
 */
export function openLogFile(target: LogTarget, tell: (lost: Lost) => string): LogFile {
  let fd = "file" in target ? openToAppend(target.file) : target.fd;
  let lost: Lost | undefined;
  let torn = false;
  const append = (lines: string): void => {
    const bytes = Buffer.from(torn ? `\n${lines}` : lines); // a new line must not end one that was cut
    for (let done = 0, tries = 0; done < bytes.length;) {
      try {
        done += writeSync(fd, bytes, done);
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
      mkdirSync(dirname(target.file), { recursive: true, mode: 0o750 });
      const fresh = openToAppend(target.file);
      closeSync(fd);
      fd = fresh;
      torn = false;
    },
    isRemoved: () => "file" in target && fstatSync(fd).nlink === 0,
  };
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
