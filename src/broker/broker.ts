/** The broker without its socket: tables, the snapshots of their rows, what keeps them fresh, and what is written to them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import type { HistogramDelta } from "../base/histogram.ts";
import type { Logger } from "../base/log.ts";
import type { WritesQuestion } from "../base/protocol.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import { after, between, elapsed, later, ms, seconds, type Bytes, type Instant, type Ms, type PerMinute } from "../base/units.ts";
import { quoted } from "../sheets/a1.ts";
import type { BrokerEvents, BrokerPort, Subscription, WriteCall } from "../sheets/direct-transport.ts";
import type { Changes, Position } from "../sheets/events.ts";
import type { LedgerHost } from "../sheets/ledger-host.ts";
import { isWritable } from "../sheets/layout.ts";
import type { Reading } from "../sheets/rows.ts";
import type { SecretKey } from "../sheets/secrets.ts";
import { contentOf, Snapshot, type Content } from "../sheets/snapshot.ts";
import type { Priority, Table, Unavailable } from "../sheets/types.ts";
import type { Write, WriteAnswer, WriteRequest } from "../sheets/writes.ts";
import { systemAlarm, type Alarm } from "./alarm.ts";
import { Calls } from "./calls.ts";
import { Catalog } from "./catalog.ts";
import { SnapshotFiles } from "./disk.ts";
import { Publisher } from "./publisher.ts";
import { Ledger } from "./quota.ts";
import { Refreshers } from "./refreshers.ts";
import { upstreamReport } from "./report.ts";
import { Snapshots } from "./snapshots.ts";
import { openStore, type Store } from "./store.ts";
import type { Upstream } from "./upstream.ts";
import { Writing, type Footing, type WriteMeans } from "./writing.ts";

export interface BrokerOptions {
  readonly spreadsheetId: string;
  /** Undefined: every tab is a table. */
  readonly tables: readonly Table[] | undefined;
  /** Of tables that the tabs make. */
  readonly ttl: Ms;
  readonly readsPerMinute: PerMinute;
  readonly dataDir: string;
  /** Most of accepted writes that may wait to be sent. */
  readonly journalSize: Bytes;
  /** For what is kept of users' secrets. */
  readonly secretKey?: SecretKey;
  readonly upstream: Upstream;
  /** The same for another spreadsheet; left out: there is none. */
  readonly elsewhere?: (spreadsheetId: string) => Upstream;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarm?: Alarm;
  readonly random?: () => number;
  /** Opened and closed by whoever made it. */
  readonly ledger?: LedgerHost;
}

/** A table that is read for an operator's order: looked at so often, for five seconds. */
const REREAD_LOOK = ms(50);
const REREAD_LOOKS = 100;

/** @returns what gives the upstream of each spreadsheet. */
function upstreams({ spreadsheetId, upstream, elsewhere }: BrokerOptions): (id: string) => Upstream {
  const known = new Map([[spreadsheetId, upstream]]);
  return (id) => {
    const own = known.get(id) ?? elsewhere?.(id);
    if (own === undefined) throw new Error(`there is no way to the spreadsheet ${id}`);
    known.set(id, own);
    return own;
  };
}

export class Broker implements BrokerPort {
  readonly #options: BrokerOptions;
  readonly #store: Store;
  readonly #quota: Ledger;
  readonly #snapshots: Snapshots;
  readonly #refreshers: Refreshers;
  readonly #calls: Calls;
  readonly #writing: Writing;
  readonly #catalog: Catalog;
  readonly #publisher: Publisher;

  /** Loads what the last broker left; asks for nothing yet. @throws DroverError DROVER_E_DATA_DIR. */
  constructor(options: BrokerOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#store = openStore(options.dataDir, clock.wall(), log);
    this.#quota = new Ledger(options.readsPerMinute, clock, this.#store.quota());
    this.#calls = new Calls({ quota: this.#quota, store: this.#store, log });
    this.#writing = this.#newWriting();
    this.#snapshots = this.#newSnapshots();
    this.#catalog = this.#newCatalog();
    this.#publisher = this.#newPublisher();
    this.#refreshers = this.#newRefreshers();
  }

