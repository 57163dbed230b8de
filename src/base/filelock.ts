/**
 * An exclusive lock on a file that holds nothing. Node has no flock(2); SQLite's lock (fcntl(2)) is the kernel's: it goes with the
 * process however it dies, and holds across containers that share the directory.
 */
import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errnoOf, messageOf } from "./errors.ts";
import { storageError } from "./storage.ts";
import { ms, type Ms } from "./units.ts";

export interface FileLock {
  release(): void;
  /** Releases the lock and removes its file. */
  remove(): void;
}

/** A database that nothing refers to is collected, and its lock goes with it. */
const held = new Set<DatabaseSync>();

/**
 * fcntl(2)'s locks go when any descriptor of the file is closed in the process, so a lock file that is there is opened by SQLite alone:
 * only a file that no process can have locked yet is made here.
 */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (e) {
    if (errnoOf(e) !== "EEXIST") throw e;
  }
}

function forget(database: DatabaseSync): void {
  held.delete(database);
  database.close();
}

/** @returns undefined while another connection has it. @throws what SQLite throws. */
function tryLock(path: string, patience: Ms): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: patience });
  try {
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    held.add(database);
    return database;
  } catch (e) {
    database.close(); // it may be tried again each second: its descriptor must not stay
    if (/locked|busy/i.test(messageOf(e))) return undefined;
    throw e;
  }
}

/** Tells a file from the next one of its name: while it is open no other has its inode. */
export function inodeOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev} ${found.ino}`;
}

/**
 * @param patience for how long SQLite tries again.
 * @returns undefined while another process has it. @throws DroverError DROVER_E_DATA_DIR or DROVER_E_DISK when the file can't be made or read.
 */
export function lockFile(path: string, patience = ms(0)): FileLock | undefined {
  try {
    for (;;) {
      makeFile(path);
      const before = inodeOf(path);
      const database = tryLock(path, patience);
      if (database === undefined) return undefined;
      // A process that has removed the file meanwhile had the lock: this one would be on a file without a name.
      if (before !== undefined && inodeOf(path) === before)
        return {
          release: () => forget(database),
          remove() {
            rmSync(path, { force: true });
            forget(database);
          },
        };
      forget(database);
    }
  } catch (e) {
    throw storageError(`can't lock ${path}`, e, { directory: dirname(path), isEmpty: true });
  }
}
