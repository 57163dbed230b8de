/**
 * Puts a restored state in the place of the one that is there, so that a kill at any moment leaves one of the two, or a folder by which
 * the next restore, or the next start, goes on:
 *
 *   restore.new      being taken out of the archive: thrown away by whoever finds it
 *   restore.ready    whole and judged. The old files go to before-restore-TIME …
 *   restore.placing  … all of them have gone, and the new ones come
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";
import { sync } from "../../base/wholefile.ts";
import { CACHES, keptFiles } from "./files.ts";

export const NEW = "restore.new";
const READY = "restore.ready";
const PLACING = "restore.placing";
const BEFORE = /^before-restore-\d{8}T[\d.]+Z$/;
/** Former states that are kept. */
const MOST_BEFORE = 3;

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** What there is now, into a folder beside it. */
function putAside(dir: string, now: Date): void {
  const aside = join(dir, `before-restore-${now.toISOString().replaceAll(/[-:]/g, "")}`);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const { journal, databases, plain } = keptFiles(dir);
  const files = [...databases, ...(journal ? ["journal.db"] : [])];
  const all = [
    ...plain,
    ...files.flatMap((name) => [name, `${name}-wal`, `${name}-shm`, `${name}-journal`]),
    ...CACHES.flatMap((name) => [name, `${name}-wal`]),
  ];
  for (const name of all) if (isThere(join(dir, name))) renameSync(join(dir, name), join(aside, name));
  sync(aside);
  if (readdirSync(aside).length === 0) rmdirSync(aside);
  sync(dir);
}

function forgetOldest(dir: string): void {
  const former = readdirSync(dir)
    .filter((name) => BEFORE.test(name))
    .toSorted();
  for (const name of former.slice(0, -MOST_BEFORE)) rmSync(join(dir, name), { recursive: true, force: true });
}

/** From now on the state in `restore.new`, whose files are on disk, is the one that counts: also after a power cut. */
export function accept(dir: string): void {
  sync(join(dir, NEW));
  renameSync(join(dir, NEW), join(dir, READY));
  sync(dir);
}

/**
 * Ends a restore that was accepted; the caller has the lock of the data directory.
 * @returns whether there was one.
 * @throws DroverError DROVER_E_DATA_DIR before anything is moved when there is something else in its place; DROVER_E_DISK.
 */
export function finishRestore(dir: string, now: Date): boolean {
  const [ready, placing] = [join(dir, READY), join(dir, PLACING)];
  const [isReady, isPlacing] = [isFolder(ready), isFolder(placing)];
  try {
    rmSync(join(dir, NEW), { recursive: true, force: true });
    if (isReady) {
      putAside(dir, now);
      renameSync(ready, placing);
      sync(dir);
    }
    if (!isReady && !isPlacing) return false;
    for (const name of readdirSync(placing)) renameSync(join(placing, name), join(dir, name));
    sync(dir);
    rmdirSync(placing);
    forgetOldest(dir);
    return true;
  } catch (e) {
    throw storageError(`the restore into ${dir} can't be ended`, e);
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
