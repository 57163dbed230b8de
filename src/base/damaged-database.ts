/**
 * Tells a damaged SQLite database from a disk that fails. SQLite reports a read that failed as SQLITE_IOERR, but in some places as
 * SQLITE_CORRUPT or as a line of quick_check (SQLITE_IOERR_CORRUPTFS, 8458), so its verdict alone proves no damage.
 */
import { closeSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import { errnoOf, messageOf } from "./errors.ts";

const CHUNK = 1_048_576;

/** Reads a file to its end. A missing one is fine. @throws a system error, such as EIO. */
function readFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (e) {
    if (errnoOf(e) === "ENOENT") return;
    throw e;
  }
  const chunk = Buffer.allocUnsafe(CHUNK);
  try {
    while (readSync(file, chunk) > 0);
  } finally {
    closeSync(file);
  }
}

/**
 * Opens a database. If it seems damaged, its files are read without SQLite, and it is opened once more.
 * Must not be called while this process has the database open: closing any descriptor of a file drops its fcntl(2) locks.
 * @param isDamage whether `open` found damage.
 * @returns what the second attempt found, if that is damage again. @throws what `open` throws otherwise, or a read's system error.
 */
export function openTwice<T>(
  path: string,
  open: () => T,
  isDamage: (thrown: unknown) => boolean,
): { readonly is: "open"; readonly value: T } | { readonly is: "damaged"; readonly why: string } {
  try {
    return { is: "open", value: open() };
  } catch (e) {
    if (!isDamage(e)) throw e;
  }
  for (const suffix of ["", "-wal"]) readFile(`${path}${suffix}`);
  try {
    return { is: "open", value: open() };
  } catch (e) {
    if (!isDamage(e)) throw e;
    return { is: "damaged", why: messageOf(e) };
  }
}

/** What SQLite, or drover, says of a file that can never be read. */
const DAMAGED = /not a database|malformed|has the format|JSON|no such (?:table|column)|file is encrypted/i;

/**
 * Opens a database that may be replaced by an empty one: a damaged file is renamed to `path.unreadable`, with its WAL.
 * @param replaced is called then. @throws what `open` throws unless the file is damaged, or a system error.
 */
export function openOrReplace<T>(path: string, open: () => T, replaced: (why: string) => void): T {
  const opened = openTwice(path, open, (e) => DAMAGED.test(messageOf(e)));
  if (opened.is === "open") return opened.value;
  const aside = `${path}.unreadable`;
  rmSync(`${aside}-wal`, { force: true });
  renameSync(path, aside);
  try {
    renameSync(`${path}-wal`, `${aside}-wal`);
  } catch (e) {
    if (errnoOf(e) !== "ENOENT") throw e;
  }
  rmSync(`${path}-shm`, { force: true }); // an index of the WAL, which SQLite makes again
  replaced(opened.why);
  return open();
}
