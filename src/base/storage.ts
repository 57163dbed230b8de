/** Failures of files and directories: which of them may pass, and what an operator does about each. */
import { closeSync, openSync, rmSync, statSync, writeSync, type Stats } from "node:fs";
import { join } from "node:path";
import { DroverError, errnoOf, messageOf, type ErrorCode } from "./errors.ts";

/** The disk is full, over quota, read-only or fails: the same call may succeed later. */
const TROUBLES: Readonly<Record<string, string>> = {
  ENOSPC: "Free space (or inodes) on that disk",
  EDQUOT: "Raise this user's disk quota, or free space",
  EROFS: "Make the file system writable again",
  EIO: "Look for disk errors (dmesg), and repair or replace the disk",
};

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html), as the errno they stand for. */
const SQLITE: Readonly<Record<number, string>> = { 10: "EIO", 13: "ENOSPC" };
/** SQLITE_READONLY and SQLITE_CANTOPEN: the cause has to be looked for. */
const UNCLEAR: readonly number[] = [8, 14];
/** SQLite reports some failed reads as this. */
const CORRUPT = 11;

/** SQLite's primary result code, or undefined when SQLite did not throw it. */
export function resultCode(thrown: unknown): number | undefined {
  const { errcode } = thrown as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** Tries to write a page into a directory. @returns the errno of the failure. */
export function probeDirectory(directory: string): string | undefined {
  const path = join(directory, `.probe-${process.pid}`);
  try {
    const fd = openSync(path, "w", 0o600);
    try {
      writeSync(fd, Buffer.alloc(4_096));
    } finally {
      closeSync(fd);
    }
    return undefined;
  } catch (e) {
    return errnoOf(e);
  } finally {
    rmSync(path, { force: true });
  }
}

function trouble(thrown: unknown, directory: string | undefined): string | undefined {
  const sqlite = resultCode(thrown);
  // A full disk makes SQLite report I/O errors, too.
  const looked =
    directory !== undefined && sqlite !== undefined && (sqlite === 10 || UNCLEAR.includes(sqlite)) ? probeDirectory(directory) : undefined;
  const errno = [looked, SQLITE[sqlite ?? -1], errnoOf(thrown)].find((name) => name !== undefined && name in TROUBLES);
  return errno;
}

/** Whether a full, read-only or failing disk is the cause. */
export const isDiskTrouble = (thrown: unknown): boolean => trouble(thrown, undefined) !== undefined;

/** What a storage error says besides its cause. */
export interface StorageAdvice {
  /** What to do unless the disk is the cause. */
  readonly advice?: string;
  /** Where the file is: a page is written there where SQLite does not tell the cause. */
  readonly directory?: string;
  /** Of the error unless the disk is the cause. */
  readonly code?: ErrorCode;
  /** The file never holds data (a lock): if SQLite finds it malformed, a read has failed. */
  readonly isEmpty?: boolean;
}

/**
 * The error of a file or directory that can't be used.
 * @param what names it and the failed action, such as "the journal /x/journal.db can't be opened".
 * @returns DROVER_E_DISK (temporary) for a full, read-only or failing disk, else DROVER_E_DATA_DIR or `code`.
 */
export function storageError(what: string, cause: unknown, more: StorageAdvice = {}): DroverError {
  const { advice, directory, code = "DROVER_E_DATA_DIR", isEmpty = false } = more;
  const sqlite = resultCode(cause);
  const errno = isEmpty && sqlite === CORRUPT ? "EIO" : trouble(cause, directory);
  const why = `${messageOf(cause)}${sqlite === undefined ? "" : ` (SQLite ${sqlite})`}`;
  const full = errno === "ENOSPC" && !/full|ENOSPC/.test(why) ? ": the disk is full" : "";
  const todo = errno === undefined ? advice : TROUBLES[errno];
  const text = `${what}: ${why}${full}${todo === undefined ? "" : `. ${todo}`}`;
  return new DroverError(errno === undefined ? code : "DROVER_E_DISK", text, { cause });
}

/** What any thrown error is to the process that ends of it: a failing disk is no fault of drover. */
export function knownError(thrown: unknown): DroverError {
  if (thrown instanceof DroverError) return thrown;
  if (isDiskTrouble(thrown)) return storageError("a file can't be used", thrown);
  return new DroverError("DROVER_E_BUG", messageOf(thrown), { cause: thrown });
}

const KINDS = { file: "a file", directory: "a directory", socket: "a socket" } as const;
export type Kind = keyof typeof KINDS;

function kindOf(path: string): Kind | "other" | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (e) {
    throw storageError(`${path} can't be used`, e);
  }
  if (found === undefined) return undefined;
  return found.isDirectory() ? "directory" : found.isSocket() ? "socket" : found.isFile() ? "file" : "other";
}

/**
 * Refuses what can't be what it should be. Nothing at the path is fine.
 * @param what is kept there, such as "the journal of writes". @throws DroverError DROVER_E_DATA_DIR.
 */
export function expectKind(path: string, wanted: Kind, what: string): void {
  const found = kindOf(path);
  if (found === undefined || found === wanted) return;
  const is = found === "other" ? "neither a file nor a directory" : KINDS[found];
  throw new DroverError("DROVER_E_DATA_DIR", `${path} is ${is} (expected ${KINDS[wanted]}: ${what}). Move it away, then start again`);
}
