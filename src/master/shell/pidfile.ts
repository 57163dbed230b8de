/**
 * `drover.pid` in the data directory, for people and for init scripts. Nothing of ours ever signals what it names: it is quoted at most,
 * and the kernel is asked first. So what somebody else puts in its place does no harm.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { messageOf } from "../../base/errors.ts";

/**
 * Writes this process's pid by rename: what stood there is replaced, a symlink itself and not what it leads to. A folder in its place,
 * or a disk that is full, must not keep a daemon down that serves from memory: the lock holds without it.
 * @returns why it could not be written, else undefined.
 */
export function writePid(pidfile: string): string | undefined {
  const fresh = `${pidfile}.${process.pid}`;
  try {
    rmSync(fresh, { force: true, recursive: true }); // left by one that died in between, or laid as a trap
    writeFileSync(fresh, `${process.pid}\n`, { mode: 0o644, flag: "wx" });
    renameSync(fresh, pidfile);
    return undefined;
  } catch (error) {
    rmSync(fresh, { force: true });
    if (lstatSync(pidfile, { throwIfNoEntry: false })?.isFile() === true) rmSync(pidfile, { force: true }); // it names one that has gone
    return messageOf(error);
  }
}

/** Writes the file again if it is missing. @returns whether it was. */
export function restorePid(pidfile: string): boolean {
  if (lstatSync(pidfile, { throwIfNoEntry: false }) !== undefined) return false;
  return writePid(pidfile) === undefined;
}

/** Removes the file if it still names this process. */
export function removeOwn(pidfile: string): void {
  if (readPid(pidfile) !== process.pid) return;
  try {
    rmSync(pidfile);
  } catch {
    // it stays and names a process that has gone: nobody believes it, and the next daemon replaces it
  }
}

/** Who holds a lock on `file`, as the kernel knows (/proc/locks), else as the pid file beside it says; undefined when neither tells. */
export function lockHolder(file: string, pidfile: string): number | undefined {
  try {
    const { ino } = statSync(file);
    const locks = readFileSync("/proc/locks", "utf8").matchAll(/^\d+: POSIX +\S+ +WRITE (\d+) \S+:(\d+) /gm);
    for (const [, pid, inode] of locks) if (Number(inode) === ino && Number(pid) > 0) return Number(pid);
  } catch {
    // no /proc here: the file must do
  }
  return readPid(pidfile);
}

const LONGEST = 16;

/** @returns undefined for whatever is no plain file with one pid in it; follows no symlink, waits for no pipe. */
function readPid(pidfile: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(pidfile, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.alloc(LONGEST);
    const text = buffer.toString("latin1", 0, readSync(fd, buffer, 0, LONGEST, 0));
    return /^[1-9]\d{0,9}\n?$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined; // not there, not readable, a symlink: it tells nothing
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
