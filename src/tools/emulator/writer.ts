/**
 * Appends to the journal, and replaces it by snapshots: one loop does all that touches the file, so nothing of it overlaps.
 * Entries that arrive while the disk is busy share its next flush (group commit).
 */
import type { FileHandle } from "node:fs/promises";
import { encodeEntry, type Entry } from "./journal.ts";

export interface WriterPorts {
  /** Makes everything up to now survive without the journal. @returns the bytes that took. */
  readonly snapshot: () => Promise<number>;
  /** The journal's size in bytes beyond which a snapshot is due, unless the last one was larger: then that. */
  readonly most: number;
  /** A write, flush or snapshot failed: nothing is tried again. @returns the error for everyone who waits. */
  readonly failed: (error: unknown) => Error;
}

interface Waiting {
  readonly entry: Entry;
  readonly bytes: Buffer;
  readonly done: PromiseWithResolvers<void>;
}

export class JournalWriter {
  readonly #file: FileHandle;
  readonly #ports: WriterPorts;
  #bytes: number;
  /** Snapshots cost what the state is large: they come as often as the journal has doubled it. */
  #most: number;
  #queue: Waiting[] = [];
  /** Written or being written, and not yet known to be on disk. */
  #flushing: readonly Waiting[] = [];
  #due: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;

  /** @param bytes the file's length. */
  constructor(file: FileHandle, bytes: number, ports: WriterPorts) {
    this.#file = file;
    this.#bytes = bytes;
    this.#ports = ports;
    this.#most = ports.most;
  }

  /** @returns when the entry is on disk. */
  append(entry: Entry): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#queue.push({ entry, bytes: encodeEntry(entry), done });
    this.#running ??= this.#run();
    return done.promise;
  }

  /** @returns when all that was appended so far is on disk, or undefined when it is. */
  settled(): Promise<void> | undefined {
    return (this.#queue.at(-1) ?? this.#flushing.at(-1))?.done.promise;
  }

  /** What may not be on disk yet, oldest first. */
  unsettled(): readonly Entry[] {
    return [...this.#flushing, ...this.#queue].map((waiting) => waiting.entry);
  }

  /** Takes a snapshot and empties the journal. @returns when that is on disk. */
  compact(): Promise<void> {
    this.#due ??= Promise.withResolvers<void>();
    this.#running ??= this.#run();
    return this.#due.promise;
  }

  async close(): Promise<void> {
    try {
      await this.#running;
      if (this.#bytes > 0) await this.compact();
    } finally {
      await this.#file.close();
    }
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // whatever else arrives in this turn of the loop shares the first write
    try {
      while (this.#queue.length > 0 || this.#due !== undefined) {
        if (this.#queue.length > 0) await this.#flush();
        if (this.#due !== undefined || this.#bytes > this.#most) await this.#replace();
      }
    } catch (error) {
      this.#refuse(this.#ports.failed(error));
    } finally {
      this.#running = undefined;
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#queue;
    this.#queue = [];
    this.#flushing = batch;
    const bytes = Buffer.concat(batch.map((waiting) => waiting.bytes));
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#bytes += bytes.length;
    this.#flushing = [];
    for (const { done } of batch) done.resolve();
  }

  /** What still waits in the queue is in the snapshot too: the next start skips it in the journal. */
  async #replace(): Promise<void> {
    const due = this.#due;
    this.#due = undefined;
    try {
      this.#most = Math.max(this.#ports.most, await this.#ports.snapshot());
      await this.#file.truncate(0);
      await this.#file.datasync();
    } catch (error) {
      due?.reject(error);
      throw error;
    }
    this.#bytes = 0;
    due?.resolve();
  }

  #refuse(error: Error): void {
    const waiting = [...this.#flushing, ...this.#queue].map(({ done }) => done);
    if (this.#due !== undefined) waiting.push(this.#due);
    this.#flushing = [];
    this.#queue = [];
    this.#due = undefined;
    for (const { promise, reject } of waiting) {
      promise.catch(() => {}); // its caller may have gone; the failure itself has been reported
      reject(error);
    }
  }
}
