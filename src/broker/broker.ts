/** The broker without its socket: tables, snapshots and the refresher that keeps them, and who wants to hear of it. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { UpstreamReport } from "../base/protocol.ts";
import { after, between, elapsed, later, ms, type Instant, type Ms, type PerMinute } from "../base/units.ts";
import { quoted } from "../sheets/a1.ts";
import type { BrokerEvents, BrokerPort } from "../sheets/direct-transport.ts";
import type { Changes, Position } from "../sheets/events.ts";
import { tableInfo, tablesFromTabs } from "../sheets/tables.ts";
import type { Table, Unavailable } from "../sheets/types.ts";
import { systemAlarm, type Alarm } from "./alarm.ts";
import { SnapshotFiles } from "./disk.ts";
import { Feed } from "./feed/feed.ts";
import { ReadQuota } from "./quota.ts";
import { Refresher } from "./refresher.ts";
import { Snapshots } from "./snapshots.ts";
import { openStore, type Store } from "./store.ts";
import { discoverTabs, tabsFile } from "./tabs.ts";
import type { Outcome, Upstream } from "./upstream.ts";

export interface BrokerOptions {
  readonly spreadsheetId: string;
  /** Undefined: every tab is a table. */
  readonly tables: readonly Table[] | undefined;
  /** Of tables that the tabs make. */
  readonly ttl: Ms;
  readonly readsPerMinute: PerMinute;
  readonly dataDir: string;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarm?: Alarm;
  readonly random?: () => number;
}

type State = Pick<UpstreamReport, "state" | "message">;

const STATES = {
  ok: "ok",
  denied: "denied",
  locked: "locked",
  unavailable: "down",
  malformed: "down",
  tooLarge: "ok", // asked again in smaller parts
  noRange: "ok", // asked again without the range
} as const satisfies Record<Outcome<never>["is"], UpstreamReport["state"]>;

export class Broker implements BrokerPort {
  readonly #options: BrokerOptions;
  readonly #store: Store;
  readonly #quota: ReadQuota;
  readonly #snapshots: Snapshots;
  readonly #refresher: Refresher;
  readonly #feed: Feed;
  readonly #listeners = new Set<BrokerEvents>();
  #tables: readonly Table[] | undefined;
  #listFailure: Unavailable | undefined;
  #state: State = { state: "never", message: "Google has not been asked yet" };
  #stopDiscovery: (() => void) | undefined;
  /** For the beat. */
  readonly counters = { calls: 0, errors: 0 };

