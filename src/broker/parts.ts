/** The broker's parts and how they feed one another: rows that were read, with accepted writes laid over them, become snapshots. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { after, between, elapsed, later, ms, seconds, type Bytes, type Instant, type Ms, type PerMinute } from "../base/units.ts";
import { quoted } from "../sheets/a1.ts";
import { valuesBytes } from "../sheets/growth.ts";
import { isWritable } from "../sheets/layout.ts";
import type { LedgerHost } from "../sheets/ledger-host.ts";
import type { Reading } from "../sheets/rows.ts";
import type { SecretKey } from "../sheets/secrets.ts";
import { contentOf, Snapshot, type Content } from "../sheets/snapshot.ts";
import type { Table } from "../sheets/types.ts";
import { SharedAccount, type AccountOptions } from "./account.ts";
import { systemAlarm, type Alarm } from "./alarm.ts";
import { Calls } from "./calls.ts";
import { Catalog } from "./catalog.ts";
import { SnapshotFiles } from "./disk.ts";
import { Publisher } from "./publisher.ts";
import type { LastAccepted } from "./journal/journal.ts";
import { Ledger } from "./quota.ts";
import { Refreshers } from "./refreshers.ts";
import { Snapshots } from "./snapshots.ts";
import { openStore, type Store } from "./store.ts";
import { readSpelled } from "./titles.ts";
import { unreadable } from "./changed.ts";
import { upstreams, type Outcome, type Upstream } from "./upstream.ts";
import { Writing, type Footing } from "./writing.ts";

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
  /** Opened and closed by its maker. */
  readonly ledger?: LedgerHost;
  /** The Google account, where other daemons may use it, too. */
  readonly account?: Omit<AccountOptions, "writes" | "store" | "clock">;
}

/** A table that is read for an operator's order: looked at so often, for five seconds. */
const REREAD_LOOK = ms(50);
const REREAD_LOOKS = 100;
/** For room in a quota that is shared, before what a reload has changed is read all the same: the reserve covers it. */
const RELOAD_WAITS = seconds(1);

export class Parts {
  readonly #options: BrokerOptions;
  readonly #store: Store;
  readonly account: SharedAccount | undefined;
  readonly quota: Ledger;
  readonly calls: Calls;
  readonly writing: Writing;
  readonly snapshots: Snapshots;
  readonly catalog: Catalog;
  readonly publisher: Publisher;
  readonly refreshers: Refreshers;

