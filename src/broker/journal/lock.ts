/** One broker per journal. The same way as the master's lock (docs/adr/0005): SQLite's lock on a file that holds nothing. */
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";
import type { Ms } from "../../base/units.ts";

export interface Lock {
  release(): void;
}

/** Short beside a roll, long beside the call. */
const BETWEEN_TRIES = 10;

/**
 * fcntl(2)'s locks go when any descriptor of the file is closed in the process, so a lock file that is there is opened by SQLite alone:
 * only a file that nobody can hold yet is made here.
 */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (e) {
    if (errnoOf(e) !== "EEXIST") throw e;
  }
}

function tryLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    return { release: () => database.close() };
  } catch (e) {
    database.close();
    if (/locked|busy/i.test(messageOf(e))) return undefined;
    throw e;
  }
}

/**
 * Blocks its thread.
 * @param patience how long to wait for a broker that is leaving.
 * @throws DroverError DROVER_E_RUNNING when it is still held then, DROVER_E_DATA_DIR or DROVER_E_DISK when the file can't be made or read.
 */
export function takeLock(path: string, patience: Ms): Lock {
  const end = performance.now() + patience;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  try {
    makeFile(path);
    for (;;) {
      const lock = tryLock(path);
      if (lock !== undefined) return lock;
      if (performance.now() >= end) break;
      Atomics.wait(nap, 0, 0, BETWEEN_TRIES);
    }
  } catch (e) {
    throw storageError(`can't lock ${path}`, e, { directory: dirname(path), isEmpty: true });
  }
  throw new DroverError(
    "DROVER_E_RUNNING",
    `another broker has the journal: ${path} was not free within ${patience} ms. Stop it, or give this daemon another DROVER_DATA_DIR`,
  );
}
