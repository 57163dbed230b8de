/** What the journal's thread keeps in memory of its file: numbers, and which writes are on their way. */
import { randomBytes, randomInt } from "node:crypto";
import type { Timestamp } from "../../base/units.ts";
import { Damage, META, SCHEMA, type Database } from "./database.ts";
import { bytesOf, recordOf, type Counters } from "./records.ts";
import { steadySince } from "./steady.ts";

/** A batch that is not settled. */
export interface Sealed {
  readonly lsns: ReadonlySet<number>;
  readonly sentAt: Timestamp | undefined;
}

export interface Size {
  readonly rows: number;
  readonly bytes: number;
}

/** Never changed in place: a transaction that fails leaves the one before it. */
export interface State {
  readonly identity: string;
  readonly counters: Counters;
  readonly waiting: Size;
  readonly landed: Size;
  readonly parked: Size;
  /** Of those, the ones that nobody has dealt with. */
  readonly setAside: number;
  readonly once: Size;
  readonly call: Size;
  readonly sealed: ReadonlyMap<number, Sealed>;
  /** The wall clock just after its last step, as the journal has it. */
  readonly steadySince: Timestamp | undefined;
}

export const plus = (size: Size, rows: number, bytes: number): Size => ({ rows: size.rows + rows, bytes: size.bytes + bytes });

/** The upper half of what an int32 can be is left for counting up. */
export const firstMetadataId = (): number => randomInt(1, 2 ** 30);

/** Changes a row of kind "meta". */
export const putMeta = (database: Database, nr: number, value: unknown): void =>
  database.put("meta", { nr, name: null, record: JSON.stringify(value), body: null });

/** Rows that make an empty database a journal. @param spreadsheet whose rows it takes, when that is known. */
export function begin(database: Database, counters: Counters, spreadsheet: string | undefined): void {
  putMeta(database, META.schema, SCHEMA);
  putMeta(database, META.identity, randomBytes(12).toString("base64url"));
  putMeta(database, META.counters, counters);
  if (spreadsheet !== undefined) putMeta(database, META.spreadsheet, spreadsheet);
}

function meta(database: Database, nr: number): unknown {
  const row = database.get("meta", nr);
  if (row === undefined) throw new Damage(`the row meta ${nr} is missing`);
  return recordOf("meta", row);
}

function sealedBatches(database: Database): Map<number, Sealed> {
  const sealed = new Map<number, Sealed>();
  for (const row of database.all("batch")) {
    const sending = database.get("sending", row.nr);
    const sentAt = sending === undefined ? undefined : recordOf("sending", sending);
    sealed.set(row.nr, { lsns: new Set(recordOf("batch", row).lsns), sentAt });
  }
  return sealed;
}

/**
 * Reads all that must be right for the journal to be used.
 * @param now the wall clock. @param entry is called with each entry that waits, in their order.
 * @throws Damage.
 */
export function readState(database: Database, now: Timestamp, entry: (lsn: number, record: string) => void): State {
  const counters = meta(database, META.counters) as Counters;
  let { nextLsn } = counters;
  let waiting: Size = { rows: 0, bytes: 0 };
  for (const row of database.all("entry")) {
    waiting = plus(waiting, 1, bytesOf(row));
    nextLsn = Math.max(nextLsn, row.nr + 1);
    entry(row.nr, row.record);
  }
  for (const kind of ["fence", "tag"] as const) for (const row of database.all(kind)) void row; // each is judged by its sum
  return {
    identity: meta(database, META.identity) as string,
    counters: { ...counters, nextLsn },
    waiting,
    landed: database.size("landed"),
    parked: database.size("parked"),
    setAside: database.setAside(),
    once: database.size("once"),
    call: database.size("call"),
    sealed: sealedBatches(database),
    steadySince: steadySince(database, now),
  };
}
