import type { Step } from "./edits.ts";
import type { Changes } from "./events.ts";
import type { Priority, SnapshotHead, TableInfo, Unavailable } from "./types.ts";
import type { Write, WriteAnswer, WriteRequest, WriteWait } from "./writes.ts";

/** A snapshot as it arrives: bytes in shared memory, so that the loop and a thread read them without a copy. */
export interface Arrival {
  readonly head: SnapshotHead;
  readonly bytes: SharedArrayBuffer;
}

export interface TransportEvents {
  /** New content of a table, whether asked for or not. */
  snapshot(arrival: Arrival): void;
  /** New content as what differs from what this side has. @returns false: it does not fit that, and all of it is to be sent. */
  edited(step: Step): boolean;
  /** Google has confirmed the content that this side already has. */
  renewed(head: SnapshotHead): void;
  /** A refresh failed; the content stays, with this reason. */
  failed(why: Unavailable): void;
  /** The list of tables, at connection and whenever it changes. */
  tables(list: readonly TableInfo[]): void;
  /** What became of rows; their snapshot has arrived before. */
  changes(changes: Changes): void;
  /** The other end went away or came back. */
  link(up: boolean): void;
}

/**
 * How a client reaches the tables: the broker's socket in the daemon, or Google directly in tests and library use.
 * Calls may be repeated under the same id; the other end answers each once.
 */
export interface Transport {
  /**
   * Asks for a table's rows, as fresh as its TTL allows; joins what is under way.
   * @param held hash of the rows that the caller has: others, or all when it has none, are delivered by `snapshot`.
   * @param priority what it is for, when calls to Google are short; left out: `refresh`.
   * @returns once the rows, or `renewed`, have been delivered: whether that waited for Google. @throws UnavailableError.
   */
  want(table: string, held: string | undefined, priority?: Priority): Promise<boolean>;
  /** Says that a table's rows were used after their TTL: cheap, at most one message a tick. */
  touch(table: string): void;
  /**
   * Hands a request to the other end. While that is away it is held, and what was not answered is said again under the same id.
   * @returns the answer; `away` when there was none in time, and its message says whether something may have been written.
   */
  write(request: WriteRequest, wait: WriteWait): Promise<WriteAnswer>;
  /** @returns a write by its id, or undefined when there is none. @throws UnavailableError. */
  find(id: string): Promise<Write | undefined>;
  listen(events: TransportEvents): void;
  close(): void;
}
