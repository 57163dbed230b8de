/**
 * Replaces the state in a data directory by a restored one. A kill at any moment leaves the old state, the new one, or a folder with which the
 * next restore or the next start of the daemon goes on:
 *
 *   restore.new      being extracted: deleted by the next run
 *   restore.ready    complete and checked. The old files are moved to before-restore-TIME …
 *   restore.placing  … all of them are moved, and the new ones are moved into their place
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";
import { sync } from "../../base/wholefile.ts";
import { CACHES, keptFiles } from "./kept-files.ts";

export const NEW = "restore.new";
const READY = "restore.ready";
const PLACING = "restore.placing";
const BEFORE = /^before-restore-\d{8}T[\d.]+Z$/;
/** Former states that are kept. */
const MOST_FORMER = 3;

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Moves the present files into a folder of their own. */
function setAside(dir: string, now: Date): void {
  const aside = join(dir, `before-restore-${now.toISOString().replaceAll(/[-:]/g, "")}`);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const { journal, databases, plain } = keptFiles(dir);
  const files = [...databases, ...(journal ? ["journal.db"] : [])];
  const all = [
    ...plain,
    ...files.flatMap((name) => [name, `${name}-wal`, `${name}-shm`, `${name}-journal`]),
    ...CACHES.flatMap((name) => [name, `${name}-wal`]),
  ];
  for (const name of all)
    if (isThere(join(dir, name))) renameSync(join(dir, name), join(aside, name));
  sync(aside);
  if (readdirSync(aside).length === 0) rmdirSync(aside);
  sync(dir);
}

function removeOldest(dir: string): void {
  const former = readdirSync(dir)
    .filter((name) => BEFORE.test(name))
    .toSorted();
  for (const name of former.slice(0, -MOST_FORMER))
    rmSync(join(dir, name), { recursive: true, force: true });
}

/** Commits to the state in `restore.new`, whose files are on disk: it is the one that counts from now on, also after a power cut. */
export function accept(dir: string): void {
  sync(join(dir, NEW));
  renameSync(join(dir, NEW), join(dir, READY));
  sync(dir);
}

/**
 * Completes a restore that was accepted; the caller has the lock of the data directory.
 * @returns whether there was one.
 * @throws DroverError DROVER_E_DATA_DIR before anything is moved when there is something else in its place; DROVER_E_DISK.
 */
export function finishRestore(dir: string, now: Date): boolean {
  const [ready, placing] = [join(dir, READY), join(dir, PLACING)];
  const [isReady, isPlacing] = [isFolder(ready), isFolder(placing)];
  try {
    rmSync(join(dir, NEW), { recursive: true, force: true });
    if (isReady) {
      setAside(dir, now);
      renameSync(ready, placing);
      sync(dir);
    }
    if (!isReady && !isPlacing) return false;
    for (const name of readdirSync(placing)) renameSync(join(placing, name), join(dir, name));
    sync(dir);
    rmdirSync(placing);
    removeOldest(dir);
    return true;
  } catch (e) {
    throw storageError(`the restore into ${dir} can't be completed`, e);
  }
}

/** Symlinks are refused: everything in such a folder is moved. */
function isFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return found !== undefined;
  throw new DroverError(
    "DROVER_E_DATA_DIR",
    `${path} is no directory (expected nothing, or what an interrupted drover restore left). Move it away, then start again`,
  );
}
