/** What the broker says, read: it may be one of another generation, so nothing is taken that is not exactly a message of wire.ts. */
import { count, read, record, text, type Readers } from "../base/fields.ts";
import type { Edit } from "./edits.ts";
import { isPosition, type FeedEvent, type TableChange } from "./events.ts";
import * as ledger from "./ledger-wire.ts";
import { MOST_EVENTS } from "./ring.ts";
import { CAUSES, type Audience, type SnapshotHead, type TableInfo, type Unavailable } from "./types.ts";
import { LONGEST_NAME, MOST_TABLES, type FromBroker } from "./wire.ts";
import { MOST_CHANGES, type Change, type Write, type WriteAnswer, type WriteRefusal, type WriteState } from "./writes.ts";

const name = (v: unknown): v is string => text(v, LONGEST_NAME);

const AUDIENCES: readonly unknown[] = ["nobody", "public", "signed-in", "own rows"];
const audience = (v: unknown): v is Audience => AUDIENCES.includes(v) || (record(v) && text(v["role"]));
const tableInfo = (v: unknown): v is TableInfo =>
  record(v) &&
  text(v["name"]) &&
  text(v["definition"]) &&
  count(v["ttl"]) &&
  ["key", "owner"].every((field) => v[field] === undefined || text(v[field])) &&
  audience(v["read"]) &&
  audience(v["append"]) &&
  audience(v["update"]);
const head = (v: unknown): v is SnapshotHead =>
  record(v) &&
  text(v["table"]) &&
  text(v["hash"]) &&
  ["epoch", "version", "asOf", "checkedAt"].every((field) => count(v[field])) &&
  ["warnings", "ttl"].every((field) => v[field] === undefined || count(v[field])) &&
  (v["hidden"] === undefined || (Array.isArray(v["hidden"]) && v["hidden"].every((name) => text(name))));
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
  "table-full",
  "full",
  "disk",
  "read-only",
  "not-writer",
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
  isPosition(v) && record(v) && text(v["table"]) && text(v["definition"]) && count(v["version"]) && tableChange(v["what"]);

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
    isPosition(after) && isPosition(upTo) && Array.isArray(events) && events.length <= MOST_EVENTS && events.every(feedEvent)
      ? { type: "changes", after, events, upTo }
      : undefined,
  failed: ({ why }) => (unavailable(why) ? { type: "failed", why } : undefined),
  reply: ({ id, why, waited }) => {
    if (!text(id, 100)) return undefined;
    if (why === undefined) return waited === true ? { type: "reply", id, waited } : { type: "reply", id };
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
    return ledger.entry(admission) ? { type: "entered", id, admission } : undefined;
  },
  left: ({ id, done, away }) => {
    if (!text(id, 100) || typeof done !== "boolean") return undefined;
    return away === true ? { type: "left", id, done, away } : { type: "left", id, done };
  },
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

/** @returns the message, or undefined when it is none: the connection is to be closed. */
export const readFromBroker = (raw: unknown): FromBroker | undefined => read(fromBroker, raw);
