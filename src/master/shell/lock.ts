import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DroverError, messageOf } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";
import { lockHolder, removeOwn, writePid } from "./pidfile.ts";

/**
 * One daemon per data directory. Node has no flock(2); SQLite's exclusive lock (fcntl) is kept by the kernel, goes with the
 * process however it dies, and holds across containers that share the directory: a pidfile alone does none of this.
 */
export interface Lock {
  /** Why there is no pid file, if there is none: the lock holds all the same. */
  readonly noPidfile: string | undefined;
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
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(file, { timeout: PATIENCE_MS });
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    const text = messageOf(error);
    if (!/locked|busy/i.test(text)) throw storageError(`can't lock ${file}`, error, { directory });
    throw new DroverError(
      "DROVER_E_RUNNING",
      `a daemon${holder(file, pidfile)} already uses the data directory ${directory}: stop it (drover stop), or give this one another DROVER_DATA_DIR`,
      { cause: error },
    );
  }
  held.add(database);
  return {
    noPidfile: writePid(pidfile),
    release() {
      removeOwn(pidfile);
      held.delete(database);
      database.close();
    },
  };
}

function holder(file: string, pidfile: string): string {
  const pid = lockHolder(file, pidfile);
  return pid === undefined ? "" : ` (pid ${pid})`;
}
