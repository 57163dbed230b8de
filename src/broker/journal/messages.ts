/** What the broker's loop and the journal's thread say to each other. Entries travel as the text that is stored. */
import type { Timestamp } from "../../base/units.ts";
import type { ErrorCode } from "../../base/errors.ts";
import type { Write } from "../../sheets/writes.ts";
import type { Moment } from "./steady.ts";
import type { Batch, LastAccepted, OldFence, Settlement, Tag } from "./journal.ts";

/** Everything has a bound; a journal with these is at most about a gigabyte. */
export interface Limits {
  /** Of entries that wait: their records as they are stored. */
  readonly waitingBytes: number;
  readonly waiting: number;
  /** Of writes that landed within the last week; beyond it the oldest are forgotten early. */
  readonly landed: number;
  readonly landedBytes: number;
  readonly parked: number;
  readonly parkedBytes: number;
  /** Of clients' own keys. */
  readonly once: number;
  /** Of workers' calls. */
  readonly call: number;
}

export interface ThreadOptions {
  readonly dir: string;
  /** In milliseconds. */
  readonly patience: number;
  readonly now: Timestamp;
  readonly limits: Limits;
  /** Whose rows the journal takes; undefined: it is not asked. */
  readonly spreadsheet: string | undefined;
  readonly lastAccepted: LastAccepted | undefined;
  /** Bytes of the disk that are kept for emptying the journal. */
  readonly reserve: number;
  /** For tests: the database's most pages. */
  readonly mostPages: number | undefined;
}

/** A request's name, hashed, and where it is remembered. */
export interface Named {
  readonly name: string;
  readonly digest: string;
  readonly ring: "once" | "call";
}

export interface AddOp {
  readonly do: "add";
  readonly ids: readonly string[];
  readonly records: readonly string[];
  readonly once: Named | undefined;
}

export type Op =
  | AddOp
  | { readonly do: "seal"; readonly batch: Batch; readonly nextMetadataId: number }
  | { readonly do: "sent"; readonly nr: number; readonly at: Timestamp }
  | { readonly do: "settle"; readonly nr: number | undefined; readonly how: Settlement }
  | { readonly do: "dropFences"; readonly ids: readonly number[] }
  | { readonly do: "keepTags"; readonly kept: readonly Tag[]; readonly dropped: readonly number[]; readonly nextMetadataId: number }
  /** Purges what is too old, in a small step, and moves the WAL into the database. */
  | { readonly do: "tidy" }
  | { readonly do: "recall"; readonly once: Named }
  | { readonly do: "find"; readonly id: string }
  | { readonly do: "parked"; readonly most: number }
  | { readonly do: "aside"; readonly most: number; readonly ids: readonly string[] | undefined }
  | { readonly do: "retry" | "discard"; readonly lsns: readonly number[] }
  /** Done when it has begun: `copied` tells the end. */
  | { readonly do: "copy"; readonly to: string }
  | { readonly do: "close" };

export type AddResult =
  | { readonly is: "added"; readonly firstLsn: number }
  /** Writes with these ids are there already: the same request again. */
  | { readonly is: "known"; readonly firstLsn: number; readonly writes: readonly Write[] }
  | { readonly is: "repeated"; readonly writes: readonly Write[] }
  | { readonly is: "reused" }
  | { readonly is: "full"; readonly message: string }
  | { readonly is: "disk"; readonly message: string };

export type Result =
  | { readonly is: "done"; readonly value: unknown }
  /** The disk did not take it, or a reading failed. */
  | { readonly is: "failed"; readonly message: string };

export interface Group {
  readonly at: Moment;
  readonly ops: readonly Op[];
}

/** What is known of a journal before its entries come. */
export interface Opened {
  readonly identity: string;
  readonly nextMetadataId: number;
  readonly nextBatch: number;
  readonly batches: readonly Batch[];
  readonly fences: readonly OldFence[];
  readonly tags: readonly Tag[];
  readonly parked: number;
  readonly setAside: number;
  readonly landed: number;
  readonly damage: string | undefined;
}

/** What a retry answers with, for each number. */
export interface Retried {
  readonly lsn: number;
  readonly record: string;
}

export type FromThread =
  /** Entries that wait, in their order: their numbers and their records. */
  | { readonly type: "entries"; readonly lsns: readonly number[]; readonly records: readonly string[] }
  /** Those entries can't be believed: all of them come again. */
  | { readonly type: "damaged" }
  /** After the last entries. */
  | { readonly type: "opened"; readonly opened: Opened }
  | { readonly type: "copied"; readonly to: string; readonly failed: string | undefined }
  | { readonly type: "refused"; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "results"; readonly results: readonly Result[]; readonly setAside: number; readonly trouble: string | undefined };
