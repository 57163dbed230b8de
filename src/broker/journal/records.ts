/** What stands in the rows' records: JSON of these. */
import type { Ms, Timestamp } from "../../base/units.ts";
import type { Write, WriteState } from "../../sheets/writes.ts";
import type { Batch, Entry, NewEntry, SetAside, Tag } from "./journal.ts";
import type { Kind, Row } from "./rows.ts";

const DAY = 24 * 60 * 60 * 1_000;

/** How long a write is found after it landed, and how long a client's own key, or a worker's call, is known. */
export const KEPT = { landed: (7 * DAY) as Ms, once: DAY as Ms, call: DAY as Ms } as const;
/** Kinds of rows that are kept for a time. */
export type Aged = keyof typeof KEPT;

export interface LandedRecord {
  readonly id: string;
  readonly table: string;
  readonly op: Entry["op"];
  readonly key: string;
  readonly at: Timestamp;
  readonly settledAt: Timestamp;
}

/** Google refused it: its values stay, for whoever mends it. */
export interface ParkedRecord extends LandedRecord {
  readonly values: Entry["values"];
  readonly reason: string;
  /**
   * The operator has dealt with it, and its values are gone. `as`: it was tried again under this number, at which whoever asks by the old one
   * finds it; this row has no name then.
   */
  readonly over?: { readonly is: "again"; readonly as: number } | { readonly is: "discarded" };
}

export interface OnceRecord {
  readonly digest: string;
  /** Of the writes it made: they are numbered in a row. */
  readonly firstLsn: number;
  readonly count: number;
  readonly settledAt: Timestamp;
}

export interface BatchRecord {
  readonly fence: Batch["fence"];
  readonly lsns: readonly number[];
  readonly sealedAt: Timestamp;
}

/** Never smaller than what they were, whatever else is purged. `landed` and `parked` count all there ever were. */
export interface Counters {
  readonly nextLsn: number;
  readonly nextBatch: number;
  readonly nextMetadataId: number;
  readonly landed: number;
  readonly parked: number;
}

/** What the damaged journal before this one lost, until that is reported. */
export interface LossRecord {
  /** The file that the damaged journal is kept as. */
  readonly aside: string;
  /** For the operator. */
  readonly text: string;
}

/** The record of each kind of row; that of "meta" depends on its number. */
export interface Records {
  readonly meta: unknown;
  readonly entry: NewEntry;
  readonly batch: BatchRecord;
  /** When the batch of this number was first handed to the network. */
  readonly sending: Timestamp;
  readonly landed: LandedRecord;
  readonly parked: ParkedRecord;
  /** Of clients' own names for their requests. */
  readonly once: OnceRecord;
  /** Of workers' calls, which are only repeated within minutes: a ring of their own, so that they push no client's name out. */
  readonly call: OnceRecord;
  /** When the fence's batch was settled. */
  readonly fence: Timestamp;
  readonly tag: Omit<Tag, "id">;
}

export const recordOf = <K extends Kind>(_kind: K, row: Row): Records[K] => JSON.parse(row.record) as Records[K];
export const bytesOf = (row: Pick<Row, "record">): number => Buffer.byteLength(row.record);

/** Exactly the fields that are kept, in one order. @throws TypeError for a number that JSON can't say. */
export function encodeEntry({ id, table, op, key, values, at }: NewEntry): string {
  for (const [column, value] of Object.entries(values))
    if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`column ${column}: ${value} is no cell's value`);
  return JSON.stringify({ id, table, op, key, values, at });
}

export const decodeEntry = (lsn: number, record: string): Entry => ({ lsn, ...(JSON.parse(record) as NewEntry) });

export function waitingWrite(row: Row, state: WriteState): Write {
  const { id, table, op, key, at } = recordOf("entry", row);
  return { id, table, op, key, state, at };
}

export function landedWrite(row: Row): Write {
  const { id, table, op, key, at, settledAt } = recordOf("landed", row);
  return { id, table, op, key, state: "landed", at, landedAt: settledAt };
}

export function parkedWrite(row: Row): Write {
  const { id, table, op, key, at, reason } = recordOf("parked", row);
  return { id, table, op, key, state: "parked", reason, at };
}

export function setAside(row: Row): SetAside {
  const { id, table, op, key, values, at, reason, settledAt } = recordOf("parked", row);
  return { lsn: row.nr, id, table, op, key, values, at, reason, settledAt };
}

/** Whether nobody has dealt with a parked write yet. */
export const isAside = (row: Row): boolean => recordOf("parked", row).over === undefined;
