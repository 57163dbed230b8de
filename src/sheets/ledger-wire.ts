/** The ledger's part of what is read from the wire: what a worker may say about sessions and counts, and what it is told. */
import { count, record, type Fields } from "../base/fields.ts";
import { readSlotsState, SHORTAGES, type SlotsState } from "../base/slots.ts";
import { ms } from "../base/units.ts";
import type { Deed, Entry, Session, Spent } from "./ledger.ts";
import { MOST_DEEDS, MOST_SESSIONS, MOST_TALLIES, type Renewal, type Tally } from "./ledger-host.ts";

const whole = (v: unknown, most: number): v is number => Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= most;
const text = (v: unknown, most: number): v is string => typeof v === "string" && v.length > 0 && v.length <= most;
const list = <T>(v: unknown, most: number, is: (item: unknown) => item is T): v is T[] =>
  Array.isArray(v) && v.length <= most && v.every((item) => is(item));

/** Of a session's id, a user's name, a counter's key. */
const LONGEST_ID = 100;
const LONGEST_USER = 300;
const LONGEST_KEY = 500;
const MOST_TIMES = 1_000_000_000;
const SHORTEST_WINDOW = 1_000;
const LONGEST_WINDOW = 24 * 3_600_000;

const session = (v: unknown): v is Session =>
  record(v) && text(v["id"], LONGEST_ID) && text(v["user"], LONGEST_USER) && typeof v["admin"] === "boolean" && count(v["since"]);
const span = (v: unknown): boolean => count(v) && v >= SHORTEST_WINDOW && v <= LONGEST_WINDOW;
const deed = (v: unknown): v is Deed =>
  record(v) &&
  text(v["key"], LONGEST_KEY) &&
  whole(v["most"], MOST_TIMES) &&
  (v["per"] === "day" || span(v["per"])) &&
  (v["burst"] === undefined || whole(v["burst"], MOST_TIMES)) &&
  (v["times"] === undefined || whole(v["times"], MOST_TIMES));
const tally = (v: unknown): v is Tally =>
  record(v) &&
  text(v["key"], LONGEST_KEY) &&
  span(v["per"]) &&
  whole(v["times"], MOST_TIMES) &&
  (v["refill"] === undefined || (whole(v["refill"], MOST_TIMES) && v["refill"] > 0));

/** @returns whether this can be said: else the caller has made a session or a key that is too long. */
export const isSession = session;

export const deeds = (v: unknown): v is Deed[] => list(v, MOST_DEEDS, deed);
export const tallies = (v: unknown): v is Tally[] => list(v, MOST_TALLIES, tally);

export function sessionOf(params: unknown): { session: Session } | undefined {
  return record(params) && session(params["session"]) ? { session: params["session"] } : undefined;
}

export interface EntryParams {
  readonly session: Session;
  readonly before?: Session;
  readonly within?: readonly Deed[];
}

export function entryOf(params: unknown): EntryParams | undefined {
  if (!record(params) || !session(params["session"])) return undefined;
  const { session: entering, before, within } = params;
  if (before !== undefined && !session(before)) return undefined;
  if (within !== undefined && !deeds(within)) return undefined;
  return { session: entering, ...(before === undefined ? {} : { before }), ...(within === undefined ? {} : { within }) };
}

export function deedsOf(params: unknown): { deeds: readonly Deed[] } | undefined {
  return record(params) && deeds(params["deeds"]) ? { deeds: params["deeds"] } : undefined;
}

export function renewal({ active, held, known }: Fields): ({ type: "renew" } & Renewal) | undefined {
  const sound = list(active, MOST_SESSIONS, session) && list(held, MOST_SESSIONS, session) && list(known, MOST_SESSIONS, session);
  return sound ? { type: "renew", active, held, known } : undefined;
}

const shortage = (v: unknown): boolean => v === undefined || SHORTAGES.some((name) => name === v);

const ENTRIES: Record<Entry["is"], (v: Fields) => boolean> = {
  in: () => true,
  full: (v) => count(v["used"]) && count(v["max"]) && count(v["retryAfter"]) && shortage(v["because"]),
  "taken-over": () => true,
  refused: (v) => count(v["most"]),
  revoked: () => true,
  away: (v) => count(v["retryAfter"]),
  over: (v) => text(v["key"], LONGEST_KEY) && count(v["retryAfter"]),
};

export function entry(v: unknown): v is Entry {
  if (!record(v)) return false;
  const is = v["is"];
  return typeof is === "string" && Object.hasOwn(ENTRIES, is) && ENTRIES[is as Entry["is"]](v);
}

export function spent(v: unknown): v is Spent {
  if (!record(v)) return false;
  if (v["is"] === "ok") return count(v["left"]) && count(v["resetIn"]) && (v["key"] === undefined || text(v["key"], LONGEST_KEY));
  return v["is"] === "over" && ENTRIES.over(v);
}

export function slots(fields: Fields): ({ type: "slots" } & SlotsState) | undefined {
  const state = readSlotsState(fields);
  return state === undefined ? undefined : { type: "slots", ...state };
}

const WHYS: readonly unknown[] = ["taken-over", "revoked", "expired"];
export const why = (v: unknown): v is "taken-over" | "revoked" | "expired" => WHYS.includes(v);

/** What a broker that is away lets a worker say. */
export const COME_AGAIN = ms(2_000);
