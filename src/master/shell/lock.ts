import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DroverError, messageOf } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";
import { lockHolder, removeOwn, restorePid, writePid } from "./pidfile.ts";

/**
 * One daemon per data directory. Node has no flock(2); SQLite's exclusive lock (fcntl) is kept by the kernel, goes with the
 * process however it dies, and holds across containers that share the directory: a pidfile alone does none of this.
 */
export interface Lock {
  /** Why there is no pid file, if there is none: the lock holds all the same. */
  readonly noPidfile: string | undefined;
  /**
   * Puts a lock file or a pid file that was removed, or the first that was replaced, back: without it, a second daemon could start here.
   * @returns the names of those that were. @throws Error when the lock file can't be made, or another daemon has locked it.
   */
  check(): readonly string[];
  release(): void;
}

/** A database that nothing refers to is collected, and its lock goes with it. */
const held = new Set<DatabaseSync>();

/** Two that start in the same instant may hinder each other for a moment: SQLite then tries again for so long. */
const PATIENCE_MS = 250;

/**
 * @param directory an existing, writable data directory.
 * @throws DroverError DROVER_E_RUNNING when another daemon has it.
 */
export function lockDataDir(directory: string): Lock {
  const file = join(directory, "drover.lock");
  const pidfile = join(directory, "drover.pid");
  let database = open(file, pidfile, directory);
  let locked = inodeOf(file);
  return {
    noPidfile: writePid(pidfile),
    check() {
      const isOurs = locked !== undefined && inodeOf(file) === locked;
      if (!isOurs) {
        const fresh = open(file, pidfile, directory, 0); // throws while another daemon has locked the file that is there now
        forget(database); // SQLite's lock is on the removed file: it is no use any more
        database = fresh;
        locked = inodeOf(file);
      }
      return [...(isOurs ? [] : [file]), ...(restorePid(pidfile) ? [pidfile] : [])];
    },
    release() {
      removeOwn(pidfile);
      forget(database);
    },
  };
}

/** Tells a file from the next one of its name: while it is open no other has its inode. */
function inodeOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev} ${found.ino}`;
}

function forget(database: DatabaseSync): void {
  held.delete(database);
  database.close();
}

function open(file: string, pidfile: string, directory: string, patience = PATIENCE_MS): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: patience });
    held.add(database);
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    if (database !== undefined) forget(database); // it is tried again each second: its descriptor must not stay
    const text = messageOf(error);
    if (!/locked|busy/i.test(text)) throw storageError(`can't lock ${file}`, error, { directory, isEmpty: true });
    throw new DroverError(
      "DROVER_E_RUNNING",
      `a daemon${holder(file, pidfile)} already uses the data directory ${directory}: stop it (drover stop), or give this one another DROVER_DATA_DIR`,
      { cause: error },
    );
  }
}

function holder(file: string, pidfile: string): string {
  const pid = lockHolder(file, pidfile);
  return pid === undefined ? "" : ` (pid ${pid})`;
}