  /** Loads what the last broker left; asks for nothing yet. @throws DroverError DROVER_E_DATA_DIR. */
  constructor(options: BrokerOptions) {
    const { clock, log, dataDir, spreadsheetId } = options;
    this.#options = options;
    this.#store = openStore(dataDir, clock.wall(), log);
    this.#quota = new ReadQuota(options.readsPerMinute, clock, this.#store.quota());
    this.#feed = new Feed({ dataDir, epoch: this.#store.epoch, log });
    this.#snapshots = new Snapshots(spreadsheetId, new SnapshotFiles(dataDir, log), this.#store, log);
    this.#refresher = new Refresher({
      ...this.#times(),
      quota: this.#quota,
      read: (tables) => this.#call(() => options.upstream.read(tables.map((table) => quoted(table.range)))),
      accept: (table, values, askedAt) => this.#accept(table, values, askedAt),
      failed: (why) => this.#failed(why),
    });
  }

  /** Begins to serve: from disk at once, from Google for what is not there. */
  start(): void {
    const { tables, log, dataDir, spreadsheetId } = this.#options;
    if (tables !== undefined) return this.#setTables(tables);
    const file = tabsFile(dataDir, spreadsheetId, log);
    const known = file.read();
    if (known !== undefined) this.#setTabs(known);
    const found = (titles: readonly string[]): void => {
      if (JSON.stringify(titles) === JSON.stringify(known)) return;
      this.#setTabs(titles);
      file.write(titles);
    };
    const failed = (why: Unavailable): void => void (this.#tables === undefined && this.#failed((this.#listFailure = why)));
    const tabs = () => this.#call(() => this.#options.upstream.tabs());
    this.#stopDiscovery = discoverTabs({ ...this.#times(), quota: this.#quota, log, tabs, found, failed });
  }

  subscribe(events: BrokerEvents): () => void {
    this.#listeners.add(events);
    if (this.#listFailure !== undefined) events.failed(this.#listFailure);
    if (this.#tables !== undefined) events.tables(this.#infos());
    for (const { head, bytes } of this.#snapshots.all()) events.snapshot(head, bytes);
    for (const why of this.#refresher.failures()) events.failed(why);
    return () => void this.#listeners.delete(events);
  }

  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void {
    return this.#feed.follow(from, tell);
  }

  async want(table: string): Promise<Unavailable | undefined> {
    if (this.#tables !== undefined) return this.#refresher.want(table);
    const message = "Google has not said yet which tabs the spreadsheet has";
    return { reason: "never-loaded", message, retryAfter: ms(1_000), ...this.#listFailure, table };
  }

  touch(tables: readonly string[]): void {
    this.#refresher.touch(tables);
  }

  peek(table: string): ReturnType<Snapshots["get"]> {
    return this.#snapshots.get(table);
  }

  report(): UpstreamReport {
    const tables = [...this.#snapshots.all()].map(({ head, rows }) => ({
      name: head.table,
      rows,
      version: head.version,
      checkedAt: head.checkedAt,
    }));
    return { ...this.#state, quota: this.#quota.report(), tables };
  }

  /** Stops asking; who waits is told. @returns when all that is known is on disk. */
  async close(): Promise<void> {
    this.#stopDiscovery?.();
    this.#refresher.close();
    this.#feed.close();
    this.#options.upstream.close();
    await this.#snapshots.flushed();
  }

  #times(): { readonly clock: Clock; readonly alarm: Alarm; readonly random: () => number } {
    const { clock, alarm, random } = this.#options;
    return { clock, alarm: alarm ?? systemAlarm(clock), random: random ?? Math.random };
  }

  #infos() {
    return (this.#tables ?? []).map((table) => tableInfo(table, this.#options.spreadsheetId));
  }

  #setTabs(titles: readonly string[]): void {
    const { tables, notes } = tablesFromTabs(titles, this.#options.ttl);
    for (const note of notes) this.#options.log.info(note);
    this.#setTables(tables);
  }

  #setTables(tables: readonly Table[]): void {
    const { clock } = this.#options;
    const [now, wall] = [clock.now(), clock.wall()];
    this.#tables = tables;
    this.#listFailure = undefined;
    this.#snapshots.load(tables, wall);
    const checked = tables.flatMap((table) => {
      const head = this.#snapshots.get(table.name)?.head;
      return head === undefined ? [] : [[table.name, after(now, elapsed(wall, head.checkedAt))] as const];
    });
    this.#refresher.setTables(tables, new Map(checked));
    for (const listener of this.#listeners) {
      listener.tables(this.#infos());
      for (const { head, bytes } of this.#snapshots.all()) listener.snapshot(head, bytes);
    }
    this.#feed.tables(this.#infos());
    this.#refresher.warm();
  }

  /** Every call is counted before it is made, and a refusal closes the ledger: in memory and on disk. */
  async #call<T>(call: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    this.#quota.spend();
    this.#store.keepQuota(this.#quota.state());
    this.counters.calls += 1;
    const outcome = await call();
    if (outcome.is !== "ok") this.counters.errors += 1;
    if (outcome.is === "locked") {
      this.#quota.lock(outcome.until);
      this.#store.keepQuota(this.#quota.state());
    }
    this.#say(outcome);
    return outcome;
  }

  /** Keeps the state of Google, and logs when it changes. */
  #say(outcome: Outcome<unknown>): void {
    const { log } = this.#options;
    const state: State = { state: STATES[outcome.is], message: outcome.is === "ok" ? "" : outcome.message };
    const before = this.#state;
    this.#state = state.state === "ok" ? { state: "ok", message: "" } : state;
    if (outcome.is === "ok" && before.state !== "ok") log.info(before.state === "never" ? "Google answers" : "Google answers again");
    else if (outcome.is !== "ok" && before.message !== state.message)
      log.warn({ upstream: outcome.is }, `a call to Google failed: ${state.message}`);
  }

  #accept(table: Table, values: unknown, askedAt: Instant): string | undefined {
    const { clock } = this.#options;
    const accepted = this.#snapshots.accept(table, values, later(clock.wall(), between(clock.now(), askedAt)));
    switch (accepted.is) {
      case "malformed":
        this.#options.log.warn({ table: table.name }, `Google's answer was refused, what was there stays: ${accepted.why}`);
        return accepted.why;
      case "same":
        for (const listener of this.#listeners) listener.renewed(accepted.head);
        this.#told(table.name);
        return undefined;
      case "changed":
        for (const listener of this.#listeners) listener.snapshot(accepted.head, accepted.bytes);
        this.#told(table.name);
        return undefined;
      default:
        return accepted satisfies never;
    }
  }

  /** After the workers know a table's rows: what changed in them becomes events. */
  #told(table: string): void {
    const rows = this.#snapshots.get(table);
    if (rows !== undefined) this.#feed.seen(rows.head, rows.bytes);
  }

  #failed(why: Unavailable): void {
    for (const listener of this.#listeners) listener.failed(why);
  }
}
