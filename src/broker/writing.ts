/** The tables that may be written to: their rows with all that was accepted, for as long as a journal is open and until it is given up. */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { HistogramDelta } from "../base/histogram.ts";
import type { WritesQuestion } from "../base/protocol.ts";
import { ms, seconds, type Bytes, type Instant } from "../base/units.ts";
import type { WriteCall } from "../sheets/direct-transport.ts";
import { isWritable, type Layout } from "../sheets/layout.ts";
import type { Content } from "../sheets/snapshot.ts";
import type { Table } from "../sheets/types.ts";
import type { Delivery, Write, WriteAnswer, WriteRequest, WritesReport } from "../sheets/writes.ts";
import { Aside, answerWrites } from "./aside.ts";
import type { TableReading } from "./flusher/core/trust.ts";
import type { Flusher, FlusherEvents } from "./flusher/port.ts";
import type { Entry, Journal, LastAccepted, Settlement } from "./journal/journal.ts";
import type { Ledger, QuotaState, SharedQuota } from "./quota.ts";
import { refused, unopened, unread, WriteRequests, type OpenJournal } from "./write-requests.ts";
import { ulids } from "./ulid.ts";
import { Waiting } from "./waiting.ts";
import { WrittenTable, type Source } from "./written.ts";

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
  /** Ends the pause of a table's reads after one that did not find its range. */
  readonly found: (table: string) => void;
  /** The ledger of reads, for those that sending needs. */
  readonly reads: { readonly ledger: Ledger; keep(state: QuotaState): void };
  /** Writes that were counted before, and where they are kept. */
  readonly writes: { state(): QuotaState; keep(state: QuotaState): void; readonly shared: SharedQuota | undefined };
  /** Why another daemon accepts the writes to this spreadsheet; undefined: this one may. */
  readonly notWriter: () => string | undefined;
  /** Keeps outside the journal how far it had come. */
  readonly accepted: (last: LastAccepted) => void;
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

/** The flusher may take a second to end, and a reader to see what was taken; the journal is to be closed before that. */
const ENDS_WITHIN = ms(600);

export class Writing {
  readonly #options: WritingOptions;
  readonly #tables: ReadonlyMap<string, WrittenTable>;
  #open: OpenJournal | undefined;
  /** Set while the journal can't be opened, for the lack of room. */
  #refusal: { readonly why: string; readonly waiting: Waiting } | undefined;
  readonly #requests: WriteRequests;
  readonly #aside: Aside;

