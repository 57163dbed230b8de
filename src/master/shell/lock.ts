import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { inodeOf, lockFile, type FileLock } from "../../base/filelock.ts";
import { ms } from "../../base/units.ts";
import { lockHolder, removeOwn, restorePid, writePid } from "./pidfile.ts";

/** One daemon per data directory. A pidfile alone would not do: it stays after a kill, and means nothing in another container. */
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

/** Two that start in the same instant may hinder each other for a moment: SQLite then tries again for so long. */
const PATIENCE = ms(250);

/**
 * @param directory an existing, writable data directory.
 * @throws DroverError DROVER_E_RUNNING when another daemon has it.
 */
export function lockDataDir(directory: string): Lock {
  const file = join(directory, "drover.lock");
  const pidfile = join(directory, "drover.pid");
  let lock = take(file, pidfile, directory);
  let locked = inodeOf(file);
  return {
    noPidfile: writePid(pidfile),
    check() {
      const isOurs = locked !== undefined && inodeOf(file) === locked;
      if (!isOurs) {
        const fresh = take(file, pidfile, directory, ms(0)); // throws while another daemon has locked the file that is there now
        lock.release(); // it is on the removed file
        lock = fresh;
        locked = inodeOf(file);
      }
      return [...(isOurs ? [] : [file]), ...(restorePid(pidfile) ? [pidfile] : [])];
    },
    release() {
      removeOwn(pidfile);
      lock.release();
    },
  };
}

function take(file: string, pidfile: string, directory: string, patience = PATIENCE): FileLock {
  const lock = lockFile(file, patience);
  if (lock !== undefined) return lock;
  throw new DroverError(
    "DROVER_E_RUNNING",
    `a daemon${holder(file, pidfile)} already uses the data directory ${directory}: stop it (drover stop), or give this one another DROVER_DATA_DIR`,
  );
}

function holder(file: string, pidfile: string): string {
  const pid = lockHolder(file, pidfile);
  return pid === undefined ? "" : ` (pid ${pid})`;
}
