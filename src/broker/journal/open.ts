/** The journal as the broker has it: what is asked while a commit runs waits, and shares the next one. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { mebibytes, seconds, type Ms, type Timestamp } from "../../base/units.ts";
import type { Write } from "../../sheets/writes.ts";
import { Copies } from "./copies.ts";
import type { Added, Addition, Batch, Entry, Journal, Once, Recovered, SetAside, Settlement, Tag } from "./journal.ts";
import type { AddOp, AddResult, Limits, Named, Op, Result, Retried } from "./messages.ts";
import { decodeEntry, encodeEntry } from "./records.ts";
import { startThread, type Thread } from "./start.ts";

export interface JournalOptions {
  /** The data directory; made when it is missing. */
  readonly dir: string;
  readonly now: () => Timestamp;
  readonly log: Logger;
  /** Whose rows it takes; left out: it is not asked. */
  readonly spreadsheet?: string;
  /** How long to wait for a broker that is leaving. */
  readonly patience?: Ms;
  readonly limits?: Partial<Limits>;
  /** The thread died twice, or its files are not those it had: the process must be started again. */
  readonly onFatal: (why: string) => void;
  /** For tests: the database's most pages. */
  readonly mostPages?: number;
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
/** What one commit takes, at most: a group waits for all of it. */
const GROUP = { ops: 2_000, bytes: mebibytes(4) };

