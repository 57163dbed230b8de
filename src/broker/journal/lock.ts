/** One broker per journal. */
import { DroverError } from "../../base/errors.ts";
import { lockFile, type FileLock } from "../../base/filelock.ts";
import type { Ms } from "../../base/units.ts";

export type Lock = Pick<FileLock, "release">;

/** Short beside a roll, long beside the call. */
const BETWEEN_TRIES = 10;

/**
 * Blocks its thread.
 * @param patience how long to wait for a broker that is leaving.
 * @throws DroverError DROVER_E_RUNNING when it is still held then, DROVER_E_DATA_DIR or DROVER_E_DISK when the file can't be made or read.
 */
export function takeLock(path: string, patience: Ms): Lock {
  const end = performance.now() + patience;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const lock = lockFile(path);
    if (lock !== undefined) return lock;
    if (performance.now() >= end) break;
    Atomics.wait(nap, 0, 0, BETWEEN_TRIES);
  }
  throw new DroverError(
    "DROVER_E_RUNNING",
    `another broker has the journal: ${path} was not free within ${patience} ms. Stop it, or give this daemon another DROVER_DATA_DIR`,
  );
}
