/** Which tables there are: those of the tables file or, without one, a table for each of the spreadsheet's tabs, which Google is asked for. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Ms } from "../base/units.ts";
import { tableInfo, tablesFromTabs } from "../sheets/tables.ts";
import type { Table, TableInfo, Unavailable } from "../sheets/types.ts";
import type { Alarm } from "./alarm.ts";
import type { Ledger } from "./quota.ts";
import { discoverTabs, tabsFile } from "./tabs.ts";
import type { Outcome } from "./upstream.ts";

export interface CatalogPort {
  readonly spreadsheetId: string;
  readonly dataDir: string;
  /** Of tables that the tabs make. */
  readonly ttl: Ms;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly random: () => number;
  readonly quota: Ledger;
  readonly log: Logger;
  /** Asks Google once. */
  tabs(): Promise<Outcome<readonly string[]>>;
  /** These are the tables from now on. */
  listed(tables: readonly Table[]): void;
  /** They are not known yet, and why. */
  failed(why: Unavailable): void;
}

export class Catalog {
  readonly #port: CatalogPort;
  #tables: readonly Table[] | undefined;
  #failure: Unavailable | undefined;
  #unlisted = 0;
  #stop: (() => void) | undefined;

  constructor(port: CatalogPort) {
    this.#port = port;
  }

  /** Undefined until they are known. */
  get tables(): readonly Table[] | undefined {
    return this.#tables;
  }

  /** Why they are not known. */
  get failure(): Unavailable | undefined {
    return this.#failure;
  }

  /** How many tabs are no tables because there are too many. */
  get unlisted(): number {
    return this.#unlisted;
  }

  find(name: string): Table | undefined {
    return this.#tables?.find((table) => table.name === name);
  }

  /** As workers are told of them. */
  infos(): readonly TableInfo[] {
    return (this.#tables ?? []).map((table) => tableInfo(table, this.#port.spreadsheetId));
  }

  /** @param tables those of the tables file; undefined: the tabs are asked for, and those that the last broker knew hold meanwhile. */
  start(tables: readonly Table[] | undefined): void {
    if (tables !== undefined) return this.#list(tables);
    const { spreadsheetId, dataDir, log } = this.#port;
    const file = tabsFile(dataDir, spreadsheetId, log);
    const known = file.read();
    if (known !== undefined) this.#listTabs(known);
    const found = (titles: readonly string[]): void => {
      if (JSON.stringify(titles) === JSON.stringify(known)) return;
      this.#listTabs(titles);
      file.write(titles);
    };
    const failed = (why: Unavailable): void => void (this.#tables === undefined && this.#port.failed((this.#failure = why)));
    const { clock, alarm, random, quota } = this.#port;
    this.#stop = discoverTabs({ clock, alarm, random, quota, log, tabs: () => this.#port.tabs(), found, failed });
  }

  /** Asks for no tabs any more. */
  close(): void {
    this.#stop?.();
  }

  #listTabs(titles: readonly string[]): void {
    const { tables, notes, unlisted } = tablesFromTabs(titles, this.#port.ttl);
    this.#unlisted = unlisted;
    for (const note of notes) this.#port.log[unlisted > 0 && note === notes.at(-1) ? "warn" : "info"](note);
    this.#list(tables);
  }

  #list(tables: readonly Table[]): void {
    this.#tables = tables;
    this.#failure = undefined;
    this.#port.listed(tables);
  }
}
