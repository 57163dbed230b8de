/**
 * All that a worker and the broker say to each other over the socket, as the heads of base/frames.ts. A worker runs
 * application code, so what it says is input; and a broker of another generation may speak another protocol. A frame
 * that is not exactly one of these ends the connection: wire-from-client.ts and wire-from-broker.ts read them.
 */
import type { Ms } from "../base/units.ts";
import type { SlotsState } from "../base/slots.ts";
import type { Edit } from "./edits.ts";
import type { Changes, Position } from "./events.ts";
import type { Deed, Entry, Session, Spent } from "./ledger.ts";
import type { Renewal, Tally } from "./ledger-host.ts";
import type { EntryParams } from "./ledger-wire.ts";
import type { Priority, SnapshotHead, TableInfo, Unavailable } from "./types.ts";
import type { Write, WriteAnswer, WriteRequest, WriteWait } from "./writes.ts";

export const PROTOCOL = 4;
/** Nothing that a client says is longer. */
export const MOST_FROM_CLIENT = 1_048_576;
/** So many a message tells of at most. */
export const MOST_TABLES = 1_000;
/** Of a key, a column's name, a client's name for a request. */
export const LONGEST_NAME = 1_000;

/** What a call may ask. */
export type Call =
  | { method: "want"; params: { table: string; held?: string; priority?: Priority } }
  | { method: "write"; params: { request: WriteRequest; wait: WriteWait; within: Ms } }
  | { method: "find"; params: { write: string } }
  | { method: "enter"; params: EntryParams }
  | { method: "leave"; params: { session: Session } }
  | { method: "spend"; params: { deeds: readonly Deed[] } };

export type FromClient =
  /**
   * First. `held`: the hash of what the client has of each table: only what differs is sent. `feed`: the last change it has heard of, null
   * for none; a client that says nothing of it is not told of changes.
   */
  | {
      type: "hello";
      protocol: number;
      slot: number;
      generation: number;
      held: Readonly<Record<string, string>>;
      feed?: Position | null;
    }
  /** A repeated id gets the first one's answer; a repeated write writes nothing more, whichever broker it is said to. */
  | ({ type: "call"; id: string } & Call)
  | { type: "touch"; tables: readonly string[] }
  /** What it was told of a table can't be laid over what it has: it is to get all its rows. */
  | { type: "behind"; table: string }
  /** These rows, or later ones, are what the client's readers get from now on. */
  | { type: "seen"; table: string; epoch: number; version: number }
  | ({ type: "renew" } & Renewal)
  | { type: "refund"; deeds: readonly Deed[] }
  | { type: "tally"; tallies: readonly Tally[] }
  /** In place of a hello: a broker that will take over asks for the journal. It is its own again when this connection ends. */
  | { type: "succeed" }
  /** In place of a hello: `drover backup` asks for a copy of the journal. */
  | { type: "copy" };

export type FromBroker =
  | { type: "hello"; protocol: number }
  | { type: "refused"; message: string }
  | { type: "tables"; tables: readonly TableInfo[] }
  /** The frame's body is the snapshot. */
  | { type: "snapshot"; head: SnapshotHead }
  /** The frame's body is a snapshot of the rows that are new; with them and the edits the rows of version `from` are those of the head. */
  | { type: "edited"; head: SnapshotHead; from: number; edits: readonly Edit[] }
  | { type: "renewed"; head: SnapshotHead }
  | { type: "failed"; why: Unavailable }
  | ({ type: "changes" } & Changes)
  /** To `want` (`waited`: Google was asked meanwhile); and to any call that can't be answered. */
  | { type: "reply"; id: string; why?: Unavailable; waited?: true }
  | { type: "answer"; id: string; answer: WriteAnswer }
  | { type: "found"; id: string; write?: Write }
  /** To `enter`, `leave` and `spend`; without an answer the ledger is on its way to another broker, who is to be asked. */
  | { type: "entered"; id: string; admission?: Entry }
  | { type: "left"; id: string; done: boolean; away?: true }
  | { type: "spent"; id: string; spent?: Spent }
  | ({ type: "slots" } & SlotsState)
  | { type: "ended"; session: string; why: "taken-over" | "revoked" | "expired" }
  /** Counted by other workers. */
  | { type: "tallied"; tallies: readonly Tally[] }
  /** To `succeed`: the journal is closed, and the ledger. */
  | { type: "yielded" }
  /** To `copy`: where it is, or why there is none. */
  | { type: "copied"; path: string }
  | { type: "uncopied"; why: string };
