/**
 * What an application says of its tables, and what it gets: types alone. `R` is its list of rows by table (`TableRows`); a table that the
 * list does not name has rows of `Row`.
 */
import type { Row } from "../sheets/snapshot.ts";
import type { Tables } from "../sheets/client.ts";
import type { Cause } from "../sheets/types.ts";
import type { WriteState, WriteWait } from "../sheets/writes.ts";

/** The names that the list has, and any other. */
export type TableName<R> = (keyof R & string) | (string & {});

/** A row of a table. */
export type RowOf<R, N extends string> = N extends keyof R ? R[N] : Row;

/** Values by column. Only the named columns are touched; null empties a cell. */
export type NewValues<T> = { readonly [K in keyof T]?: T[K] | null };

/** A table's rows at one moment. */
export interface Reading<T> {
  /** In the sheet's order. Frozen, and shared by all who read this version. */
  readonly rows: readonly T[];
  /** Since when the rows are these. */
  readonly asOf: Date;
  /** They are older than the table's TTL, or the last refresh failed. */
  readonly stale: boolean;
  /** Why the last refresh failed, in one word; absent when it did not. */
  readonly why?: Cause;
}

/** One row, and the tag that `ifMatch` takes. */
export interface Found<T> {
  readonly row: T;
  readonly tag: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface WriteOptions {
  /** `journal` (the default): answered once it is on disk here, and every worker shows it. `sheet`: once the spreadsheet has it. */
  readonly wait?: WriteWait;
  /**
   * A name for this request, at most 200 characters: said again within a day with the same values it gets the first answer. Names of all
   * callers are in one space: put the user's name into a name that a client chose.
   */
  readonly once?: string | undefined;
  /** Ends the waiting. The write goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface ChangeOptions extends WriteOptions {
  /** The tag that the row must have: see `row()`. */
  readonly ifMatch?: string | undefined;
}

/** A write that was taken. */
export interface Written {
  readonly id: string;
  readonly table: string;
  readonly op: "append" | "update" | "delete";
  readonly key: string;
  /** `parked`: Google refuses it for good, `reason` says why. All others are in the sheet, or on their way. */
  readonly state: WriteState;
  readonly reason?: string;
  readonly at: Date;
  readonly landedAt?: Date;
  /** It was asked before under the same `once`: this is the first answer. */
  readonly repeated: boolean;
}

/** The spreadsheet's tables, for an application. All calls go through the broker: none can exceed Google's quota. */
export interface ApplicationTables<R = unknown> extends Omit<Tables, "close"> {
  /**
   * All rows, as fresh as the table's TTL allows: mostly without asking anybody.
   * @throws TablesError `unknown-table`; `unavailable` or `away` when none of its rows was ever seen. The signal's reason when it aborts.
   */
  read<N extends TableName<R>>(table: N, options?: ReadOptions): Promise<Reading<RowOf<R, N>>>;
  /** The first row with this key, or undefined. @throws as read(). */
  row<N extends TableName<R>>(table: N, key: string | number, options?: ReadOptions): Promise<Found<RowOf<R, N>> | undefined>;
  /**
   * Adds a row, or up to 500: all or none. Without a value for the key's column the key is the write's id.
   * @throws TablesError with the reason; `invalid` and `duplicate-key` name the column, and of several rows which.
   */
  append<N extends TableName<R>>(table: N, row: NewValues<RowOf<R, N>>, options?: WriteOptions): Promise<Written>;
  append<N extends TableName<R>>(table: N, rows: readonly NewValues<RowOf<R, N>>[], options?: WriteOptions): Promise<readonly Written[]>;
  /**
   * Changes a row. A function gets the row as it is and gives what changes; if somebody else changes the row meanwhile it is called again
   * with what that made of it, so it must have no effect of its own. What it throws is thrown, and nothing is written.
   * @throws TablesError with the reason; `conflict` after a function was called 50 times in vain.
   */
  update<N extends TableName<R>>(table: N, key: string | number, values: NewValues<RowOf<R, N>>, options?: ChangeOptions): Promise<Written>;
  update<N extends TableName<R>>(
    table: N,
    key: string | number,
    change: (row: RowOf<R, N>) => NewValues<RowOf<R, N>>,
    options?: Omit<ChangeOptions, "once" | "ifMatch">,
  ): Promise<Written>;
  /** Takes a row out: its cells are emptied, or its `deleted` column set. @throws TablesError with the reason. */
  remove(table: TableName<R>, key: string | number, options?: ChangeOptions): Promise<Written>;
  /** What became of a write. @returns undefined when there is none, or it landed over a day ago. @throws TablesError `away`. */
  outcome(id: string): Promise<Written | undefined>;
}
