/** The refreshers of all spreadsheets, and the one quota that they share: how often any of their tables may be refreshed. */
import { after, seconds, type Instant, type Ms } from "../base/units.ts";
import type { Priority, Table, Unavailable } from "../sheets/types.ts";
import { unknown, type Known } from "./place.ts";
import { Refresher, type BreakerReport, type RefresherPort } from "./refresher.ts";
import { Stretch, type Paced, type StretchReport } from "./stretch.ts";
import type { Outcome } from "./upstream.ts";

/** Calls are few: a reading that can't be shown yet is not made more often. */
const RENEW_AGAIN = seconds(2);

export interface RefreshersPort extends Omit<RefresherPort, "read" | "landed"> {
  /** Of tables that name none. */
  readonly spreadsheetId: string;
  read(spreadsheetId: string, tables: readonly Table[], signal: AbortSignal): Promise<Outcome<readonly unknown[]>>;
  /** These tables' rows count as fresh for another time now. */
  stretched(tables: readonly Table[]): void;
}

export interface SpreadsheetReport extends BreakerReport {
  readonly id: string;
}

export class Refreshers {
  readonly #port: RefreshersPort;
  readonly #stretch = new Stretch();
  #bySpreadsheet: ReadonlyMap<string, Refresher> = new Map();
  #byTable: ReadonlyMap<string, Refresher> = new Map();

  constructor(port: RefreshersPort) {
    this.#port = port;
  }

  /** See Refresher. */
  setTables(tables: readonly Table[], known: ReadonlyMap<string, Known>): void {
    const before = this.#bySpreadsheet;
    const groups = Map.groupBy(tables, ({ spreadsheet }) => spreadsheet ?? this.#port.spreadsheetId);
    const refreshers = new Map([...groups.keys()].map((id) => [id, before.get(id) ?? this.#newRefresher(id)] as const));
    for (const [id, refresher] of before) if (!refreshers.has(id)) refresher.close();
    this.#bySpreadsheet = refreshers;
    const byTable = new Map<string, Refresher>();
    for (const [id, refresher] of refreshers) {
      const own = groups.get(id) ?? [];
      refresher.setTables(own, known);
      for (const { name } of own) byTable.set(name, refresher);
    }
    this.#byTable = byTable;
    for (const refresher of refreshers.values()) refresher.stretch(this.#stretch.report.floor);
  }

  warm(): void {
    for (const refresher of this.#bySpreadsheet.values()) refresher.warm();
  }

  async want(table: string, priority?: Priority): Promise<Unavailable | undefined> {
    return this.#byTable.get(table)?.want(table, priority) ?? unknown(table);
  }

  touch(tables: readonly string[]): void {
    for (const [refresher, names] of Map.groupBy(tables, (name) => this.#byTable.get(name))) refresher?.touch(names);
  }

  renew(table: string): void {
    this.#byTable.get(table)?.renew(table);
  }

  /** See Refresher. */
  lookAgain(table: string): void {
    this.#byTable.get(table)?.lookAgain(table);
  }

  /** Whether a reading of the table has landed that began then or later. */
  isReadSince(table: string, at: Instant): boolean {
    return this.#byTable.get(table)?.isReadSince(table, at) === true;
  }

  /** As `renew`, after a pause: a reading was of no use. */
  renewSoon(table: string): undefined {
    const { alarm, clock } = this.#port;
    alarm(after(clock.now(), RENEW_AGAIN), () => this.renew(table));
  }

  failures(): readonly Unavailable[] {
    return [...this.#bySpreadsheet.values()].flatMap((refresher) => refresher.failures());
  }

  /** How long a table's rows count as fresh now. */
  ttlOf(table: Table): Ms {
    return Math.max(table.ttl, this.#stretch.report.floor) as Ms;
  }

  stretch(): StretchReport {
    return this.#stretch.report;
  }

  report(): readonly SpreadsheetReport[] {
    return [...this.#bySpreadsheet].map(([id, refresher]) => ({ id, ...refresher.report() }));
  }

  close(): void {
    for (const refresher of this.#bySpreadsheet.values()) refresher.close();
  }

  #newRefresher(id: string): Refresher {
    const { spreadsheetId: _, stretched: __, read, ...port } = this.#port;
    return new Refresher({ ...port, read: (tables, signal) => read(id, tables, signal), landed: () => this.#plan() });
  }

  /** Looks whether the TTLs still fit into the budget. */
  #plan(): void {
    const { clock, quota, stretched } = this.#port;
    const used = [...this.#bySpreadsheet].flatMap(([spreadsheet, refresher]) =>
      refresher.used().map(({ table, bytes }): Paced => ({ spreadsheet, ttl: table.ttl, bytes })),
    );
    if (!this.#stretch.plan(used, quota.budget(), clock.now())) return;
    const { floor } = this.#stretch.report;
    const changed = [...this.#bySpreadsheet.values()].flatMap((refresher) => refresher.stretch(floor));
    if (changed.length > 0) stretched(changed);
  }
}
