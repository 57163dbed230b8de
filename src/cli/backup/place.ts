/**
 * Puts a restored state in the place of the one that is there, so that a kill at any moment leaves one of the two, or a folder by which
 * the next restore, or the next start, goes on:
 *
 *   restore.new      being taken out of the archive: thrown away by whoever finds it
 *   restore.ready    whole and judged. The old files go to before-restore-TIME …
 *   restore.placing  … all of them have gone, and the new ones come
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
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
  if (readdirSync(aside).length === 0) rmdirSync(aside);
}

function forgetOldest(dir: string): void {
  const former = readdirSync(dir)
    .filter((name) => BEFORE.test(name))
    .toSorted();
  for (const name of former.slice(0, -MOST_BEFORE)) rmSync(join(dir, name), { recursive: true, force: true });
}

/** From now on the state in `restore.new` is the one that counts. */
export const accept = (dir: string): void => renameSync(join(dir, NEW), join(dir, READY));

/**
 * Ends a restore that was accepted; whoever calls it has the lock of the data directory.
 * @returns whether there was one.
 */
export function finishRestore(dir: string, now: Date): boolean {
  rmSync(join(dir, NEW), { recursive: true, force: true });
  if (isThere(join(dir, READY))) {
    putAside(dir, now);
    renameSync(join(dir, READY), join(dir, PLACING));
  }
  if (!isThere(join(dir, PLACING))) return false;
  for (const name of readdirSync(join(dir, PLACING))) renameSync(join(dir, PLACING, name), join(dir, name));
  rmdirSync(join(dir, PLACING));
  forgetOldest(dir);
  return true;
}