  /** Loads what the last broker left; asks for nothing yet. @throws DroverError DROVER_E_DATA_DIR. */
  constructor(options: BrokerOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#store = openStore(options.dataDir, clock.wall(), log);
    this.account = this.#newAccount();
    this.quota = new Ledger(options.readsPerMinute, clock, this.#store.quota(), this.account?.pool("read"));
    this.calls = new Calls({ quota: this.quota, store: this.#store, log });
    this.writing = this.#newWriting();
    this.snapshots = this.#newSnapshots();
    this.catalog = this.#newCatalog();
    this.publisher = this.#newPublisher();
    this.refreshers = this.#newRefreshers();
  }

  /** Keeps nothing from then on. @returns when all is on disk. */
  close(): Promise<void> {
    return this.#store.close();
  }

  /** The last write that a journal is known to have accepted. */
  get lastAccepted(): LastAccepted | undefined {
    return this.#store.lastAccepted();
  }

  #newAccount(): SharedAccount | undefined {
    const { account, tables = [], clock } = this.#options;
    return account && new SharedAccount({ ...account, writes: tables.some(isWritable), store: this.#store, clock });
  }

  #newWriting(): Writing {
    const { tables, clock, journalSize } = this.#options;
    return new Writing({
      tables: (tables ?? []).filter(isWritable),
      clock,
      mostBytes: journalSize,
      footing: this.#footing(),
      show: (table) => this.publisher.show(table),
      keep: (table) => this.publisher.keep(table),
      reread: (table) => this.#reread(table),
    });
  }

  #newSnapshots(): Snapshots {
    const { spreadsheetId, dataDir, log, secretKey, upstream } = this.#options;
    return new Snapshots({
      titleOf: (title) => upstream.titleOf?.(title) ?? title, // only this spreadsheet is written to
      spreadsheetId,
      files: new SnapshotFiles(dataDir, log),
      store: this.#store,
      log,
      written: (table) => this.writing.has(table),
      ttlOf: (table) => this.refreshers.ttlOf(table),
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
      quota: this.quota,
      log,
      tabs: () => this.calls.make({ spreadsheetId, use: "other" }, () => upstream.tabs()),
      listed: (tables) => this.#listed(tables),
      failed: (why) => this.publisher.failed(why),
    });
  }

  #newPublisher(): Publisher {
    const { dataDir, clock, log } = this.#options;
    return new Publisher({
      dataDir,
      clock,
      log,
      store: this.#store,
      catalog: this.catalog,
      snapshots: this.snapshots,
      content: (table) => this.writing.content(table),
      failures: () => this.refreshers.failures(),
    });
  }

  #newRefreshers(): Refreshers {
    const upstreamOf = upstreams(this.#options);
    const { clock } = this.#options;
    return new Refreshers({
      ...this.#times(),
      spreadsheetId: this.#options.spreadsheetId,
      quota: this.quota,
      read: (spreadsheetId, tables, signal) => {
        const upstream = upstreamOf(spreadsheetId);
        const ranges = tables.map((table) => quoted(table.range));
        return readSpelled({
          mayCall: () => !signal.aborted && this.quota.next("refresh") <= clock.now(),
          read: () => this.calls.make({ spreadsheetId, use: "refresh", signal }, () => upstream.read(ranges, signal)),
          tabs: () => this.calls.make({ spreadsheetId, use: "other", signal }, () => upstream.tabs()),
        });
      },
      accept: (table, values, askedAt) => this.#accept(table, values, askedAt),
      failed: (why) => this.publisher.failed(why),
      stretched: (tables) => this.#stretched(tables),
    });
  }

  /** @returns why tables that were changed can't be read as before; see changed.ts. */
  unreadable(): Promise<string | undefined> {
    const { spreadsheetId, tables = [], clock } = this.#options;
    const upstreamOf = upstreams(this.#options);
    return unreadable({
      spreadsheetId,
      tables,
      rowsBefore: (table) => this.snapshots.rowsOfOther(table),
      reading: (table, values) => this.snapshots.reading(values, table),
      read: (id, some, signal) => {
        // Counted, but not kept on disk: the store is the old broker's until the journal is handed over. A full quota refuses no reload.
        const counted = async <T>(make: () => Promise<Outcome<T>>): Promise<Outcome<T>> => {
          if (!(await this.quota.take("other", AbortSignal.timeout(RELOAD_WAITS)))) this.quota.spend();
          return await make();
        };
        const [upstream, ranges] = [upstreamOf(id), some.map(({ range }) => quoted(range))];
        return readSpelled({
          mayCall: () => !signal.aborted && this.quota.next() <= clock.now(),
          read: () => counted(() => upstream.read(ranges, signal)),
          tabs: () => counted(() => upstream.tabs()),
        });
      },
    });
  }

  #footing(): Footing {
    return {
      layout: (table) => {
        const layout = this.snapshots.get(table)?.layout;
        return layout?.columns.includes(layout.key) === true ? layout : undefined; // an empty tab has no columns to write to
      },
      renew: (table) => this.refreshers.renew(table),
      found: (table) => this.refreshers.lookAgain(table),
      reads: { ledger: this.quota, keep: (state) => this.#store.keepQuota(state) },
      writes: {
        state: () => this.#store.writeQuota(),
        keep: (state) => this.#store.keepWriteQuota(state),
        shared: this.account?.pool("write"),
      },
      notWriter: () => this.account?.notWriter,
      accepted: (last) => this.#store.noteAccepted(last),
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
    this.snapshots.load(tables, wall);
    const checked = tables.flatMap((table) => {
      const held = this.snapshots.get(table.name);
      if (held === undefined) return [];
      return [[table.name, { checkedAt: after(now, elapsed(wall, held.head.checkedAt)), bytes: held.bytes.byteLength }] as const];
    });
    for (const { name } of tables) this.#startWriting(name, new Map(checked).get(name)?.checkedAt ?? now);
    this.refreshers.setTables(tables, new Map(checked));
    this.publisher.listed();
    this.refreshers.warm();
    this.refreshers.touch(tables.filter(isWritable).map(({ name }) => name));
  }

  /** Lays what the journal holds over the rows from disk, before anybody sees them. */
  #startWriting(table: string, checkedAt: Instant): void {
    const held = this.snapshots.get(table);
    if (held === undefined || !this.writing.has(table)) return;
    const load = (): Content => contentOf(new Snapshot(Uint8Array.from(held.bytes).buffer));
    this.writing.based(table, { load, layout: held.layout }, checkedAt);
    this.publisher.push(table);
  }

  #accept(table: Table, values: unknown, askedAt: Instant): string | undefined {
    const { clock } = this.#options;
    const at = later(clock.wall(), between(clock.now(), askedAt));
    const over = ({ content, layout, places }: Extract<Reading, { is: "ok" }>): Content | undefined => {
      if (!this.writing.mayShow({ layout, values, askedAt })) return this.refreshers.renewSoon(table.name);
      this.writing.based(table.name, { load: () => content, layout, places, bytes: valuesBytes(values) }, askedAt);
      return this.writing.content(table.name) ?? content;
    };
    return this.publisher.tell(table, this.snapshots.accept(table, values, at, this.writing.has(table.name) ? over : undefined));
  }

  /** The TTLs of tables are others now, for a time: whoever has their rows is told. */
  #stretched(tables: readonly Table[]): void {
    const { planned, budget, floor } = this.refreshers.stretch();
    const figures = { planned: Math.round(planned), budget, floor };
    if (floor > 0)
      this.#options.log.warn(
        figures,
        `the TTLs would take more calls than the quota leaves: no table is refreshed more often than every ${floor} ms`,
      );
    else this.#options.log.info(figures, "the TTLs fit into the quota again");
    for (const table of tables) {
      const head = this.snapshots.retimed(table);
      if (head !== undefined) this.publisher.renewed(head);
    }
  }

  /** Reads a table now, for who must know what a person has typed meanwhile. @returns whether it was read in time. */
  async #reread(table: string): Promise<boolean> {
    const asked = this.#options.clock.now();
    const isRead = (): boolean => this.refreshers.isReadSince(table, asked);
    this.refreshers.renew(table);
    for (let looks = 0; looks < REREAD_LOOKS && !isRead(); looks += 1) await sleep(REREAD_LOOK);
    return isRead();
  }
}
