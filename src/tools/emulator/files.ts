/** The two files of the emulator's data directory, written so that a crash at any moment leaves a state that can be read. */
import { readFileSync, writeFileSync } from "node:fs";
import { open, rename, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";

/** The whole state after the change number `seq`. */
export interface Snapshot {
  readonly seq: number;
  readonly state: unknown;
}

export const snapshotPath = (dir: string): string => join(dir, "emulator.state");
export const journalPath = (dir: string): string => join(dir, "emulator.journal");

export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces the snapshot: temporary file, fsync, rename, fsync of the directory. When this returns, it has survived.
 * @returns its size in bytes. @throws the system's error; the old snapshot then still stands.
 */
export async function writeSnapshot(dir: string, snapshot: Snapshot): Promise<number> {
  const path = snapshotPath(dir);
  const state = Buffer.from(JSON.stringify(snapshot.state));
  const head = Buffer.from(
    `${JSON.stringify({ format: 1, seq: snapshot.seq, bytes: state.length, crc32: crc32(state) })}\n`,
  );
  const file = await open(`${path}.tmp`, "w", 0o600);
  try {
    await file.writeFile(Buffer.concat([head, state]));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  await syncDirectory(dirname(path));
  return head.length + state.length;
}

/** @returns undefined when there is none. @throws DroverError when it is damaged: nothing is thrown away by itself. */
export function readSnapshot(dir: string): Snapshot | undefined {
  const path = snapshotPath(dir);
  const bytes = readOptional(path);
  if (bytes === undefined) return undefined;
  const damaged = (what: string, cause?: unknown): DroverError =>
    new DroverError(
      "DROVER_E_DATA_DIR",
      `the emulator's state ${path} is damaged (${what}): restore it from a backup, or move the folder away to begin with the sample again`,
      { cause },
    );
  const end = bytes.indexOf(0x0a);
  try {
    const head = JSON.parse(bytes.toString("utf8", 0, Math.max(end, 0))) as {
      format: number;
      seq: number;
      bytes: number;
      crc32: number;
    };
    const state = bytes.subarray(end + 1);
    if (head.format !== 1) throw damaged(`format ${head.format}, expected 1`);
    if (state.length !== head.bytes || crc32(state) !== head.crc32)
      throw damaged("its checksum does not match");
    return { seq: head.seq, state: JSON.parse(state.toString("utf8")) };
  } catch (error) {
    throw error instanceof DroverError ? error : damaged(messageOf(error), error);
  }
}

/** @returns the file's bytes, or undefined when it is not there. */
export function readOptional(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw storageError(`can't read ${path}`, error);
  }
}

/** Keeps what the journal could not read, beside it, before it is cut off. @returns the new file's path. */
export function quarantine(path: string, bytes: Buffer, at: Date): string {
  const aside = `${path}.corrupt-${at.toISOString().replace(/[:.]/g, "-")}`;
  writeFileSync(aside, bytes, { flag: "wx", mode: 0o600, flush: true });
  return aside;
}

/** Opens the journal for appending, cut to `length`, with directory and file on disk. */
export async function openJournal(dir: string, length: number): Promise<FileHandle> {
  const handle = await open(journalPath(dir), "a", 0o600);
  await handle.truncate(length);
  await handle.sync();
  await syncDirectory(dir);
  return handle;
}
