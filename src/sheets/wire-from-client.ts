/** What a client may say, read: it runs application code, so nothing is taken that is not exactly a message of wire.ts. */
import { count, read, record, text, type Fields, type Readers } from "../base/fields.ts";
import type { Ms } from "../base/units.ts";
import { isPosition } from "./events.ts";
import * as ledger from "./ledger-wire.ts";
import type { Priority } from "./types.ts";
import { LONGEST_NAME, MOST_FROM_CLIENT, MOST_TABLES, type Call, type FromClient } from "./wire.ts";
import { MOST_CHANGES, type Change, type Values, type WriteRequest, type WriteWait } from "./writes.ts";

/** A call waits no longer for the sheet. */
const LONGEST_WAIT = 3_600_000;

const name = (v: unknown): v is string => text(v, LONGEST_NAME);

const hashes = (v: unknown): v is Record<string, string> =>
  record(v) && Object.keys(v).length <= MOST_TABLES && Object.entries(v).every(([name, hash]) => text(name) && text(hash, 64));

const PRIORITIES: readonly unknown[] = ["urgent", "refresh", "export"] satisfies Priority[];

function want(params: unknown): Extract<Call, { method: "want" }>["params"] | undefined {
  if (!record(params) || !text(params["table"])) return undefined;
  const { table, held, priority } = params;
  if (!(held === undefined || text(held, 64)) || !(priority === undefined || PRIORITIES.includes(priority))) return undefined;
  return { table, ...(held === undefined ? {} : { held }), ...(priority === undefined ? {} : { priority: priority as Priority }) };
}

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
  (v["replay"] === undefined || v["replay"] === true) &&
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
    if (feed !== undefined && feed !== null && !isPosition(feed)) return undefined;
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

/** @returns the message, or undefined when it is none: the connection is to be closed. */
export const readFromClient = (raw: unknown): FromClient | undefined => read(fromClient, raw);
