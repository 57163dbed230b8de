/**
 * The journal: what was acknowledged, on our own disk until the sheet has it. Every promise here resolves when its change is durable
 * (synchronous=FULL), and a change that failed has not happened.
 */
import type { Ms, Timestamp } from "../../base/units.ts";
import type { Change, Write } from "../../sheets/writes.ts";

/** A write as it is kept. Its row is stored as the cells of the sheet: hidden columns are in it. */
export interface Entry {
  /** Counts up by one for each write, for ever: the order in which they were accepted, and are sent. */
  readonly lsn: number;
  readonly id: string;
  readonly table: string;
  readonly op: Change["op"];
  readonly key: string;
  readonly values: Readonly<Record<string, string | number | boolean | null>>;
  readonly at: Timestamp;
}

export type NewEntry = Omit<Entry, "lsn">;

/** A request's name, and a digest of what it asks. */
export interface Once {
  readonly key: string;
  readonly digest: string;
  /** It is only repeated within this time; one that does not say is remembered for a day. */
  readonly keep?: Ms;
}

/** Writes of one request, taken together or not at all. */
export interface Addition {
  readonly entries: readonly NewEntry[];
  readonly once?: Once;
}

export type Added =
  | { readonly is: "added"; readonly entries: readonly Entry[] }
  /** This key was used before: the writes it made then. */
  | { readonly is: "repeated"; readonly writes: readonly Write[] }
  | { readonly is: "reused" } // the same key, another digest
  | { readonly is: "full"; readonly message: string }
  | { readonly is: "disk"; readonly message: string };

/** Writes on their way: one request to Google, byte for byte, with the fence that makes a second landing a refusal. */
export interface Batch {
  /** The number of its fence: unique, and larger than those before it. */
  readonly nr: number;
  /** The developer metadata's id, and its value: journal identity, batch number, digest of the body. */
  readonly fence: { readonly id: number; readonly value: string };
  /** UTF-8 JSON of the request's body, sealed: it is never made again. */
  readonly body: Uint8Array;
  readonly lsns: readonly number[];
  readonly sealedAt: Timestamp;
  /** When it was first handed to the network; undefined: never, so that no copy of it can be on its way. */
  readonly sentAt: Timestamp | undefined;
}

/** A fence whose batch is settled, and which still stands in the spreadsheet. */
export interface OldFence {
  readonly id: number;
  readonly settledAt: Timestamp;
}

/** A row that is pinned by a developer metadata, so that it is found wherever people move it. */
export interface Tag {
  readonly id: number;
  readonly table: string;
  readonly key: string;
  readonly usedAt: Timestamp;
}

/** The last write that is known to be durable, from outside the journal. */
export interface LastAccepted {
  /** Of the journal. */
  readonly identity: string;
  readonly lsn: number;
}

/** What is found when a journal is opened. */
export interface Recovered {
  /** Random, made with the journal: a fence of another journal is a stranger's. */
  readonly identity: string;
  /** The next number for a fence or a tag: counts up from a random 31-bit number. */
  readonly nextMetadataId: number;
  /** Larger than the number of every batch that was ever sealed here. */
  readonly nextBatch: number;
  /** Not settled, oldest first; those in `batches` too. */
  readonly entries: readonly Entry[];
  /** Sealed, not settled, oldest first. */
  readonly batches: readonly Batch[];
  readonly fences: readonly OldFence[];
  readonly tags: readonly Tag[];
  readonly parked: number;
  readonly landed: number;
  /** What was wrong with the file that was there, and where it was put aside. */
  readonly damage: string | undefined;
}

/** How a batch, or a part of it, ended. */
export interface Settlement {
  readonly landed: readonly number[];
  readonly parked: readonly { readonly lsn: number; readonly reason: string }[];
  /** Back to where they wait: they will be sealed again, under another fence. */
  readonly again: readonly number[];
  readonly at: Timestamp;
}

/** A write that Google refused for good, and that nobody has dealt with since. */
export interface SetAside extends Entry {
  readonly reason: string;
  readonly settledAt: Timestamp;
}

export interface Journal {
  readonly recovered: Recovered;
  /** How many writes are parked now, and nobody has dealt with. */
  readonly setAside: number;
  /** Why the disk takes no writes, as far as is known; undefined: it does. */
  readonly trouble: string | undefined;
  /** Many calls at once share one commit. Never rejects: a full disk is an answer. */
  add(addition: Addition): Promise<Added>;
  /**
   * What became of a request that had this name, as `add` would say; undefined: there was none, of all that was added before this call. For one
   * that would be refused now.
   */
  recall(once: Once): Promise<Extract<Added, { is: "repeated" | "reused" | "disk" }> | undefined>;
  /** @throws when it is not durable: the batch must not be sent then. */
  seal(batch: Batch, nextMetadataId: number): Promise<void>;
  /** The batch is about to be handed to the network. @throws as seal. */
  sent(nr: number, at: Timestamp): Promise<void>;
  /** @param nr undefined: of writes that went without a batch (values of rows that stand in the sheet). Writes outside the batch may be named too. */
  settle(nr: number | undefined, how: Settlement): Promise<void>;
  /** Fences that no longer stand. */
  dropFences(ids: readonly number[]): Promise<void>;
  keepTags(kept: readonly Tag[], dropped: readonly number[], nextMetadataId: number): Promise<void>;
  /** @returns the write, or undefined when it was never accepted, or landed over a week ago. */
  find(id: string): Promise<Write | undefined>;
  /** Parked writes, newest first, at most `most`. */
  parked(most: number): Promise<readonly Write[]>;
  /** Parked writes with their values, in the order in which they were accepted. @param ids only these; undefined: the oldest `most`. */
  aside(most: number, ids?: readonly string[]): Promise<readonly SetAside[]>;
  /**
   * Parked writes wait again: under their own ids, accepted now, as the newest, in the order of the numbers given.
   * @returns for each number the entry that waits, or undefined: it was not parked any more. @throws when nothing of it is durable, or there is no room.
   */
  retry(lsns: readonly number[]): Promise<readonly (Entry | undefined)[]>;
  /** Parked writes are given up: what they were to write is gone. @returns for each number whether it was parked. @throws as retry. */
  discard(lsns: readonly number[]): Promise<readonly boolean[]>;
  /** A copy of the journal as a file of its own (SQLite, 0600), while it goes on. @throws when there is no room, or the journal is closed meanwhile. */
  copy(to: string): Promise<void>;
  /** Takes nothing more; resolves when all is on disk and the lock is given up. */
  close(): Promise<void>;
}
