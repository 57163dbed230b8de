/**
 * Records in an append-only file: one JSON object a line, with its time in `at` (ISO 8601). Bounded in bytes and in age, and only its
 * user reads it (0600). A line that a crash has cut is skipped, and the next append begins a new line.
 */
import { closeSync, constants, fchmodSync, fstatSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs";
import { withReserve } from "./descriptors.ts";
import { errnoOf } from "./errors.ts";
import { record } from "./fields.ts";
import type { Bytes, Ms, Timestamp } from "./units.ts";
import { replaceFile } from "./wholefile.ts";

export interface LineBounds {
  /** The file is shortened to half of this when it grows beyond it. */
  readonly bytes: Bytes;
  /** Older records are dropped by `shortenLines`, and skipped when the file is read. */
  readonly age: Ms;
}

export type LineRecord = { readonly at: string } & Readonly<Record<string, unknown>>;

const MODE = 0o600;
/** O_NONBLOCK: a pipe in its place is refused instead of waited for. O_NOFOLLOW: so is a symlink. */
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;
const LF = 0x0a;

/**
 * Appends records in one write. A file that grows too large is shortened by size alone: the clock
 * may be wrong now, and a record that is dropped by its age is lost permanently.
 * @throws Error with `code` when the file can't be opened or written; a partial line is then skipped by readers.
 */
export function appendLines(path: string, records: readonly LineRecord[], { bytes: most }: Pick<LineBounds, "bytes">): void {
  if (records.length === 0) return;
  // Whole: what is closed after the reserve was opened again would be missing from it.
  const size = withReserve(() => append(path, records.map((one) => `${JSON.stringify(one)}\n`).join("")));
  if (size > most) shorten(path, most, () => true);
}

/** @returns the size of the file then. */
function append(path: string, lines: string): number {
  const fd = openSync(path, APPEND, MODE);
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new Error(`${path} is no file (expected a file of records)`);
    if ((found.mode & 0o077) !== 0) fchmodSync(fd, MODE);
    return found.size + writeAll(fd, Buffer.from(endsWhole(fd, found.size) ? lines : `\n${lines}`));
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Buffer): number {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  return bytes.length;
}

function endsWhole(fd: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  return readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === LF;
}

/**
 * The records that are young enough, oldest first. A missing file has none; lines that are no records are skipped.
 * @throws Error with `code` when the file can't be read.
 */
export function readLines(path: string, { age }: Pick<LineBounds, "age">, now: Timestamp): readonly LineRecord[] {
  return (contentOf(path)?.toString() ?? "").split("\n").flatMap((line) => {
    const read = recordOf(line);
    return read !== undefined && isYoung(read, age, now) ? [read] : [];
  });
}

/**
 * Drops what is too old, and the oldest of too many. The file is replaced whole; it stays as it is when another process
 * appended meanwhile, until the next append.
 * @param now by a clock that has run steadily: it decides what is lost.
 * @throws Error with `code`.
 */
export const shortenLines = (path: string, { bytes, age }: LineBounds, now: Timestamp): void =>
  shorten(path, bytes, (at) => isYoung({ at }, age, now));

function shorten(path: string, most: Bytes, isKept: (at: string) => boolean): void {
  const content = contentOf(path);
  if (content === undefined) return;
  const size = content.length;
  const room = size > most ? most / 2 : most;
  const kept: string[] = [];
  let bytes = 0;
  for (const line of content.toString().split("\n").toReversed()) {
    const at = timeIn(line);
    if (at === undefined || !isKept(at)) continue;
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > room) break;
    kept.push(`${line}\n`);
  }
  if (bytes === size) return;
  const isAsRead = (): boolean => statSync(path).size === size;
  withReserve(() => replaceFile(path, kept.toReversed().join(""), isAsRead));
}

const contentOf = (path: string): Buffer | undefined => withReserve(() => readWhole(path));

function readWhole(path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, READ);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${path} is no file (expected a file of records)`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function recordOf(line: string): LineRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const read: unknown = JSON.parse(line);
    return record(read) && typeof read["at"] === "string" && !Number.isNaN(Date.parse(read["at"])) ? (read as LineRecord) : undefined;
  } catch {
    return undefined; // cut by a crash
  }
}

/** Without parsing the line: the master does this between its events. Quotes within strings are escaped, so no text looks like this. */
const timeIn = (line: string): string | undefined => (line.endsWith("}") ? /"at":"([^"]+)"/.exec(line)?.[1] : undefined);

const isYoung = ({ at }: Pick<LineRecord, "at">, age: Ms, now: Timestamp): boolean => Date.parse(at) > now - age;
