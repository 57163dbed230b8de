/** The journal as the broker has it: each operation is handed to its thread, which has the file. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { storageError } from "../../base/storage.ts";
import { mebibytes, seconds, type Bytes, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import type { Write } from "../../sheets/writes.ts";
import type { Added, Addition, Batch, Entry, Journal, LastAccepted, Once, Recovered, SetAside, Settlement, Tag } from "./journal.ts";
import type { AddOp, AddResult, Limits, Named, Retried } from "./messages.ts";
import { Queue } from "./queue.ts";
import { decodeEntry, encodeEntry } from "./records.ts";
import { SteadyClock } from "./steady.ts";
import { startThread, type Thread } from "./start.ts";

export interface JournalOptions {
  /** The data directory; made when it is missing. */
  readonly dir: string;
  readonly now: () => Timestamp;
  /** Monotonic: shows steps of `now`. */
  readonly monotonic?: () => Instant;
  readonly log: Logger;
  /** Whose rows it takes; left out: it is not asked. */
  readonly spreadsheet?: string;
  /** From outside the journal: names what a damaged one has lost. */
  readonly lastAccepted?: LastAccepted | undefined;
  /** How long to wait for a broker that is leaving. */
  readonly patience?: Ms;
  readonly limits?: Partial<Limits>;
  /** The thread died twice, or its files are not those it had: the process must be started again. */
  readonly onFatal: (why: string) => void;
  /** For tests: the database's most pages, and how much of the disk is kept for emptying the journal. */
  readonly mostPages?: number;
  readonly reserve?: Bytes;
}

const LIMITS: Limits = {
  waitingBytes: mebibytes(64),
  waiting: 100_000,
  landed: 500_000,
  landedBytes: mebibytes(256),
  parked: 10_000,
  parkedBytes: mebibytes(64),
  once: 500_000,
  call: 100_000,
};
const PATIENCE = seconds(10);
const TIDY = seconds(1);
/** A journal at rest is tidied once in so many times. */
const REST = 60;
/** A client's key may be long and is a client's: only its digest is kept. */
const named = ({ key, digest, keep }: Once): Named => ({
  name: createHash("sha256").update(key).digest("base64url"),
  digest,
  ring: keep === undefined ? "once" : "call",
});

class ThreadJournal implements Journal {
  readonly recovered: Recovered;
  readonly #options: JournalOptions;
  readonly #limits: Limits;
  readonly #clock: SteadyClock;
  readonly #queue: Queue;
  readonly #tidying: NodeJS.Timeout;
  /** Since the last tidying. */
  #ticks = 0;
  /** There may be something to purge. */
  #untidy = true;
  #tidies = false;
  /** The wall clock just after the last step that was seen. */
  #stepped: Timestamp | undefined;
  #lastAccepted: LastAccepted | undefined;

