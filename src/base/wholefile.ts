/**
 * Files that are replaced as a whole: a reader, and a start after a crash, finds the old content or the new one. Contents are
 * synced before the name: a name reaches the disk with the file system's next commit, which any other file's fsync(2) causes,
 * and unsynced contents up to 30 s later, so that a power cut would leave an empty file under it.
 */
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./errors.ts";

/** Makes the names in the folder of `path` durable. */
export const syncFolder = (path: string): void => sync(dirname(path));

/** Makes a file's content, or a folder's names, durable. */
export function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes a file unless there is one, mode 0600. @returns false when there is. @throws Error with `code` when the disk refuses. */
export function makeFile(path: string, content: string): boolean {
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  try {
    writeFileSync(fresh, content, { flag: "wx", mode: 0o600, flush: true });
    linkSync(fresh, path);
    syncFolder(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

/**
 * On disk when it returns, mode 0600.
 * @param isCurrent false just before the file is replaced: the old content stays.
 * @throws Error with `code` when the disk refuses; the old content stays.
 */
export function replaceFile(path: string, content: string, isCurrent: () => boolean = () => true): void {
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  try {
    writeFileSync(fresh, content, { flag: "wx", mode: 0o600, flush: true });
    if (!isCurrent()) return rmSync(fresh, { force: true });
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  syncFolder(path);
}

/**
 * The same without blocking the event loop. One at a time for one path. Rejects when the disk
 * refuses.
 * @param fresh where it is made: a name for all processes, so that what a crash leaves is removed by the next write, unless two may write at once.
 * @param signal aborted: the file stays as it is, because newer content was written meanwhile.
 */
export async function replaceFileInBackground(path: string, content: string, fresh = `${path}.next`, signal?: AbortSignal): Promise<void> {
  await rm(fresh, { force: true });
  try {
    await writeFile(fresh, content, { flag: "wx", mode: 0o600, flush: true });
    signal?.throwIfAborted();
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