interface Call {
  readonly op: Op;
  readonly bytes: number;
  /** The thread it was first given to has died. */
  resent: boolean;
  readonly resolve: (value: unknown) => void;
  /** It has not happened, as far as is known. */
  readonly fail: (why: string) => void;
}

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
  setAside: number;
  #thread: Thread | undefined;
  #queue: Call[] = [];
  #flight: Call[] | undefined;
  #queuedBytes = 0;
  #restarted = false;
  readonly #copies = new Copies();
  /** Why nothing is taken any more. */
  #over: string | undefined;
  #closing = false;
  readonly #tidying: NodeJS.Timeout;
  /** Since the last tidying. */
  #ticks = 0;
  /** There may be something to purge. */
  #untidy = true;
  #tidies = false;

  constructor(options: JournalOptions, limits: Limits, thread: Thread) {
    this.#options = options;
    this.#limits = limits;
    this.recovered = thread.recovered;
    this.setAside = thread.setAside;
    this.#adopt(thread);
    this.#tidying = setInterval(() => this.#tidy(), TIDY).unref();
  }

  async add({ entries, once }: Addition): Promise<Added> {
    const records = entries.map(encodeEntry);
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    if (this.#over !== undefined) return { is: "disk", message: this.#over };
    if (this.#queuedBytes + bytes > this.#limits.waitingBytes || this.#queue.length >= this.#limits.waiting)
      return {
        is: "full",
        message: `${this.#queuedBytes} bytes wait for the journal's disk, and at most ${this.#limits.waitingBytes} may`,
      };
    const op: AddOp = {
      do: "add",
      ids: entries.map(({ id }) => id),
      records,
      once: once === undefined ? undefined : named(once),
    };
    return await new Promise<Added>((resolve, reject) => {
      const call: Call = {
        op,
        bytes,
        resent: false,
        resolve: (value) => resolve(this.#added(value as AddResult, records, call.resent)),
        fail: (why) => (this.#over === undefined ? reject(new DroverError("DROVER_E_BUG", why)) : resolve({ is: "disk", message: why })),
      };
      this.#push(call);
    });
  }

  #added(result: AddResult, records: readonly string[], resent: boolean): Added {
    if (result.is === "added" || (result.is === "known" && resent))
      return { is: "added", entries: records.map((record, i) => decodeEntry(result.firstLsn + i, record)) };
    return result.is === "known" ? { is: "repeated", writes: result.writes } : result;
  }

  recall(once: Once): Promise<Extract<Added, { is: "repeated" | "reused" | "disk" }> | undefined> {
    return this.#ask({ do: "recall", once: named(once) });
  }

  seal(batch: Batch, nextMetadataId: number): Promise<void> {
    return this.#ask({ do: "seal", batch, nextMetadataId }, batch.body.byteLength);
  }

  sent(nr: number, at: Timestamp): Promise<void> {
    return this.#ask({ do: "sent", nr, at });
  }

  settle(nr: number, how: Settlement): Promise<void> {
    return this.#ask({ do: "settle", nr, how });
  }

  dropFences(ids: readonly number[]): Promise<void> {
    return this.#ask({ do: "dropFences", ids });
  }

  keepTags(kept: readonly Tag[], dropped: readonly number[], nextMetadataId: number): Promise<void> {
    return this.#ask({ do: "keepTags", kept, dropped, nextMetadataId });
  }

  find(id: string): Promise<Write | undefined> {
    return this.#ask({ do: "find", id });
  }

  parked(most: number): Promise<readonly Write[]> {
    return this.#ask({ do: "parked", most });
  }

  aside(most: number, ids?: readonly string[]): Promise<readonly SetAside[]> {
    return this.#ask({ do: "aside", most, ids });
  }

  async retry(lsns: readonly number[]): Promise<readonly (Entry | undefined)[]> {
    const again = await this.#ask<readonly (Retried | undefined)[]>({ do: "retry", lsns });
    return again.map((each) => (each === undefined ? undefined : decodeEntry(each.lsn, each.record)));
  }

  discard(lsns: readonly number[]): Promise<readonly boolean[]> {
    return this.#ask({ do: "discard", lsns });
  }

  copy(to: string): Promise<void> {
    return this.#copies.make(to, () => this.#ask({ do: "copy", to }));
  }

  async close(): Promise<void> {
    clearInterval(this.#tidying);
    if (this.#over !== undefined) return await this.#thread?.ended;
    const closed = this.#ask<void>({ do: "close" });
    this.#closing = true;
    this.#over = "the journal is closed";
    await closed;
    await this.#thread?.ended;
  }

  #ask<T>(op: Op, bytes = 0): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (why: string): void => reject(new DroverError("DROVER_E_BROKER", `the journal did not ${op.do}: ${why}`));
      if (this.#over !== undefined) return fail(this.#over);
      this.#push({ op, bytes, resent: false, resolve: (value) => resolve(value as T), fail });
    });
  }

  #push(call: Call): void {
    this.#queue.push(call);
    this.#queuedBytes += call.bytes;
    this.#post();
  }

  /** Gives the thread what waits, once it has answered what it was given before. */
  #post(): void {
    if (this.#flight !== undefined || this.#thread === undefined || this.#queue.length === 0) return;
    let bytes = 0;
    let count = 0;
    for (const call of this.#queue) {
      if (count > 0 && (count >= GROUP.ops || bytes + call.bytes > GROUP.bytes)) break;
      bytes += call.bytes;
      count += 1;
    }
    this.#flight = this.#queue.splice(0, count);
    this.#thread.post({ now: this.#options.now(), ops: this.#flight.map(({ op }) => op) });
  }

  #answer(results: readonly Result[]): void {
    const calls = this.#flight ?? [];
    this.#flight = undefined;
    this.#post();
    calls.forEach((call, i) => {
      this.#queuedBytes -= call.bytes;
      const result = results[i];
      if (result?.is === "done") call.resolve(result.value);
      else call.fail(result?.message ?? "the journal's thread gave no answer");
    });
  }

  #adopt(thread: Thread): void {
    this.#thread = thread;
    thread.onResults((results, setAside) => {
      this.setAside = setAside;
      this.#answer(results);
    });
    thread.onCopied((to, failed) => this.#copies.ended(to, failed));
    thread.onDeath((why) => {
      this.#copies.lost(why);
      void this.#restart(why);
    });
  }

  /** What the dead thread had in its hands is given to the next one: everything can be done twice, writes by their ids. */
  async #restart(why: string): Promise<void> {
    const { log } = this.#options;
    this.#thread = undefined;
    if (this.#closing && this.#flight === undefined && this.#queue.length === 0) return;
    if (this.#closing) return this.#end(`the journal's thread died while it closed: ${why}`);
    if (this.#restarted) return this.#end(`the journal's thread died again: ${why}`);
    this.#restarted = true;
    log.error({ dir: this.#options.dir }, `the journal's thread died and is started again: ${why}`);
    try {
      const thread = await startThread(this.#options, this.#limits, PATIENCE);
      const { identity, damage } = thread.recovered;
      if (damage !== undefined) log.error({ dir: this.#options.dir }, damage);
      if (identity !== this.recovered.identity) {
        void thread.terminate();
        return this.#end(`${why}; the journal that is there now is another one`);
      }
      const again = this.#flight ?? [];
      this.#flight = undefined;
      for (const call of again) call.resent = true;
      this.#queue = [...again, ...this.#queue];
      this.#adopt(thread);
      this.#post();
    } catch (e) {
      this.#end(`${why}; and it did not start again: ${messageOf(e)}`);
    }
  }

  #end(why: string): void {
    clearInterval(this.#tidying);
    this.#over = `${why}. Whether what was under way is on disk is not known`;
    const calls = [...(this.#flight ?? []), ...this.#queue];
    this.#flight = undefined;
    this.#queue = [];
    for (const call of calls) {
      if (call.op.do === "close") call.resolve(undefined);
      else call.fail(this.#over);
    }
    if (!this.#closing) this.#options.onFatal(why);
  }

  #tidy(): void {
    this.#ticks += 1;
    if (this.#over !== undefined || this.#tidies || this.#ticks < (this.#untidy ? 1 : REST)) return;
    this.#ticks = 0;
    this.#untidy = false;
    this.#tidies = true;
    const tidied = this.#ask<boolean>({ do: "tidy" }).finally(() => (this.#tidies = false));
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
 * DROVER_E_DATA_DIR when it can't be read or written: the disk may be full, so that a later try may succeed.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const limits: Limits = { ...LIMITS, ...options.limits };
  try {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  } catch (e) {
    throw new DroverError("DROVER_E_DATA_DIR", `the data directory ${options.dir} can't be made: ${messageOf(e)}`, { cause: e });
  }
  const thread = await startThread(options, limits, options.patience ?? PATIENCE);
  if (thread.recovered.damage !== undefined) options.log.error({ dir: options.dir }, thread.recovered.damage);
  return new ThreadJournal(options, limits, thread);
}