  #newWriting(): Writing {
    const { tables, clock, journalSize } = this.#options;
    return new Writing({
      tables: (tables ?? []).filter(isWritable),
      clock,
      mostBytes: journalSize,
      footing: this.#footing(),
      show: (table) => this.#publisher.show(table),
      keep: (table) => this.#publisher.keep(table),
      reread: (table) => this.#reread(table),
    });
  }

  #newSnapshots(): Snapshots {
    const { spreadsheetId, dataDir, log, secretKey } = this.#options;
    return new Snapshots({
      spreadsheetId,
      files: new SnapshotFiles(dataDir, log),
      store: this.#store,
      log,
      written: (table) => this.#writing.has(table),
      ttlOf: (table) => this.#refreshers.ttlOf(table),
      secretKey,
    });
  }

  #newCatalog(): Catalog {
    const { spreadsheetId, dataDir, ttl, log, upstream } = this.#options;
    return new Catalog({
      ...this.#times(),
      spreadsheetId,
      dataDir,
      ttl,
      quota: this.#quota,
      log,
      tabs: () => this.#calls.make({ spreadsheetId, use: "other" }, () => upstream.tabs()),
      listed: (tables) => this.#listed(tables),
      failed: (why) => this.#publisher.failed(why),
    });
  }

  #newPublisher(): Publisher {
    const { dataDir, clock, log } = this.#options;
    return new Publisher({
      dataDir,
      clock,
      log,
      store: this.#store,
      catalog: this.#catalog,
      snapshots: this.#snapshots,
      content: (table) => this.#writing.content(table),
      failures: () => this.#refreshers.failures(),
    });
  }

  #newRefreshers(): Refreshers {
    const upstreamOf = upstreams(this.#options);
    return new Refreshers({
      ...this.#times(),
      spreadsheetId: this.#options.spreadsheetId,
      quota: this.#quota,
      read: (id, tables, signal) => {
        const ranges = tables.map((table) => quoted(table.range));
        return this.#calls.make({ spreadsheetId: id, use: "refresh", signal }, () => upstreamOf(id).read(ranges, signal));
      },
      accept: (table, values, askedAt) => this.#accept(table, values, askedAt),
      failed: (why) => this.#publisher.failed(why),
      stretched: (tables) => this.#stretched(tables),
    });
  }

  /** For the beat. */
  get counters(): Calls["counters"] {
    return this.#calls.counters;
  }

  /** Whether any table of this broker may be written to. */
  get writable(): boolean {
    return (this.#options.tables ?? []).some(isWritable);
  }

  get ledger(): LedgerHost | undefined {
    return this.#options.ledger;
  }

  get takesWrites(): boolean {
    return this.#writing.isOpen;
  }

  /** Accepts writes from now on. Before `start`, so that no rows are shown without what the journal holds. */
  openWrites(means: WriteMeans): void {
    this.#snapshots.takeBack();
    this.#writing.open(means);
  }

  /** Accepts no more writes. @returns when all are on disk, rows too, and the journal is given up. */
  async closeWrites(): Promise<void> {
    await this.#writing.close(() => this.#snapshots.yield());
  }

  /** @throws when no journal is open here, or the copy can't be made. */
  async copyJournal(to: string): Promise<void> {
    await this.#writing.copy(to);
  }

  /** Begins to serve: from disk at once, from Google for what is not there. */
  start(): void {
    this.#catalog.start(this.#options.tables);
  }

  subscribe(events: BrokerEvents): Subscription {
    return this.#publisher.subscribe(events);
  }

  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void {
    return this.#publisher.follow(from, tell);
  }

  async want(table: string, priority?: Priority): Promise<Unavailable | undefined> {
    if (this.#catalog.tables !== undefined) return this.#refreshers.want(table, priority);
    const message = "Google has not said yet which tabs the spreadsheet has";
    return { reason: "never-loaded", message, retryAfter: ms(1_000), ...this.#catalog.failure, table };
  }

  touch(tables: readonly string[]): void {
    this.#refreshers.touch(tables);
  }

  /** Asks for a table anew, or for all, whatever their age. @returns which; undefined: there is no such table. */
  refresh(table?: string): readonly string[] | undefined {
    const names = (this.#catalog.tables ?? []).map(({ name }) => name).filter((name) => table === undefined || name === table);
    if (table !== undefined && names.length === 0) return undefined;
    for (const name of names) this.#refreshers.renew(name);
    return names;
  }

  async write(request: WriteRequest, call: WriteCall): Promise<WriteAnswer> {
    const known = this.#catalog.tables?.some(({ name }) => name === request.table);
    if (known === true) {
      if (this.#writing.isUnknown(request.table)) await this.#firstRead(request.table, call.within);
      return this.#writing.write(request, call);
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
    await Promise.race([this.#refreshers.want(table), late.promise]);
    clearTimeout(timer);
  }

  /** Reads a table now, for who must know what a person has typed meanwhile. @returns whether it was read in time. */
  async #reread(table: string): Promise<boolean> {
    const asked = this.#options.clock.wall();
    const isRead = (): boolean => (this.#snapshots.get(table)?.head.checkedAt ?? 0) >= asked;
    this.#refreshers.renew(table);
    for (let looks = 0; looks < REREAD_LOOKS && !isRead(); looks += 1) await sleep(REREAD_LOOK);
    return isRead();
  }

  find(id: string): Promise<Write | undefined> {
    return this.#writing.find(id);
  }

  /** Writes that Google has refused for good: what there is, what is to become of them. */
  aside(question: WritesQuestion): ReturnType<Writing["aside"]> {
    return this.#writing.aside(question);
  }

  /** Connections that another broker had are about to come: until they have, answers to writers wait for them. */
  expectReaders(): void {
    this.#publisher.expectReaders();
  }

  peek(table: string): ReturnType<Snapshots["get"]> {
    return this.#snapshots.get(table);
  }

  since(table: string, version: number): ReturnType<Snapshots["since"]> {
    return this.#snapshots.since(table, version);
  }

  report(): UpstreamReport {
    const { clock, spreadsheetId } = this.#options;
    const held = { calls: this.#calls, quota: this.#quota, refreshers: this.#refreshers, snapshots: this.#snapshots };
    const report = upstreamReport({ clock, spreadsheetId, tables: this.#catalog.tables ?? [], ...held });
    const writes = this.#writing.report();
    return writes === undefined ? report : { ...report, writes };
  }

  /** From acceptance to the sheet, of what has landed since the last call. */
  takeTimesToSheet(): HistogramDelta {
    return this.#writing.takeTimes();
  }

  /** Stops asking; who waits is told. @returns when all that is known is on disk. */
  async close(): Promise<void> {
    this.#publisher.leave();
    this.#catalog.close();
    await this.closeWrites();
    this.#refreshers.close();
    this.#publisher.close();
    this.#options.upstream.close();
    await this.#snapshots.flushed();
  }

  #footing(): Footing {
    return {
      layout: (table) => this.#snapshots.get(table)?.layout,
      renew: (table) => this.#refreshers.renew(table),
      reads: { ledger: this.#quota, keep: (state) => this.#store.keepQuota(state) },
      writes: { state: () => this.#store.writeQuota(), keep: (state) => this.#store.keepWriteQuota(state) },
      proof: {
        read: () => this.#store.proof(this.#options.spreadsheetId),
        keep: (delivery) => this.#store.keepProof(this.#options.spreadsheetId, delivery),
      },
    };
  }

  #times(): { readonly clock: Clock; readonly alarm: Alarm; readonly random: () => number } {
    const { clock, alarm, random } = this.#options;
    return { clock, alarm: alarm ?? systemAlarm(clock), random: random ?? Math.random };
  }

  /** There are other tables now: all of them begin with what is on disk. */
  #listed(tables: readonly Table[]): void {
    const { clock } = this.#options;
    const [now, wall] = [clock.now(), clock.wall()];
    this.#snapshots.load(tables, wall);
    const checked = tables.flatMap((table) => {
      const held = this.#snapshots.get(table.name);
      if (held === undefined) return [];
      return [[table.name, { checkedAt: after(now, elapsed(wall, held.head.checkedAt)), bytes: held.bytes.byteLength }] as const];
    });
    for (const { name } of tables) this.#startWriting(name, new Map(checked).get(name)?.checkedAt ?? now);
    this.#refreshers.setTables(tables, new Map(checked));
    this.#publisher.listed();
    this.#refreshers.warm();
    this.#refreshers.touch(tables.filter(isWritable).map(({ name }) => name));
  }

  /** Lays what the journal holds over the rows from disk, before anybody sees them. */
  #startWriting(table: string, checkedAt: Instant): void {
    const held = this.#snapshots.get(table);
    if (held === undefined || !this.#writing.has(table)) return;
    const load = (): Content => contentOf(new Snapshot(Uint8Array.from(held.bytes).buffer));
    this.#writing.based(table, { load, layout: held.layout }, checkedAt);
    this.#publisher.push(table);
  }

  #accept(table: Table, values: unknown, askedAt: Instant): string | undefined {
    const { clock } = this.#options;
    const at = later(clock.wall(), between(clock.now(), askedAt));
    const over = ({ content, layout, places }: Extract<Reading, { is: "ok" }>): Content => {
      this.#writing.based(table.name, { load: () => content, layout, places }, askedAt);
      return this.#writing.content(table.name) ?? content;
    };
    return this.#publisher.tell(table, this.#snapshots.accept(table, values, at, this.#writing.has(table.name) ? over : undefined));
  }

  /** The TTLs of tables are others now, for a time: whoever has their rows is told. */
  #stretched(tables: readonly Table[]): void {
    const { planned, budget, floor } = this.#refreshers.stretch();
    const figures = { planned: Math.round(planned), budget, floor };
    if (floor > 0)
      this.#options.log.warn(
        figures,
        `the TTLs would take more calls than the quota leaves: no table is refreshed more often than every ${floor} ms`,
      );
    else this.#options.log.info(figures, "the TTLs fit into the quota again");
    for (const table of tables) {
      const head = this.#snapshots.retimed(table);
      if (head !== undefined) this.#publisher.renewed(head);
    }
  }
}
