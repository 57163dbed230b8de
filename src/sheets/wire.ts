/**
 * All that a worker and the broker say to each other over the socket, as the heads of base/frames.ts. A worker runs
 * application code, so what it says is input; and a broker of another generation may speak another protocol. A frame
 * that is not exactly one of these ends the connection.
 */
import type { Ms } from "../base/units.ts";
import type { SlotsState } from "../base/slots.ts";
import type { Edit } from "./edits.ts";
import type { Changes, FeedEvent, Position, TableChange } from "./events.ts";
import type { Admission, Deed, Session, Spent } from "./ledger.ts";
import type { Renewal, Tally } from "./ledger-host.ts";
import * as ledger from "./ledger-wire.ts";
import { MOST_EVENTS } from "./ring.ts";
import { CAUSES, type Audience, type Priority, type SnapshotHead, type TableInfo, type Unavailable } from "./types.ts";
import { MOST_CHANGES, type Change, type Values, type Write, type WriteAnswer, type WriteRefusal } from "./writes.ts";
import type { WriteRequest, WriteState, WriteWait } from "./writes.ts";

export const PROTOCOL = 4;
/** Nothing that a client says is longer. */
export const MOST_FROM_CLIENT = 1_048_576;
const MOST_TABLES = 1_000;
/** Of a key, a column's name, a client's name for a request. */
const LONGEST_NAME = 1_000;
/** A call waits no longer for the sheet. */
const LONGEST_WAIT = 3_600_000;

/** What a call may ask. */
export type Call =
  | { method: "want"; params: { table: string; held?: string; priority?: Priority } }
  | { method: "write"; params: { request: WriteRequest; wait: WriteWait; within: Ms } }
  | { method: "find"; params: { write: string } }
  | { method: "enter"; params: { session: Session; before?: Session } }
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
  /** To `want`; and to any call that can't be answered. */
  | { type: "reply"; id: string; why?: Unavailable }
  | { type: "answer"; id: string; answer: WriteAnswer }
  | { type: "found"; id: string; write?: Write }
  /** To `enter`, `leave` and `spend`; without an answer the ledger is on its way to another broker, who is to be asked. */
  | { type: "entered"; id: string; admission?: Admission }
  | { type: "left"; id: string; done: boolean }
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

type Fields = Readonly<Record<string, unknown>>;
type Readers<T extends { type: string }> = { [K in T["type"]]: (m: Fields) => Extract<T, { type: K }> | undefined };

const record = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v);
const count = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v) && v >= 0;
const text = (v: unknown, most = 200): v is string => typeof v === "string" && v.length <= most;

const position = (v: unknown): v is Position => record(v) && count(v["epoch"]) && count(v["seq"]);

const hashes = (v: unknown): v is Record<string, string> =>
  record(v) && Object.keys(v).length <= MOST_TABLES && Object.entries(v).every(([name, hash]) => text(name) && text(hash, 64));

const PRIORITIES: readonly unknown[] = ["urgent", "refresh", "export"] satisfies Priority[];

function want(params: unknown): Extract<Call, { method: "want" }>["params"] | undefined {
  if (!record(params) || !text(params["table"])) return undefined;
  const { table, held, priority } = params;
  if (!(held === undefined || text(held, 64)) || !(priority === undefined || PRIORITIES.includes(priority))) return undefined;
  return { table, ...(held === undefined ? {} : { held }), ...(priority === undefined ? {} : { priority: priority as Priority }) };
}

const name = (v: unknown): v is string => text(v, LONGEST_NAME);
const isCell = (v: unknown): boolean =>
  v === null || typeof v === "string" || typeof v === "boolean" || (typeof v === "number" && Number.isFinite(v));
/** How long a text may be is for the table to say: here a frame is the limit. */
const values = (v: unknown): v is Values => record(v) && Object.entries(v).every(([column, cell]) => name(column) && isCell(cell));
const once = (v: unknown): boolean => v === undefined || (record(v) && name(v["key"]) && text(v["digest"], 100));

function change(v: unknown): v is Change {
  if (!record(v)) return false;
  const { op, key, ifMatch } = v;
  if (op === "append") return values(v["values"]);
  if (!(ifMatch === undefined || text(ifMatch))) return false;
  return op === "update" ? name(key) && values(v["values"]) : op === "delete" && name(key);
}

const writeRequest = (v: unknown): v is WriteRequest =>
  record(v) &&
  text(v["table"]) &&
  once(v["once"]) &&
  Array.isArray(v["changes"]) &&
  v["changes"].length <= MOST_CHANGES &&
  v["changes"].every(change);

/** @returns why a request can't be sent, for the client; undefined: it can. */
export function outOfBounds(request: WriteRequest): string | undefined {
  const { changes } = request;
  if (changes.length > MOST_CHANGES) return `${changes.length} changes in one request: the most is ${MOST_CHANGES}`;
  if (!writeRequest(request)) return `a name, a key or a tag is over its length (${LONGEST_NAME}), or a value is no cell`;
  const size = Buffer.byteLength(JSON.stringify(request));
  return size > MOST_FROM_CLIENT - 1_024 ? `the request is ${size} bytes: the most is ${MOST_FROM_CLIENT - 1_024}` : undefined;
}