  constructor(options: WritingOptions) {
    this.#options = options;
    this.#tables = new Map(options.tables.map((table) => [table.name, new WrittenTable(table)]));
    this.#requests = new WriteRequests(options.clock, options.show);
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
    const missing = this.#recover(entries);
    const landing: FlusherEvents["landing"] = async (lsns) => {
      await Promise.all([...waiting.tablesOf(lsns)].map((table) => this.#options.keep(table)));
    };
    const events: FlusherEvents = {
      landing,
      settled: (how) => this.#settled(how),
      sent: (lsns) => waiting.sent(lsns),
      moved: this.#options.footing.renew,
      found: this.#options.footing.found,
    };
    const rowOf: Ground["rowOf"] = (table, key) => this.#tables.get(table)?.rowOf(key);
    const flusher = startFlusher({ ...this.#options.footing, events, rowOf });
    const { identity } = journal.recovered;
    const note = (lsn: number): void => this.#options.footing.accepted({ identity, lsn });
    this.#open = { journal, flusher, waiting, newId, note };
    this.#refusal = undefined;
    for (const name of this.#tables.keys()) void this.#options.show(name);
    void this.#takeParked(journal, missing);
  }

  /** What another broker set aside meanwhile is in no sheet: it is taken from the rows. */
  async #takeParked(journal: Journal, missing: readonly Entry[]): Promise<void> {
    const found = await Promise.all(missing.map(({ id }) => journal.find(id).catch(() => undefined)));
    const parked = missing.filter((_, i) => found[i]?.state === "parked");
    for (const name of new Set(parked.map(({ table }) => table))) {
      this.#tables.get(name)?.parked(new Set(parked.map(({ lsn }) => lsn)));
      void this.#options.show(name);
    }
  }

  /** Lays the entries of a journal that can't be opened over the rows, and refuses every write until `open`. */
  refuse(entries: readonly Entry[], why: string): void {
    this.#recover(entries);
    this.#refusal = { why, waiting: new Waiting(this.#options.mostBytes, entries) };
    for (const name of this.#tables.keys()) void this.#options.show(name);
  }

  /** @returns entries that lay over the rows, and that the journal does not hold any more. */
  #recover(entries: readonly Entry[]): readonly Entry[] {
    const now = this.#options.clock.now();
    const of = (name: string): readonly Entry[] => entries.filter(({ table }) => table === name);
    return [...this.#tables].flatMap(([name, written]) => written.recover(of(name), now));
  }

  /** Takes nothing more; who waits is answered. @param last is done before the journal is given up. @returns when all that was taken is on disk, and it is. */
  async close(last: () => Promise<void>): Promise<void> {
    const open = this.#open;
    this.#refusal = undefined;
    if (open === undefined) return;
    this.#open = undefined;
    open.waiting.leave();
    await this.#requests.added();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ENDS_WITHIN);
    await Promise.race([Promise.all([open.flusher.close(), this.#requests.answered()]), late.promise]);
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

  /** Whether a reading may be shown: not while values that are on their way may stand in wrong columns. */
  readonly mayShow = (reading: TableReading): boolean => this.#open?.flusher.mayShow(reading) !== false;

  /** A table's rows as clients are to see them; undefined: it is not kept here, or nothing is known of it. */
  content(table: string): Content | undefined {
    return this.#tables.get(table)?.content();
  }

  /** How much of its limits a table that may be written to has, in percent; undefined: it is not known. */
  fill(table: string): number | undefined {
    const written = this.#tables.get(table);
    return written !== undefined && isWritable(written.table) ? written.fill() : undefined;
  }

  /** Why the disk takes no writes; undefined: it does, as far as is known, or none are taken here. */
  get trouble(): string | undefined {
    return (this.#refusal?.why ?? this.#open?.journal.trouble)?.slice(0, 1_000);
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

  /** @throws UnavailableError while the journal that would know it is not open here. */
  async find(id: string): Promise<Write | undefined> {
    const kept = (): Promise<Write | undefined> | undefined =>
      this.#open?.journal.find(id).catch((error: unknown) => {
        throw unread(messageOf(error));
      });
    const found = (this.#open ?? this.#refusal)?.waiting.find(id) ?? (await kept());
    const mayKnow = this.#open !== undefined || ![...this.#tables.values()].some(({ table }) => isWritable(table));
    if (found === undefined && !mayKnow) throw unopened();
    return found;
  }

  /** Copies the journal, while it goes on. @throws when it is not open here. */
  async copy(to: string): Promise<void> {
    if (this.#open === undefined) throw new Error("the journal is not open in this broker: it may be changing hands, so try again");
    await this.#open.journal.copy(to);
  }

  /** What was set aside, in the operator's hands. */
  aside(question: WritesQuestion): ReturnType<typeof answerWrites> {
    return this.#requests.hold(answerWrites(this.#aside, question));
  }

  /** Takes a request, if it can be taken. @returns once readers have seen it, or the sheet has it: as the call wants. */
  async write(request: WriteRequest, call: WriteCall): Promise<WriteAnswer> {
    const written = this.#tables.get(request.table);
    if (written === undefined || !isWritable(written.table))
      return refused("not-writable", `the tables file lets nobody change "${request.table}"`);
    if (this.#refusal !== undefined) return this.#refuse(request, "disk", this.#refusal.why);
    if (this.#open === undefined) return refused("away", "the broker does not take writes now: nothing was written", seconds(1));
    const why = this.#options.footing.notWriter();
    if (why !== undefined) return this.#refuse(request, "not-writer", why);
    return this.#requests.write(written, request, call, this.#open);
  }

  /** A request with a name may repeat an accepted one, which only the journal knows. */
  #refuse({ once }: WriteRequest, reason: "disk" | "not-writer", why: string): WriteAnswer {
    const answer = refused(reason, why, seconds(5));
    return once === undefined ? answer : { ...answer, refusal: { ...answer.refusal, unsure: true } };
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
