/** Owners of files, for a master that runs as root and children that do not. */
import { chownSync, closeSync, constants, fstatSync, lchownSync, lstatSync, openSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "./errors.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const isRoot = (): boolean => process.geteuid?.() === 0;

/** Gives a path itself, not what a symlink leads to, to an owner. A file with several names keeps its owner: one of them may be elsewhere. */
export function give(path: string, { uid, gid }: Owner): void {
  const found = lstatSync(path);
  if ((found.uid === uid && found.gid === gid) || (found.isFile() && found.nlink > 1)) return;
  lchownSync(path, uid, gid);
}

/** Linux's flag of a descriptor that only names a file, see open(2); Node.js does not list it. */
const O_PATH = 0o10_000_000;

/**
 * Gives a directory and everything in it, but for symlinks. Its new owner may have processes that exchange what is in it meanwhile for a
 * symlink or a further name of a file elsewhere: each file is looked at, and given, through a descriptor. Linux only.
 */
export function giveTree(path: string, owner: Owner): void {
  const named = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(named);
    if (found.isSymbolicLink()) return;
    const same = `/proc/self/fd/${named}`;
    const isShared = found.isFile() && found.nlink > 1;
    if (!isShared && (found.uid !== owner.uid || found.gid !== owner.gid)) chownSync(same, owner.uid, owner.gid);
    if (!found.isDirectory()) return;
    for (const name of readdirSync(same)) giveTree(`${same}/${name}`, owner);
  } finally {
    closeSync(named);
  }
}

/** A file that root makes in another user's directory becomes that user's. */
export function giveToFolder(path: string): void {
  if (!isRoot()) return;
  const { uid, gid } = statSync(dirname(path));
  try {
    if (uid !== 0) give(path, { uid, gid });
  } catch (e) {
    if (errnoOf(e) !== "EPERM") throw e; // a root without CAP_CHOWN, as in some containers, keeps what it makes
  }
}

/** Runs `work` with another user's rights; for root alone. */
export function actingAs<T>({ uid, gid }: Owner, work: () => T): T {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([gid]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(process.getgid?.() ?? 0);
    process.setgroups?.(groups);
  }
}
