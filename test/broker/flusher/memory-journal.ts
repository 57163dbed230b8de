/** A journal in memory: what is in `disk` has been made durable, and outlives the one who uses it. */
import type { Timestamp } from "../../../src/base/units.ts";
import type { Batch, Entry, Journal, NewEntry, OldFence, Recovered, Settlement } from "../../../src/broker/journal/journal.ts";

interface Disk {
  identity: string;
  nextMetadataId: number;
  lsn: number;
  entries: Entry[];
  batches: Batch[];
  fences: OldFence[];
  parked: { lsn: number; reason: string }[];
  landed: number;
}

export const newDisk = (identity: string, start: number): Disk => ({
  identity,
  nextMetadataId: start,
  lsn: 0,
  entries: [],
  batches: [],
  fences: [],
  parked: [],
  landed: 0,
});

/** `at` is awaited before and after each change: a crash at either is a promise that is never kept. */
export class MemoryJournal implements Journal {
  readonly recovered: Recovered;
  readonly trouble = undefined;
  readonly #disk: Disk;
  readonly #at: () => Promise<void>;

  constructor(disk: Disk, at: () => Promise<void>) {
    this.#disk = disk;
    this.#at = at;
    const { identity, nextMetadataId, entries, batches, fences, landed } = structuredClone(disk);
    this.recovered = {
      identity,
      nextMetadataId,
      nextBatch: nextMetadataId,
      entries,
      batches,
      fences,
      tags: [],
      parked: disk.parked.length,
      landed,
      damage: undefined,
    };
  }

  /** What clients do: durable at once. */
  take(entry: NewEntry): Entry {
    const taken = { ...entry, lsn: (this.#disk.lsn += 1) };
    this.#disk.entries.push(taken);
    return taken;
  }

  copy(): Promise<void> {
    return Promise.reject(new Error("memory is not copied"));
  }

  seal(batch: Batch, nextMetadataId: number): Promise<void> {
    return this.#change(() => {
      this.#disk.batches.push(batch);
      this.#disk.nextMetadataId = nextMetadataId;
    });
  }

  sent(nr: number, at: Timestamp): Promise<void> {
    return this.#change(() => {
      this.#disk.batches = this.#disk.batches.map((batch) => (batch.nr === nr ? { ...batch, sentAt: at } : batch));
    });
  }

  settle(nr: number | undefined, how: Settlement): Promise<void> {
    return this.#change(() => {
      const disk = this.#disk;
      const batch = disk.batches.find((each) => each.nr === nr);
      disk.batches = disk.batches.filter((each) => each !== batch);
      if (batch !== undefined) disk.fences.push({ id: batch.fence.id, settledAt: how.at });
      const parked = how.parked.filter(({ lsn }) => disk.entries.some((entry) => entry.lsn === lsn));
      const over = new Set([...how.landed, ...parked.map(({ lsn }) => lsn)]);
      const before = disk.entries.length;
      disk.entries = disk.entries.filter(({ lsn }) => !over.has(lsn));
      disk.parked.push(...parked);
      disk.landed += before - disk.entries.length - parked.length;
    });
  }

  dropFences(ids: readonly number[]): Promise<void> {
    return this.#change(() => void (this.#disk.fences = this.#disk.fences.filter(({ id }) => !ids.includes(id))));
  }

  async #change(act: () => void): Promise<void> {
    await this.#at();
    act();
    await this.#at();
  }

  add(): never {
    throw new Error("clients use take()");
  }
  recall(): never {
    throw new Error("clients use take()");
  }
  keepTags(): never {
    throw new Error("tags are not kept");
  }
  find(): never {
    throw new Error("not used");
  }
  readonly setAside = 0;
  aside(): never {
    throw new Error("not used");
  }
  retry(): never {
    throw new Error("not used");
  }
  discard(): never {
    throw new Error("not used");
  }
  parked(): never {
    throw new Error("not used");
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

export type { Disk };