const WAITS: readonly unknown[] = ["journal", "sheet"] satisfies WriteWait[];
const callReaders: { [M in Call["method"]]: (params: unknown) => Extract<Call, { method: M }>["params"] | undefined } = {
  want,
  write: (params) => {
    if (!record(params)) return undefined;
    const { request, wait, within } = params;
    if (!writeRequest(request) || !WAITS.includes(wait) || !count(within) || within > LONGEST_WAIT) return undefined;
    return { request, wait: wait as WriteWait, within: within as Ms };
  },
  find: (params) => (record(params) && text(params["write"], 100) ? { write: params["write"] } : undefined),
  enter: (params) => ledger.entryOf(params),
  leave: (params) => ledger.sessionOf(params),
  spend: (params) => ledger.deedsOf(params),
};

function call({ id, method, params }: Fields): Extract<FromClient, { type: "call" }> | undefined {
  if (!text(id, 100) || typeof method !== "string" || !Object.hasOwn(callReaders, method)) return undefined;
  const read = callReaders[method as Call["method"]](params);
  return read === undefined ? undefined : ({ type: "call", id, method, params: read } as Extract<FromClient, { type: "call" }>);
}

const fromClient: Readers<FromClient> = {
  hello: ({ protocol, slot, generation, held, feed }) => {
    if (!count(protocol) || !count(slot) || !count(generation) || !hashes(held)) return undefined;
    if (feed !== undefined && feed !== null && !position(feed)) return undefined;
    return { type: "hello", protocol, slot, generation, held, ...(feed === undefined ? {} : { feed }) };
  },
  call,
  touch: ({ tables }) =>
    Array.isArray(tables) && tables.length <= MOST_TABLES && tables.every((t) => text(t)) ? { type: "touch", tables } : undefined,
  behind: ({ table }) => (text(table) ? { type: "behind", table } : undefined),
  seen: ({ table, epoch, version }) =>
    text(table) && count(epoch) && count(version) ? { type: "seen", table, epoch, version } : undefined,
  renew: (m) => ledger.renewal(m),
  refund: (m) => (ledger.deeds(m["deeds"]) ? { type: "refund", deeds: m["deeds"] } : undefined),
  tally: (m) => (ledger.tallies(m["tallies"]) ? { type: "tally", tallies: m["tallies"] } : undefined),
  succeed: () => ({ type: "succeed" }),
  copy: () => ({ type: "copy" }),
};

const AUDIENCES: readonly unknown[] = ["nobody", "public", "signed-in", "own rows"];
const audience = (v: unknown): v is Audience => AUDIENCES.includes(v) || (record(v) && text(v["role"]));
const tableInfo = (v: unknown): v is TableInfo =>
  record(v) &&
  text(v["name"]) &&
  text(v["definition"]) &&
  count(v["ttl"]) &&
  (v["owner"] === undefined || text(v["owner"])) &&
  audience(v["read"]) &&
  audience(v["append"]) &&
  audience(v["update"]);
const head = (v: unknown): v is SnapshotHead =>
  record(v) &&
  text(v["table"]) &&
  text(v["hash"]) &&
  ["epoch", "version", "asOf", "checkedAt"].every((field) => count(v[field])) &&
  ["warnings", "ttl"].every((field) => v[field] === undefined || count(v[field]));
/** Whether they fit the rows is seen where those are. */
const edits = (v: unknown): v is readonly Edit[] =>
  Array.isArray(v) &&
  v.every((edit) => Array.isArray(edit) && edit.length === 3 && edit.every((part) => count(part) && Number.isInteger(part)));
const STATES: readonly unknown[] = ["journaled", "sent", "landed", "parked"] satisfies WriteState[];
const OPS: readonly unknown[] = ["append", "update", "delete"] satisfies Change["op"][];
const write = (v: unknown): v is Write =>
  record(v) &&
  text(v["id"], 100) &&
  text(v["table"]) &&
  OPS.includes(v["op"]) &&
  name(v["key"]) &&
  STATES.includes(v["state"]) &&
  count(v["at"]) &&
  (v["reason"] === undefined || text(v["reason"], 4_096)) &&
  (v["landedAt"] === undefined || count(v["landedAt"]));
const REFUSALS: readonly unknown[] = [
  "unknown-table",
  "not-writable",
  "unknown-key",
  "duplicate-key",
  "invalid",
  "conflict",
  "reused-key",
  "full",
  "disk",
  "away",
] satisfies WriteRefusal["reason"][];
const refusal = (v: unknown): v is WriteRefusal =>
  record(v) &&
  REFUSALS.includes(v["reason"]) &&
  text(v["message"], 4_096) &&
  (v["column"] === undefined || name(v["column"])) &&
  ["nr", "retryAfter"].every((field) => v[field] === undefined || count(v[field]));

