/**
 * Writes, from a worker's call to its answer:
 *
 *   write → validate against the rows as all before it leave them → journal (durable) → laid over the rows → pushed → seen → answer
 *
 * Requests are judged one after the other and journaled side by side: what is on its way to the disk counts as accepted for those
 * that follow, and is shown to nobody.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { HistogramDelta } from "../base/histogram.ts";
import { impossible } from "../base/never.ts";
import type { WritesQuestion } from "../base/protocol.ts";
import { minutes, ms, seconds, type Bytes, type Instant, type Ms } from "../base/units.ts";
import type { WriteCall } from "../sheets/direct-transport.ts";
import type { Layout } from "../sheets/layout.ts";
import type { Content } from "../sheets/snapshot.ts";
import type { Table } from "../sheets/types.ts";
import { isWritable } from "../sheets/layout.ts";
import type { Delivery, Write, WriteAnswer, WriteRefusal, WriteRequest, WritesReport } from "../sheets/writes.ts";
import { Aside, answerWrites } from "./aside.ts";
import type { Flusher, FlusherEvents } from "./flusher/port.ts";
import type { Added, Entry, Journal, NewEntry, Once, Settlement } from "./journal/journal.ts";
import type { QuotaState, Ledger } from "./quota.ts";
import { ulids } from "./ulid.ts";
import { validate } from "./validate.ts";
import { Waiting } from "./waiting.ts";
import { WrittenTable, type Draft, type Source } from "./written.ts";

/** What sending needs of the broker. */
export interface Ground extends Footing {
  readonly events: FlusherEvents;
  /** The row that a key had at the table's last reading, counted from the tab's first row, from 0. */
  rowOf(table: string, key: string): number | undefined;
}

/** What of it is the same for all that are started. */
export interface Footing {
  /** Undefined while the table is not known. */
  layout(table: string): Layout | undefined;
  /** Has a table read again. */
  readonly renew: (table: string) => void;
  /** The ledger of reads, for those that sending needs. */
  readonly reads: { readonly ledger: Ledger; keep(state: QuotaState): void };
  /** Writes that were counted before, and where they are kept. */
  readonly writes: { state(): QuotaState; keep(state: QuotaState): void };
  /** What was found out about this spreadsheet's fences. */
  readonly proof: { read(): Delivery | undefined; keep(delivery: Delivery): void };
}

/** An open journal, and what sends from it. */
export interface WriteMeans {
  readonly journal: Journal;
  readonly startFlusher: (ground: Ground) => Flusher;
}

export interface WritingOptions {
  readonly tables: readonly Table[];
  readonly clock: Clock;
  /** Of what waits to be sent. */
  readonly mostBytes: Bytes;
  readonly footing: Footing;
  /** Shows a table's rows to all readers. @returns when those that answer have seen them. */
  readonly show: (table: string) => Promise<void>;
  /** Reads a table's rows now. @returns whether it could be read in time. */
  readonly reread: (table: string) => Promise<boolean>;
  /** @returns when a table's rows, as they have been accepted so far, are on disk beside the journal. */
  readonly keep: (table: string) => Promise<void>;
}

/** A call is repeated for as long as a worker waits for its answer, which is minutes at most. */
const CALL_KEPT = minutes(30);
/** The flusher may take a second to end, and a reader to see what was taken; the journal is to be closed before that. */
const ENDS_WITHIN = ms(600);

/** What is right, and has room. */
interface Reserved {
  readonly is: "valid";
  readonly draft: Draft;
  readonly entries: readonly NewEntry[];
}

interface Open {
  readonly journal: Journal;
  readonly flusher: Flusher;
  readonly waiting: Waiting;
  readonly newId: () => string;
}

export class Writing {
  readonly #options: WritingOptions;
  readonly #tables: ReadonlyMap<string, WrittenTable>;
  #open: Open | undefined;
  readonly #adding = new Set<Promise<unknown>>();
  readonly #answering = new Set<Promise<unknown>>();
  readonly #aside: Aside;

  constructor(options: WritingOptions) {
    this.#options = options;
    this.#tables = new Map(options.tables.map((table) => [table.name, new WrittenTable(table)]));
    this.#aside = new Aside({ tables: this.#tables, open: () => this.#open, reread: options.reread, show: options.show });
  }