  constructor(options: JournalOptions, limits: Limits, thread: Thread) {
    const { dir, now, log, onFatal } = options;
    this.#options = options;
    this.#limits = limits;
    this.#clock = new SteadyClock({ now: options.monotonic ?? systemClock.now, wall: now });
    this.recovered = thread.recovered;
    this.#lastAccepted = options.lastAccepted;
    const start = (): Promise<Thread> => startThread({ ...options, lastAccepted: this.#lastAccepted }, limits, PATIENCE);
    this.#queue = new Queue({ dir, clock: this.#clock, log, onFatal, start }, thread);
    this.#tidying = setInterval(() => this.#tidy(), TIDY).unref();
    if (this.recovered.damage !== undefined) this.#tidy(); // it is logged now, and need not be again
  }

  get setAside(): number {
    return this.#queue.state.setAside;
  }

  get trouble(): string | undefined {
    return this.#queue.state.trouble;
  }

  async add({ entries, once }: Addition): Promise<Added> {
    const records = entries.map(encodeEntry);
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    const { over, size } = this.#queue;
    if (over !== undefined) return { is: "disk", message: over };
    if (size.bytes + bytes > this.#limits.waitingBytes || size.calls >= this.#limits.waiting)
      return {
        is: "full",
        message: `${size.bytes} bytes wait for the journal's disk, and at most ${this.#limits.waitingBytes} may`,
      };
    const op: AddOp = {
      do: "add",
      ids: entries.map(({ id }) => id),
      records,
      once: once === undefined ? undefined : named(once),
    };
    return await new Promise<Added>((resolve, reject) => {
      this.#queue.push(op, bytes, {
        resolve: (value, resent) => resolve(this.#added(value as AddResult, records, resent)),
        fail: (why) =>
          this.#queue.over === undefined ? reject(new DroverError("DROVER_E_BUG", why)) : resolve({ is: "disk", message: why }),
      });
    });
  }

  #added(result: AddResult, records: readonly string[], resent: boolean): Added {
    if (result.is === "added") this.#lastAccepted = { identity: this.recovered.identity, lsn: result.firstLsn + records.length - 1 };
    if (result.is === "added" || (result.is === "known" && resent))
      return { is: "added", entries: records.map((record, i) => decodeEntry(result.firstLsn + i, record)) };
    return result.is === "known" ? { is: "repeated", writes: result.writes } : result;
  }

  recall(once: Once): Promise<Extract<Added, { is: "repeated" | "reused" | "disk" }> | undefined> {
    return this.#queue.ask({ do: "recall", once: named(once) });
  }

  seal(batch: Batch, nextMetadataId: number): Promise<void> {
    return this.#queue.ask({ do: "seal", batch, nextMetadataId }, batch.body.byteLength);
  }

  sent(nr: number, at: Timestamp): Promise<void> {
    return this.#queue.ask({ do: "sent", nr, at });
  }

  settle(nr: number | undefined, how: Settlement): Promise<void> {
    return this.#queue.ask({ do: "settle", nr, how });
  }

  dropFences(ids: readonly number[]): Promise<void> {
    return this.#queue.ask({ do: "dropFences", ids });
  }

  keepTags(kept: readonly Tag[], dropped: readonly number[], nextMetadataId: number): Promise<void> {
    return this.#queue.ask({ do: "keepTags", kept, dropped, nextMetadataId });
  }

  find(id: string): Promise<Write | undefined> {
    return this.#queue.ask({ do: "find", id });
  }

  parked(most: number): Promise<readonly Write[]> {
    return this.#queue.ask({ do: "parked", most });
  }

  aside(most: number, ids?: readonly string[]): Promise<readonly SetAside[]> {
    return this.#queue.ask({ do: "aside", most, ids });
  }

  async retry(lsns: readonly number[]): Promise<readonly (Entry | undefined)[]> {
    const again = await this.#queue.ask<readonly (Retried | undefined)[]>({ do: "retry", lsns });
    return again.map((each) => (each === undefined ? undefined : decodeEntry(each.lsn, each.record)));
  }

  discard(lsns: readonly number[]): Promise<readonly boolean[]> {
    return this.#queue.ask({ do: "discard", lsns });
  }

  copy(to: string): Promise<void> {
    return this.#queue.copy(to);
  }

  async close(): Promise<void> {
    clearInterval(this.#tidying);
    await this.#queue.close();
  }

  #tidy(): void {
    this.#ticks += 1;
    const { since } = this.#clock.look();
    if (since !== this.#stepped) this.#untidy = true; // to be noted soon
    this.#stepped = since;
    if (this.#queue.over !== undefined) return clearInterval(this.#tidying);
    this.#untidy ||= this.trouble !== undefined;
    if (this.#tidies || this.#ticks < (this.#untidy ? 1 : REST)) return;
    this.#ticks = 0;
    this.#untidy = false;
    this.#tidies = true;
    const tidied = this.#queue.ask<boolean>({ do: "tidy" }).finally(() => (this.#tidies = false));
    tidied.then(
      (more) => {
        this.#untidy ||= more;
      },
      (e: unknown) => this.#options.log.warn({ dir: this.#options.dir }, messageOf(e)),
    );
  }
}

/**
 * Opens the journal in `dir`, or makes one, in a thread of its own.
 * @returns once it holds the lock and has read what waits.
 * @throws DroverError DROVER_E_RUNNING when another broker keeps it longer than `patience`; DROVER_E_JOURNAL when a newer drover wrote it, or writes for
 * another spreadsheet wait in it;
 * DROVER_E_DATA_DIR when it can't be read or written; DROVER_E_DISK when the disk is full, read-only or fails: a later try may succeed.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const limits: Limits = { ...LIMITS, ...options.limits };
  try {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  } catch (e) {
    throw storageError(`the data directory ${options.dir} can't be made`, e);
  }
  const thread = await startThread(options, limits, options.patience ?? PATIENCE);
  if (thread.recovered.damage !== undefined) options.log.error({ dir: options.dir }, thread.recovered.damage);
  return new ThreadJournal(options, limits, thread);
}