function answer(v: unknown): v is WriteAnswer {
  if (!record(v)) return false;
  if (v["is"] === "refused") return refusal(v["refusal"]);
  const { writes, delivery, repeated, moved } = v;
  const sound =
    (delivery === "exactly-once" || delivery === "at-least-once") &&
    typeof repeated === "boolean" &&
    (moved === undefined || typeof moved === "boolean");
  return v["is"] === "written" && sound && Array.isArray(writes) && writes.length <= MOST_CHANGES && writes.every(write);
}

const REASONS: readonly unknown[] = ["unknown", "never-loaded", "upstream", "denied", "quota", "broker"] satisfies Unavailable["reason"][];
const unavailable = (v: unknown): v is Unavailable =>
  record(v) &&
  text(v["table"]) &&
  REASONS.includes(v["reason"]) &&
  text(v["message"], 4_096) &&
  count(v["retryAfter"]) &&
  (v["cause"] === undefined || (CAUSES as readonly unknown[]).includes(v["cause"]));

const RESETS: readonly unknown[] = ["history", "columns", "many"];
const tableChange = (v: unknown): v is TableChange => {
  if (!record(v)) return false;
  const { kind, key, row, reason } = v;
  if (kind === "reset") return RESETS.includes(reason);
  return (
    typeof key === "string" && (kind === "row.deleted" || ((kind === "row.created" || kind === "row.updated") && typeof row === "string"))
  );
};
const feedEvent = (v: unknown): v is FeedEvent =>
  position(v) && record(v) && text(v["table"]) && text(v["definition"]) && count(v["version"]) && tableChange(v["what"]);

const fromBroker: Readers<FromBroker> = {
  hello: ({ protocol }) => (count(protocol) ? { type: "hello", protocol } : undefined),
  refused: ({ message }) => (text(message, 4_096) ? { type: "refused", message } : undefined),
  tables: ({ tables }) =>
    Array.isArray(tables) && tables.length <= MOST_TABLES && tables.every(tableInfo) ? { type: "tables", tables } : undefined,
  snapshot: (m) => (head(m["head"]) ? { type: "snapshot", head: m["head"] } : undefined),
  edited: ({ head: of, from, edits: all }) =>
    head(of) && count(from) && edits(all) ? { type: "edited", head: of, from, edits: all } : undefined,
  renewed: (m) => (head(m["head"]) ? { type: "renewed", head: m["head"] } : undefined),
  changes: ({ after, events, upTo }) =>
    position(after) && position(upTo) && Array.isArray(events) && events.length <= MOST_EVENTS && events.every(feedEvent)
      ? { type: "changes", after, events, upTo }
      : undefined,
  failed: ({ why }) => (unavailable(why) ? { type: "failed", why } : undefined),
  reply: ({ id, why }) => {
    if (!text(id, 100)) return undefined;
    if (why === undefined) return { type: "reply", id };
    return unavailable(why) ? { type: "reply", id, why } : undefined;
  },
  answer: (m) => (text(m["id"], 100) && answer(m["answer"]) ? { type: "answer", id: m["id"], answer: m["answer"] } : undefined),
  found: (m) => {
    if (!text(m["id"], 100)) return undefined;
    if (m["write"] === undefined) return { type: "found", id: m["id"] };
    return write(m["write"]) ? { type: "found", id: m["id"], write: m["write"] } : undefined;
  },
  entered: ({ id, admission }) => {
    if (!text(id, 100)) return undefined;
    if (admission === undefined) return { type: "entered", id };
    return ledger.admission(admission) ? { type: "entered", id, admission } : undefined;
  },
  left: ({ id, done }) => (text(id, 100) && typeof done === "boolean" ? { type: "left", id, done } : undefined),
  spent: ({ id, spent }) => {
    if (!text(id, 100)) return undefined;
    if (spent === undefined) return { type: "spent", id };
    return ledger.spent(spent) ? { type: "spent", id, spent } : undefined;
  },
  slots: (m) => ledger.slots(m),
  ended: ({ session, why }) => (text(session) && ledger.why(why) ? { type: "ended", session, why } : undefined),
  tallied: (m) => (ledger.tallies(m["tallies"]) ? { type: "tallied", tallies: m["tallies"] } : undefined),
  yielded: () => ({ type: "yielded" }),
  copied: ({ path }) => (text(path, 4_096) ? { type: "copied", path } : undefined),
  uncopied: ({ why }) => (text(why, 4_096) ? { type: "uncopied", why } : undefined),
};

function read<T extends { type: string }>(readers: Readers<T>, raw: unknown): T | undefined {
  if (!record(raw)) return undefined;
  const { type } = raw;
  if (typeof type !== "string" || !Object.hasOwn(readers, type)) return undefined;
  return readers[type as T["type"]](raw);
}

/** @returns the message, or undefined when it is none: the connection is to be closed. */
export const readFromClient = (raw: unknown): FromClient | undefined => read(fromClient, raw);

/** @returns the message, or undefined when it is none: the connection is to be closed. */
export const readFromBroker = (raw: unknown): FromBroker | undefined => read(fromBroker, raw);
