/** The broker without its socket: what workers, and whoever runs it, may ask of it. */
import type { HistogramDelta } from "../base/histogram.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { WritesQuestion } from "../base/protocol.ts";
import { ms, seconds, type Ms } from "../base/units.ts";
import type { BrokerEvents, BrokerPort, Subscription, WriteCall } from "../sheets/direct-transport.ts";
import type { Changes, Position } from "../sheets/events.ts";
import { isWritable } from "../sheets/layout.ts";
import type { LedgerHost } from "../sheets/ledger-host.ts";
import type { Priority, Unavailable } from "../sheets/types.ts";
import type { Write, WriteAnswer, WriteRequest } from "../sheets/writes.ts";
import type { SharedAccount } from "./account.ts";
import type { Calls } from "./calls.ts";
import type { Entry, LastAccepted } from "./journal/journal.ts";
import { Parts, type BrokerOptions } from "./parts.ts";
import { upstreamReport } from "./report.ts";
import type { Snapshots } from "./snapshots.ts";
import type { WriteMeans, Writing } from "./writing.ts";

export class Broker implements BrokerPort {
  readonly #options: BrokerOptions;
  readonly #parts: Parts;

  /** Loads what the last broker left; asks for nothing yet. @throws DroverError DROVER_E_DATA_DIR. */
  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#parts = new Parts(options);
  }

  /** For the beat. */
  get counters(): Calls["counters"] {
    return this.#parts.calls.counters;
  }

  /** Whether any table of this broker may be written to. */
  get writable(): boolean {
    return (this.#options.tables ?? []).some(isWritable);
  }

  get ledger(): LedgerHost | undefined {
    return this.#options.ledger;
  }

  get account(): SharedAccount | undefined {
    return this.#parts.account;
  }

  get lastAccepted(): LastAccepted | undefined {
    return this.#parts.lastAccepted;
  }

  get takesWrites(): boolean {
    return this.#parts.writing.isOpen;
  }

  /** Accepts writes from now on. Before `start`, so that no rows are shown without what the journal holds. */
  openWrites(means: WriteMeans): void {
    this.#parts.snapshots.takeBack();
    this.#parts.writing.open(means);
  }

  /** The journal can't be opened for now: shows its entries, and refuses every write. @param why for the answers and the log. */
  refuseWrites(entries: readonly Entry[], why: string): void {
    this.#parts.writing.refuse(entries, why);
  }

  /** Accepts no more writes. @returns when all are on disk, rows too, and the journal is given up. */
  async closeWrites(): Promise<void> {
    await this.#parts.writing.close(() => this.#parts.snapshots.yield());
  }

  /** @throws when no journal is open here, or the copy can't be made. */
  async copyJournal(to: string): Promise<void> {
    await this.#parts.writing.copy(to);
  }

  /** @returns why tables that a reload has changed can't be read as before; undefined: they can. */
  unreadable(): Promise<string | undefined> {
    return this.#parts.unreadable();
  }

  /** Begins to serve: from disk at once, from Google for what is not there. */
  start(): void {
    this.#parts.catalog.start(this.#options.tables);
  }

  subscribe(events: BrokerEvents): Subscription {
    return this.#parts.publisher.subscribe(events);
  }

  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void {
    return this.#parts.publisher.follow(from, tell);
  }

  async want(table: string, priority?: Priority): Promise<Unavailable | undefined> {
    if (this.#parts.catalog.tables !== undefined) return this.#parts.refreshers.want(table, priority);
    const message = "Google has not said yet which tabs the spreadsheet has";
    return { reason: "never-loaded", message, retryAfter: ms(1_000), ...this.#parts.catalog.failure, table };
  }

  touch(tables: readonly string[]): void {
    this.#parts.refreshers.touch(tables);
  }

  /** Asks for a table anew, or for all, whatever their age. @returns which; undefined: there is no such table. */
  refresh(table?: string): readonly string[] | undefined {
    const names = (this.#parts.catalog.tables ?? []).map(({ name }) => name).filter((name) => table === undefined || name === table);
    if (table !== undefined && names.length === 0) return undefined;
    for (const name of names) {
      this.#parts.refreshers.lookAgain(name);
      this.#parts.refreshers.renew(name);
    }
    return names;
  }

  async write(request: WriteRequest, call: WriteCall): Promise<WriteAnswer> {
    const known = this.#parts.catalog.tables?.some(({ name }) => name === request.table);
    if (known === true) {
      if (this.#parts.writing.isUnknown(request.table)) await this.#firstRead(request.table, call.within);
      return this.#parts.writing.write(request, call);
    }
    const [reason, message] =
      known === false
        ? (["unknown-table", `there is no table "${request.table}"`] as const)
        : (["not-writable", "Google has not said yet which tabs the spreadsheet has"] as const);
    return { is: "refused", refusal: { reason, message, ...(known === false ? {} : { retryAfter: seconds(1) }) } };
  }

  /** The columns of a table that was never read are not known: a write waits for them, as a reader does. */
  async #firstRead(table: string, within: Ms): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, within);
    await Promise.race([this.#parts.refreshers.want(table), late.promise]);
    clearTimeout(timer);
  }

  find(id: string): Promise<Write | undefined> {
    return this.#parts.writing.find(id);
  }

  /** Writes that Google has refused for good: what there is, what is to become of them. */
  aside(question: WritesQuestion): ReturnType<Writing["aside"]> {
    return this.#parts.writing.aside(question);
  }

  /** Connections that another broker had are about to come: until they have, answers to writers wait for them. */
  expectReaders(): void {
    this.#parts.publisher.expectReaders();
  }

  peek(table: string): ReturnType<Snapshots["get"]> {
    return this.#parts.snapshots.get(table);
  }

  since(table: string, version: number): ReturnType<Snapshots["since"]> {
    return this.#parts.snapshots.since(table, version);
  }

  report(): UpstreamReport {
    const { clock, spreadsheetId } = this.#options;
    const held = {
      calls: this.#parts.calls,
      quota: this.#parts.quota,
      refreshers: this.#parts.refreshers,
      snapshots: this.#parts.snapshots,
      fill: (table: string) => this.#parts.writing.fill(table),
    };
    const report = upstreamReport({
      clock,
      spreadsheetId,
      tables: this.#parts.catalog.tables ?? [],
      unlisted: this.#parts.catalog.unlisted,
      ...held,
    });
    const { writing } = this.#parts;
    const [writes, disk] = [writing.report(), writing.trouble];
    return { ...report, ...(writes === undefined ? {} : { writes }), ...(disk === undefined ? {} : { disk }) };
  }

  /** From acceptance to the sheet, of what has landed since the last call. */
  takeTimesToSheet(): HistogramDelta {
    return this.#parts.writing.takeTimes();
  }

  /** Stops asking; who waits is told. @returns when all that is known is on disk. */
  async close(): Promise<void> {
    this.#parts.publisher.leave();
    this.#parts.catalog.close();
    await this.closeWrites();
    this.#parts.refreshers.close();
    this.#parts.publisher.close();
    this.#options.upstream.close();
    await this.#parts.close();
    await this.#parts.snapshots.flushed();
  }
}
