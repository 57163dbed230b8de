/** The words of writing: what a client wants changed, and what becomes of it. */
import type { Delivery } from "../base/upstreamreport.ts";
import type { Ms, Timestamp } from "../base/units.ts";
import type { Cell } from "./snapshot.ts";

export type { Delivery, WritesReport } from "../base/upstreamreport.ts";

/** Values by column name. Only the named columns are touched; null empties a cell. */
export type Values = Readonly<Record<string, Cell>>;

/** One change of one row. */
export type Change =
  /** Adds a row. Without a value for the key column the key is the write's id. */
  | { readonly op: "append"; readonly values: Values }
  /** `ifMatch`: the row's tag (see `rowTag`) that it must have, else nothing is changed. */
  | { readonly op: "update"; readonly key: string; readonly values: Values; readonly ifMatch?: string }
  | { readonly op: "delete"; readonly key: string; readonly ifMatch?: string };

/** When a write is answered: once it is on disk here, or once the sheet has it. */
export type WriteWait = "journal" | "sheet";

/** Most changes of one request. */
export const MOST_CHANGES = 500;

export interface WriteRequest {
  readonly table: string;
  /** All of them are taken, or none. */
  readonly changes: readonly Change[];
  /** A client's own name for this request (Idempotency-Key) and a digest of what it asked: said again, it gets the first answer. */
  readonly once?: { readonly key: string; readonly digest: string };
  /** Only the answer of an accepted request of the name `once` is wanted: nothing is written. */
  readonly replay?: true;
}

/** The life of a write: on our disk → on its way to Google → in the sheet; or set aside, with a reason, because Google refuses it. */
export type WriteState = "journaled" | "sent" | "landed" | "parked";

export interface Write {
  /** A ULID: unique, and in the order of acceptance. */
  readonly id: string;
  readonly table: string;
  readonly op: Change["op"];
  readonly key: string;
  readonly state: WriteState;
  /** Why it was parked. */
  readonly reason?: string;
  readonly at: Timestamp;
  /** When the sheet had it. */
  readonly landedAt?: Timestamp;
}

/** Why nothing was written. */
export interface WriteRefusal {
  readonly reason:
    | "unknown-table"
    | "not-writable" // the table's place in the sheet does not allow it, or its columns are not known yet
    | "unknown-key"
    | "duplicate-key"
    | "invalid" // a value does not fit: `column` and `nr` say where
    | "conflict" // ifMatch
    | "reused-key" // the same Idempotency-Key with another request
    | "table-full" // the table has as many rows or bytes as it may
    | "full" // too much is waiting to be sent
    | "disk" // the journal's disk
    | "read-only" // the spreadsheet is not shared with the account as Editor
    | "not-writer" // another daemon accepts the writes to this spreadsheet
    | "away"; // no broker, or it is leaving
  readonly message: string;
  readonly column?: string;
  /** Of the change that is refused, from 0. */
  readonly nr?: number;
  readonly retryAfter?: Ms;
  /** It may have been written all the same: nobody was there to say. */
  readonly unsure?: boolean;
}

export type WriteAnswer =
  | {
      readonly is: "written";
      readonly writes: readonly Write[];
      readonly delivery: Delivery;
      readonly repeated: boolean;
      /** The sheet was to be waited for, and the journal is now another broker's: asked again, that one waits for the rest of the time. */
      readonly moved?: boolean;
    }
  | { readonly is: "refused"; readonly refusal: WriteRefusal };
