/** The words of the Sheets side: tables, who may see them, and what travels between the broker and its clients. */
import type { Bytes, Ms, Timestamp } from "../base/units.ts";

/** Who may do a thing with a table. `own rows` and `role` need a login. */
export type Audience = "nobody" | "public" | "signed-in" | "own rows" | { readonly role: string };

export type ColumnType = "auto" | "string" | "number" | "integer" | "boolean" | "date";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Never leaves the broker. */
  readonly hidden: boolean;
  /** Hidden because of its name: the tables file does not say whether it is. */
  readonly guessed?: true;
}

/** One table: a range of the spreadsheet whose first row names the columns. */
export interface Table {
  readonly name: string;
  /** A1 notation: a tab's title, or `Title!A1:F`. */
  readonly range: string;
  /** The key column's name; undefined: the first column, or ids that are not shown (see `hasRowIds`). */
  readonly key: string | undefined;
  /** The spreadsheet it is in; absent: the one that the daemon serves. Of another one rows are only read. */
  readonly spreadsheet?: string;
  readonly ttl: Ms;
  /** What the file says of single columns; columns it does not name are `auto` and visible unless their name is secret. */
  readonly columns: readonly Column[];
  /** The columns that are hidden; absent: those whose names suggest a secret. `columns` can hide more. */
  readonly hidden?: readonly string[];
  /** A column that is set to true when a row is deleted, instead of emptying the row: rows that have it are not shown. */
  readonly deleted?: string;
  /** The visible column that names whose a row is, by the user's name: "own rows" needs it. */
  readonly owner?: string;
  /** Only of the table that people log in by (see accounts.ts), which is no table of the file's. */
  readonly accounts?: AccountColumns;
  /** Writes make the table no larger than this; absent: the defaults of growth.ts. */
  readonly maxRows?: number;
  readonly maxBytes?: Bytes;
  readonly read: Audience;
  readonly append: Audience;
  readonly update: Audience;
}

/** The columns of the users' table that a login looks at. */
export interface AccountColumns {
  readonly name: string;
  readonly secret: string;
  readonly role: string | undefined;
}

/** What clients of the broker may know of a table: no hidden column is named here. */
export interface TableInfo {
  readonly name: string;
  /** Fingerprint of how the table is cut out of the spreadsheet: what was made under another one must not be served. */
  readonly definition: string;
  readonly ttl: Ms;
  /** The key column, if the tables file names it. */
  readonly key?: string;
  /** The column that names whose a row is. */
  readonly owner?: string;
  readonly read: Audience;
  readonly append: Audience;
  readonly update: Audience;
}

/** The head that goes with a snapshot's bytes. */
export interface SnapshotHead {
  readonly table: string;
  /** Changes when the broker can't tell whether its versions continue those a worker has seen. */
  readonly epoch: number;
  /** Counts the changes of the content within the epoch. */
  readonly version: number;
  /** 16 hex digits of the visible content's SHA-256: the same in every worker, machine and restart. */
  readonly hash: string;
  /** When these rows were first seen in this form. */
  readonly asOf: Timestamp;
  /** When Google last said so. */
  readonly checkedAt: Timestamp;
  /** How many things are wrong with the rows in the sheet: keys that are missing or stand twice, values that do not fit; absent: none. */
  readonly warnings?: number;
  /** The columns that are hidden because of their names; absent: none. */
  readonly hidden?: readonly string[];
  /** How long these rows count as fresh, where the table's own TTL would cost more calls than the quota leaves; absent: that TTL. */
  readonly ttl?: Ms;
}

/** Who comes first when calls are short: what somebody waits for without any rows, or must be sure of; what keeps rows fresh; the rest. */
export type Priority = "urgent" | "refresh" | "export";

/** The `table` of an Unavailable that concerns the list of tables itself: nothing is known of the spreadsheet yet. */
export const EVERY_TABLE = "*";

/** Why a table can't be had, as the broker tells it to a worker. */
export interface Unavailable {
  /** The table's name, or EVERY_TABLE. */
  readonly table: string;
  readonly reason: "unknown" | "never-loaded" | "upstream" | "denied" | "quota" | "broker";
  readonly message: string;
  readonly retryAfter: Ms;
  /** What is behind it, in more detail than `reason`. */
  readonly cause?: Cause;
}

/** Why rows are not fresh, in one word for machines: clients read it in `X-Cache-Reason`. */
export const CAUSES = ["quota", "denied", "timeout", "network", "upstream", "malformed", "missing", "too-large", "broker"] as const;
export type Cause = (typeof CAUSES)[number];

const COARSE = {
  unknown: "missing",
  "never-loaded": "upstream",
  upstream: "upstream",
  denied: "denied",
  quota: "quota",
  broker: "broker",
} as const satisfies Record<Unavailable["reason"], Cause>;

/** @returns the word for why a table can't be had. */
export const causeOf = ({ cause, reason }: Unavailable): Cause => cause ?? COARSE[reason];
