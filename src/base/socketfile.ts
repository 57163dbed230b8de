/** The file of a unix socket: recognised later, and removed only by the process that put it there. */
import { lstatSync, mkdirSync, unlinkSync } from "node:fs";
import net from "node:net";
import { DroverError, errnoOf } from "./errors.ts";
import { lockFile, type FileLock } from "./filelock.ts";

/** A file that this process put at a path. Birth time: a file system gives the inode of a removed file to the next one. */
export interface Placed {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly born: number;
}

/** The file that this process has just put at a path. @throws Error with `code` when there is none. */
export function identify(path: string): Placed {
  const { dev, ino, birthtimeMs: born } = lstatSync(path);
  return { path, dev, ino, born };
}

/** What is at the path of a file that this process placed; a path that can't be looked at is foreign. Never throws. */
export function standing({ path, dev, ino, born }: Placed): "ours" | "missing" | "foreign" {
  try {
    const found = lstatSync(path);
    return found.isSocket() && found.dev === dev && found.ino === ino && found.birthtimeMs === born ? "ours" : "foreign";
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? "missing" : "foreign";
  }
}

/** Removes the file if it is still the one that was placed. */
export function removePlaced(placed: Placed): void {
  try {
    if (standing(placed) === "ours") unlinkSync(placed.path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** Removes a socket of any process, and nothing else. */
export function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
  }
}

/** What an operator reads when a path was taken. */
export const takenText = (what: string, path: string): string =>
  `${what} can't be made again: ${path} is something else now. Remove it: the socket is back within a second`;

/** For a path at which this process would put a socket. */
export const inTheWay = (path: string): DroverError =>
  new DroverError("DROVER_E_SETTINGS", `${path} is in the way: it is no socket, so it is not removed`);

const taken = (path: string): DroverError =>
  new DroverError("DROVER_E_PORT", `another process listens on ${path}: stop it, or choose another path`);

/**
 * Reserves a socket's path for this process, until `remove` or its end. A socket that is bound and does not listen yet refuses connections as
 * one of a dead process does: without the lock, two processes that start at once would remove each other's.
 * @throws DroverError DROVER_E_PORT while another process has it.
 */
export function reserve(path: string): FileLock {
  const lock = lockFile(`${path}.lock`);
  if (lock === undefined) throw taken(path);
  return lock;
}

/** Removes a socket file that no process listens on any more. The path is reserved. @throws DroverError when one does, or when it is no socket. */
export async function clearStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inTheWay(path);
  if (await answers(path)) throw taken(path);
  removeSocket(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Only these two say that no process listens: EAGAIN is a full backlog, EMFILE our own lack of descriptors.
    probe.once("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(errnoOf(error) ?? "")));
  });
}

/**
 * Makes a directory that only this user can enter.
 * @throws DroverError when another user owns what is there: in a shared /tmp that is an attack.
 */
export function privateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const uid = process.geteuid?.();
  if (!found.isDirectory() || (uid !== undefined && found.uid !== uid)) {
    throw new DroverError(
      "DROVER_E_DATA_DIR",
      `${path} is not a directory of this user: sockets can't be put there. Set DROVER_RUN_DIR to a short path of your own`,
    );
  }
}
