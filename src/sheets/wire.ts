/**
 * All that a worker and the broker say to each other over the socket, as the heads of base/frames.ts. A worker runs
 * application code, so what it says is input; and a broker of another generation may speak another protocol. A frame
 * that is not exactly one of these ends the connection.
 */
import type { Changes, FeedEvent, Position, TableChange } from "./events.ts";
import { MOST_EVENTS } from "./ring.ts";
import type { Audience, SnapshotHead, TableInfo, Unavailable } from "./types.ts";

export const PROTOCOL = 1;
/** Nothing that a client says is longer. */
export const MOST_FROM_CLIENT = 1_048_576;
const MOST_TABLES = 1_000;

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
  /** A repeated id gets the first one's answer. */
  | { type: "call"; id: string; method: "want"; params: { table: string; held?: string } }
  | { type: "touch"; tables: readonly string[] };

export type FromBroker =
  | { type: "hello"; protocol: number }
  | { type: "refused"; message: string }
  | { type: "tables"; tables: readonly TableInfo[] }
  /** The frame's body is the snapshot. */
  | { type: "snapshot"; head: SnapshotHead }
  | { type: "renewed"; head: SnapshotHead }
  | { type: "failed"; why: Unavailable }
  | ({ type: "changes" } & Changes)
  | { type: "reply"; id: string; why?: Unavailable };

type Fields = Readonly<Record<string, unknown>>;
type Readers<T extends { type: string }> = { [K in T["type"]]: (m: Fields) => Extract<T, { type: K }> | undefined };

const record = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v);
const count = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v) && v >= 0;
const text = (v: unknown, most = 200): v is string => typeof v === "string" && v.length <= most;

const position = (v: unknown): v is Position => record(v) && count(v["epoch"]) && count(v["seq"]);

const hashes = (v: unknown): v is Record<string, string> =>
  record(v) && Object.keys(v).length <= MOST_TABLES && Object.entries(v).every(([name, hash]) => text(name) && text(hash, 64));

function want(params: unknown): { table: string; held?: string } | undefined {
  if (!record(params) || !text(params["table"])) return undefined;
  const { table, held } = params;
  if (held === undefined) return { table };
  return text(held, 64) ? { table, held } : undefined;
}

const fromClient: Readers<FromClient> = {
  hello: ({ protocol, slot, generation, held, feed }) => {
    if (!count(protocol) || !count(slot) || !count(generation) || !hashes(held)) return undefined;
    if (feed !== undefined && feed !== null && !position(feed)) return undefined;
    return { type: "hello", protocol, slot, generation, held, ...(feed === undefined ? {} : { feed }) };
  },
  call: ({ id, method, params }) => {
    const wanted = want(params);
    return text(id, 100) && method === "want" && wanted !== undefined ? { type: "call", id, method, params: wanted } : undefined;
  },
  touch: ({ tables }) =>
    Array.isArray(tables) && tables.length <= MOST_TABLES && tables.every((t) => text(t)) ? { type: "touch", tables } : undefined,
};

const AUDIENCES: readonly unknown[] = ["nobody", "public", "signed-in", "own rows"];
const audience = (v: unknown): v is Audience => AUDIENCES.includes(v) || (record(v) && text(v["role"]));
const tableInfo = (v: unknown): v is TableInfo =>
  record(v) &&
  text(v["name"]) &&
  text(v["definition"]) &&
  count(v["ttl"]) &&
  audience(v["read"]) &&
  audience(v["append"]) &&
  audience(v["update"]);
const head = (v: unknown): v is SnapshotHead =>
  record(v) && text(v["table"]) && text(v["hash"]) && ["epoch", "version", "asOf", "checkedAt"].every((name) => count(v[name]));
const REASONS: readonly unknown[] = ["unknown", "never-loaded", "upstream", "denied", "quota", "broker"] satisfies Unavailable["reason"][];
const unavailable = (v: unknown): v is Unavailable =>
  record(v) && text(v["table"]) && REASONS.includes(v["reason"]) && text(v["message"], 4_096) && count(v["retryAfter"]);

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
