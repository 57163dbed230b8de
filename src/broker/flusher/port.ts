/** What the flusher needs of Google, and what it offers to the broker. */
import type { Clock } from "../../base/clock.ts";
import type { HistogramDelta } from "../../base/histogram.ts";
import type { Logger } from "../../base/log.ts";
import type { Timestamp } from "../../base/units.ts";
import type { Layout } from "../../sheets/layout.ts";
import type { Delivery, WritesReport } from "../../sheets/writes.ts";
import type { Alarm } from "../alarm.ts";
import type { Entry, Journal, Settlement } from "../journal/journal.ts";
import type { Ledger, QuotaState } from "../quota.ts";
import type { Outcome, Upstream } from "../upstream.ts";
import type { TableReading } from "./core/trust.ts";

/** A request that may have done its work without telling: only then is the difference worth anything. */
export type WriteOutcome<T> =
  | Outcome<T>
  /** A 400: Google has read the request and does nothing of it. */
  | { readonly is: "refused"; readonly message: string };

/** A developer metadata that stands in the spreadsheet. */
export interface FoundMetadata {
  readonly id: number;
  readonly value: string;
  /** It pins a row or a column; else it is the spreadsheet's. */
  readonly onRow: boolean;
}

export interface WriteUpstream {
  /** `spreadsheets.batchUpdate` with this body as it is. @param fields of the answer. @returns the answer's JSON. @throws nothing. */
  batchUpdate(body: Uint8Array, fields: string): Promise<WriteOutcome<unknown>>;
  /** `values.batchUpdateByDataFilter`. */
  updateByFilter(body: Uint8Array): Promise<WriteOutcome<unknown>>;
  /** `developerMetadata.get`. @returns its value, or undefined for a 404: there is none with this id, or the spreadsheet can't be seen. */
  metadata(id: number): Promise<WriteOutcome<string | undefined>>;
  /** `developerMetadata.search`: all with this key, whoever made them. */
  search(metadataKey: string): Promise<WriteOutcome<readonly FoundMetadata[]>>;
  /** Titles and ids of the tabs. */
  sheetIds(): Promise<WriteOutcome<ReadonlyMap<string, number>>>;
}

/** A ledger of calls, and where its state is kept for a successor. */
export interface Counted {
  readonly ledger: Ledger;
  keep(state: QuotaState): void;
}

export interface FlusherOptions {
  readonly journal: Journal;
  readonly upstream: WriteUpstream & Pick<Upstream, "read">;
  readonly writes: Counted;
  /** The same that the refreshes of the tables are counted in. */
  readonly reads: Counted;
  /** What was found out about this spreadsheet's fences: kept, so that it is found out once. */
  readonly proof: { read(): Delivery | undefined; keep(delivery: Delivery): void };
  /** Undefined while the table is not known: its writes wait. */
  layout(table: string): Layout | undefined;
  /** The row that a key had at the table's last reading, counted from the tab's first row, from 0. */
  rowOf(table: string, key: string): number | undefined;
  readonly events: FlusherEvents;
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** 0 ≤ random < 1. */
  readonly random: () => number;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

export interface FlusherEvents {
  /**
   * These are about to be settled as landed: the journal will not have them any more.
   * @returns when what clients see of them is on disk, so that a kill in between takes it from nobody.
   */
  landing(lsns: readonly number[]): Promise<void>;
  /** These are in the sheet, or never will be. */
  settled(how: Settlement): void;
  /** These have been handed to Google. */
  sent(lsns: readonly number[], at: Timestamp): void;
  /** The table's header row is another one: it must be read anew, its writes wait for that. */
  moved(table: string): void;
  /** An answer shows that the table's range is there: a pause of its reads can end. */
  found(table: string): void;
}

/** Whether Google lets the account write: the first write shows it. */
export type Right =
  | { readonly is: "unknown" }
  | { readonly is: "yes" }
  /** `message`: why, and what to do. */
  | { readonly is: "no"; readonly message: string };

export interface Flusher {
  readonly right: Right;
  /** Tries to write, unless that was tried some moments ago. @returns when Google has answered, or after five seconds. */
  proveRight(table: string): Promise<void>;
  /** More is waiting. */
  accepted(entries: readonly Entry[]): void;
  /**
   * Whether a reading of a table may be shown. One that may not can show values of ours in wrong columns: the table is to be read again.
   * Its columns are used for what is written from now on. A reading also ends the pause between two looks for the table's tab.
   */
  mayShow(reading: TableReading): boolean;
  /** Parked writes wait again: what was held against their rows is forgotten. */
  retried(entries: readonly Entry[]): void;
  /** Cheap; the report goes through the last thousand times. */
  readonly delivery: WritesReport["delivery"];
  report(): WritesReport;
  /** From acceptance to the sheet, of what has landed since the last call. */
  takeTimes(): HistogramDelta;
  /** Begins no further request; resolves when the one under way has ended, or after a second. */
  close(): Promise<void>;
}
