/** Owners of files and rights of users, for a daemon that root starts for another user. */
import { chownSync, closeSync, constants, fstatSync, openSync, readdirSync, statSync } from "node:fs";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const isRoot = (): boolean => process.geteuid?.() === 0;

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

/**
 * Acts with another user's rights from now on, without its other groups. Root may still take its own back, with `asRoot`, until
 * `dropRoot`. For root alone.
 */
export function enterUser({ uid, gid }: Owner): void {
  process.setgroups?.([gid]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
}

/** Gives up root permanently: real, effective and saved ids. @throws Error when the kernel would let it come back. */
export function dropRoot({ uid, gid }: Owner): void {
  process.seteuid?.(0);
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  try {
    process.seteuid?.(0);
  } catch {
    return; // EPERM: as it must be
  }
  throw new Error("root's rights can still be taken back");
}

/** Runs `work` with root's rights, in a process of root that has entered another user; in any other process just runs it. */
export function asRoot<T>(work: () => T): T {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  if (uid === 0 || process.getuid?.() !== 0) return work();
  process.seteuid?.(0);
  process.setegid?.(0);
  try {
    return work();
  } finally {
    process.setegid?.(gid);
    process.seteuid?.(uid);
  }
}

/**
 * Runs `work` as the owner of a folder, when root does it: a file that root creates there could not be opened by the daemon.
 * What root alone may read has to be open before.
 */
export function actingAsOwnerOf<T>(folder: string, work: () => T): T {
  const { uid, gid } = statSync(folder);
  return uid === 0 ? work() : actingAs({ uid, gid }, work);
}

/** Runs `work` with another user's rights; in a process that is not root's just runs it. */
export function actingAs<T>(owner: Owner, work: () => T): T {
  if (!isRoot()) return work();
  const groups = process.getgroups?.() ?? [];
  enterUser(owner);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(process.getgid?.() ?? 0);
    process.setgroups?.(groups);
  }
}
