/** Snapshots on disk: what is visible of each table, so that a restart serves at once. A file is a frame and its SHA-256. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, messageOf } from "../base/errors.ts";
import { encodeFrame, FrameReader } from "../base/frames.ts";
import type { Logger } from "../base/log.ts";
import { storageError } from "../base/storage.ts";
import { minutes, ms } from "../base/units.ts";
import { readLayout, type Layout } from "../sheets/layout.ts";
import { Snapshot } from "../sheets/snapshot.ts";
import type { SnapshotHead } from "../sheets/types.ts";

const CHECKSUM = 32;
const UNFINISHED = minutes(1);
const checksum = (parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** A table that changes without end is written so far apart, unless somebody waits for it: the journal has what came meanwhile. */
const APART = ms(500);

/** One table's file: the write under way, and the one that follows it. */
interface Writing {
  /** Somebody waits. */
  hurry: PromiseWithResolvers<void>;
  next: { readonly work: () => Promise<void>; readonly written: PromiseWithResolvers<void> } | undefined;
  now: Promise<void>;
  readonly done: Promise<void>;
}

export interface Saved {
  readonly head: SnapshotHead;
  readonly bytes: Uint8Array;
  /** Of a table that may be written to: hidden columns are named in it, so that it goes nowhere but here. */
  readonly layout?: Layout;
}

/** @throws Error that says what is wrong with the file, or undefined when it is another definition's. */
function decode(file: Buffer, table: string, definition: string): Saved | undefined {
  const content = file.subarray(0, -CHECKSUM);
  if (file.length <= CHECKSUM || !checksum([content]).equals(file.subarray(-CHECKSUM))) throw new Error("its checksum does not fit");
  const [frame] = new FrameReader().push(content);
  const { head, cut, layout } = Object(frame?.head) as { head?: SnapshotHead; cut?: string; layout?: unknown };
  if (frame === undefined || head?.table !== table) throw new Error("it is another table's");
  if (cut !== definition) return undefined;
  const bytes = Uint8Array.from(frame.body);
  void new Snapshot(bytes.buffer); // throws when it is not whole
  const place = layout === undefined ? undefined : readLayout(layout, table);
  return place === undefined ? { head, bytes } : { head, bytes, layout: place };
}

/** @returns after half a second, or as soon as somebody waits. */
async function apart(hurried: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, APART);
  await Promise.race([over.promise, hurried]);
  clearTimeout(timer);
}

async function writeNext(writing: Writing): Promise<void> {
  await apart(writing.hurry.promise);
  const next = writing.next as NonNullable<Writing["next"]>; // it may be a later one by now, never none
  writing.hurry = Promise.withResolvers();
  [writing.next, writing.now] = [undefined, next.work()];
  await writing.now;
  next.written.resolve();
}

/** The folder of snapshots. Table names are file names: letters, digits, - and _. */
export class SnapshotFiles {
  readonly #folder: string;
  readonly #log: Logger;
  /** One write a table at a time; what comes meanwhile waits, and only its latest is written. */
  readonly #writing = new Map<string, Writing>();

  /** @throws DroverError DROVER_E_DATA_DIR or DROVER_E_DISK. */
  constructor(dataDir: string, log: Logger) {
    this.#folder = join(dataDir, "snapshots");
    this.#log = log;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    } catch (e) {
      throw storageError(`the directory ${this.#folder} can't be made`, e);
    }
    this.#sweep();
  }

  /** Removes what a broker that was killed had not finished; one that is at work now has a younger file. */
  #sweep(): void {
    for (const name of readdirSync(this.#folder).filter((file) => /\.snap\.\d+$/.test(file))) {
      const path = join(this.#folder, name);
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
      if (age > UNFINISHED) rmSync(path, { force: true });
    }
  }

  /**
   * @param definition fingerprint of how the table is cut now: rows that were cut otherwise may show what is hidden now.
   * @returns the snapshot, or undefined when there is none that may be served; a damaged one is said in the log.
   */
  read(table: string, definition: string): Saved | undefined {
    const path = join(this.#folder, `${table}.snap`);
    try {
      const saved = decode(readFileSync(path), table, definition);
      if (saved === undefined) this.#log.info({ table }, "the snapshot on disk was cut by other settings: it is not used");
      return saved;
    } catch (e) {
      if (errnoOf(e) !== "ENOENT") this.#log.warn({ table, path }, `the snapshot on disk is not used: ${messageOf(e)}`);
      return undefined;
    }
  }

  /** @returns how many rows are on disk that another definition of the table cut; undefined: there is no such file. */
  rowsOfOther(table: string, definition: string): number | undefined {
    try {
      const file = readFileSync(join(this.#folder, `${table}.snap`));
      const [frame] = new FrameReader().push(file.subarray(0, -CHECKSUM));
      const { cut } = Object(frame?.head) as { cut?: string };
      if (frame === undefined || cut === definition) return undefined;
      return new Snapshot(Uint8Array.from(frame.body).buffer).rowCount;
    } catch (e) {
      if (errnoOf(e) !== "ENOENT") this.#log.debug({ table }, `the snapshot on disk can't be compared: ${messageOf(e)}`);
      return undefined; // a damaged file is reported when it is loaded
    }
  }

  /** Writes a snapshot: whole and synced, or not at all. A failure is said in the log. */
  write({ head, bytes, layout }: Saved, definition: string): void {
    const work = (): Promise<void> => this.#replace(head.table, [...encodeFrame({ head, cut: definition, layout }, bytes)]);
    const busy = this.#writing.get(head.table);
    if (busy !== undefined) busy.next = { work, written: busy.next?.written ?? Promise.withResolvers() };
    else {
      const now = work();
      const hurry = Promise.withResolvers<void>();
      const writing: Writing = { hurry, next: undefined, now, done: now.then(() => this.#follow(head.table)) };
      this.#writing.set(head.table, writing);
    }
  }

  /** @returns when what was handed over of a table is on disk, or could not be written. */
  async written(table: string): Promise<void> {
    const busy = this.#writing.get(table);
    busy?.hurry.resolve();
    await (busy?.next?.written.promise ?? busy?.now);
  }

  /** @returns when everything is on disk. */
  async flushed(): Promise<void> {
    for (const { hurry } of this.#writing.values()) hurry.resolve();
    await Promise.all([...this.#writing.values()].map(({ done }) => done));
  }

  /** What came while a file was written, until nothing more has come. */
  async #follow(table: string): Promise<void> {
    for (let writing = this.#writing.get(table); writing?.next !== undefined; writing = this.#writing.get(table))
      // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
      await writeNext(writing);
    this.#writing.delete(table);
  }

  async #replace(table: string, parts: Uint8Array[]): Promise<void> {
    const path = join(this.#folder, `${table}.snap`);
    const temporary = `${path}.${process.pid}`;
    try {
      const file = await open(temporary, "w", 0o600);
      try {
        await file.writeFile([...parts, checksum(parts)]); // all of it, or an error: writev(2) may write less than asked
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      const folder = await open(this.#folder, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (e) {
      this.#log.error({ table, path }, `the snapshot can't be written, a restart will have to ask Google: ${messageOf(e)}`);
      await unlink(temporary).catch(() => {}); // it may not even be there
    }
  }
}