  /** Accepts writes from now on. What the journal holds is laid over the rows. */
  open({ journal, startFlusher }: WriteMeans): void {
    const { clock, mostBytes } = this.#options;
    const { entries, batches } = journal.recovered;
    const waiting = new Waiting(mostBytes, entries);
    for (const { sentAt, lsns } of batches) if (sentAt !== undefined) waiting.sent(lsns);
    const newId = ulids(
      () => clock.wall(),
      undefined,
      entries
        .map(({ id }) => id)
        .toSorted()
        .at(-1),
    );
    for (const [name, written] of this.#tables)
      written.recover(
        entries.filter(({ table }) => table === name),
        clock.now(),
      );
    const landing: FlusherEvents["landing"] = async (lsns) => {
      await Promise.all([...waiting.tablesOf(lsns)].map((table) => this.#options.keep(table)));
    };
    const events: FlusherEvents = {
      landing,
      settled: (how) => this.#settled(how),
      sent: (lsns) => waiting.sent(lsns),
      moved: this.#options.footing.renew,
    };
    const rowOf: Ground["rowOf"] = (table, key) => this.#tables.get(table)?.rowOf(key);
    const flusher = startFlusher({ ...this.#options.footing, events, rowOf });
    this.#open = { journal, flusher, waiting, newId };
    for (const name of this.#tables.keys()) void this.#options.show(name);
  }

  /** Takes nothing more; who waits is answered. @param last is done before the journal is given up. @returns when all that was taken is on disk, and it is. */
  async close(last: () => Promise<void>): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    open.waiting.leave();
    await Promise.all(this.#adding);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ENDS_WITHIN);
    await Promise.race([Promise.all([open.flusher.close(), Promise.allSettled(this.#answering)]), late.promise]);
    clearTimeout(timer);
    await last();
    await open.journal.close();
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether a table's rows are kept here. */
  has(table: string): boolean {
    return this.#tables.has(table);
  }

  /** Whether its columns must be read before anything can be written to it. */
  isUnknown(table: string): boolean {
    const written = this.#tables.get(table);
    return written !== undefined && isWritable(written.table) && written.standing() === undefined;
  }

  /** New rows of a table, from Google or from disk. */
  based(table: string, source: Source, askedAt: Instant): void {
    this.#tables.get(table)?.base(source, askedAt);
  }

  /** A table's rows as clients are to see them; undefined: it is not kept here, or nothing is known of it. */
  content(table: string): Content | undefined {
    return this.#tables.get(table)?.content();
  }

  report(): WritesReport | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    const { damage } = open.journal.recovered;
    return { ...open.flusher.report(), ...(damage === undefined ? {} : { damage: damage.slice(0, 1_000) }) };
  }

  /** Of what has landed since the last call. */
  takeTimes(): HistogramDelta {
    return this.#open?.flusher.takeTimes() ?? [];
  }

  async find(id: string): Promise<Write | undefined> {
    return this.#open?.waiting.find(id) ?? this.#open?.journal.find(id);
  }

  /** Copies the journal, while it goes on. @throws when it is not open here. */
  async copy(to: string): Promise<void> {
    if (this.#open === undefined) throw new Error("the journal is not open in this broker: it may be changing hands, so try again");
    await this.#open.journal.copy(to);
  }

  /** What was set aside, in the operator's hands. */
  aside(question: WritesQuestion): ReturnType<typeof answerWrites> {
    const answer = answerWrites(this.#aside, question);
    this.#adding.add(answer);
    return answer.finally(() => this.#adding.delete(answer));
  }

  write(request: WriteRequest, call: WriteCall): Promise<WriteAnswer> {
    const answer = this.#write(request, call);
    this.#answering.add(answer);
    return answer.finally(() => this.#answering.delete(answer));
  }

  async #write(request: WriteRequest, call: WriteCall): Promise<WriteAnswer> {
    const open = this.#open;
    const written = this.#tables.get(request.table);
    if (written === undefined || !isWritable(written.table))
      return refused("not-writable", `the tables file lets nobody change "${request.table}"`);
    if (open === undefined) return refused("away", "the broker does not take writes now: nothing was written", seconds(1));
    const once = onceOf(request, call);
    let judged = this.#judge(written, request, open);
    if (judged.is === "refused" && this.#adding.size > 0) {
      await Promise.all(this.#adding); // what it was refused for may not come to be, or be this request itself
      judged = this.#judge(written, request, open);
    }
    if (judged.is === "refused") {
      const before = once === undefined ? undefined : await open.journal.recall(once);
      return before === undefined ? judged : this.#answer(request.table, before, call, open);
    }
    const adding = this.#add(written, judged, once, open);
    this.#adding.add(adding);
    const added = await adding.finally(() => this.#adding.delete(adding));
    return this.#answer(request.table, added, call, open);
  }

  async #add(written: WrittenTable, { draft, entries }: Reserved, once: Once | undefined, open: Open): Promise<Added> {
    written.draft(draft);
    let added: Added;
    try {
      added = await open.journal.add({ entries, ...(once === undefined ? {} : { once }) });
    } catch (e) {
      added = { is: "disk", message: `the journal failed: ${messageOf(e)}` }; // a bug: the connection of who waits shall live
    }
    if (added.is === "added") {
      written.commit(draft, added.entries);
      open.waiting.accept(added.entries, entries);
      open.flusher.accepted(added.entries);
    } else {
      written.drop(draft);
      open.waiting.free(entries);
    }
    return added;
  }

  /** Room and rules: what passes is reserved. */
  #judge(written: WrittenTable, { changes }: WriteRequest, { waiting, newId }: Open): Reserved | Extract<WriteAnswer, { is: "refused" }> {
    const standing = written.standing();
    if (standing === undefined)
      return refused("not-writable", `the columns of "${written.table.name}" are not known yet: it was never read`, seconds(2));
    const valid = validate(standing, changes, newId, this.#options.clock.wall());
    if (valid.is === "refused") return valid;
    const full = waiting.reserve(valid.entries);
    if (full !== undefined) return refused("full", full, seconds(5));
    return { is: "valid", draft: { entries: valid.entries, rows: valid.rows }, entries: valid.entries };
  }

  async #answer(table: string, added: Added, call: WriteCall, open: Open): Promise<WriteAnswer> {
    switch (added.is) {
      case "added":
      case "repeated": {
        await this.#options.show(table);
        const ids = added.is === "added" ? added.entries.map(({ id }) => id) : added.writes.map(({ id }) => id);
        const moved = call.wait === "sheet" && (await open.waiting.settled(ids, call.within)) === "moved";
        const known = added.is === "added" ? added.entries.map(fresh) : added.writes;
        const writes = known.map((write) => open.waiting.find(write.id) ?? write);
        const written = { is: "written", writes, delivery: this.#delivery(open), repeated: added.is === "repeated" } as const;
        return moved ? { ...written, moved } : written;
      }
      case "reused":
        return refused("reused-key", "this Idempotency-Key was used for another request: use a new one");
      case "full":
        return refused("full", added.message, seconds(5));
      case "disk":
        return refused("disk", added.message, seconds(5));
      default:
        return impossible(added);
    }
  }

  #delivery({ flusher }: Open): Delivery {
    return flusher.delivery === "at-least-once" ? "at-least-once" : "exactly-once";
  }

  #settled(how: Settlement): void {
    const waiting = this.#open?.waiting;
    if (waiting === undefined) return; // it is closing: who opens the journal next will find it
    const now = this.#options.clock.now();
    const tables = waiting.settle(how);
    const [landed, parked] = [new Set(how.landed), new Set(how.parked.map(({ lsn }) => lsn))];
    for (const name of tables) {
      const written = this.#tables.get(name);
      written?.landed(landed, now);
      if (parked.size > 0) {
        written?.parked(parked);
        void this.#options.show(name);
      }
    }
  }
}

function refused(reason: WriteRefusal["reason"], message: string, retryAfter?: Ms): Extract<WriteAnswer, { is: "refused" }> {
  return { is: "refused", refusal: { reason, message, ...(retryAfter === undefined ? {} : { retryAfter }) } };
}

const fresh = ({ id, table, op, key, at }: Entry): Write => ({ id, table, op, key, state: "journaled", at });

/** A client's name of its request, else the call's id: it is repeated when its answer was lost. The two can't be taken for each other. */
function onceOf({ once, table, changes }: WriteRequest, { id }: WriteCall): Once | undefined {
  if (once !== undefined) return { key: `client:${once.key}`, digest: once.digest };
  if (id === undefined) return undefined;
  const digest = createHash("sha256")
    .update(JSON.stringify([table, changes]))
    .digest("base64url");
  return { key: `call:${id}`, digest, keep: CALL_KEPT };
}
