/**
 * What was written here, until it is in the sheet. An entry is shown at once, sent with a key of its own, and sent again with the same key
 * whenever nobody knows what became of it, so that it is done once.
 *
 *   queued ─ send → sending ─ 2xx ──────────→ kept ─ looked at → landed · parked
 *     ↑               ├ no answer, 401, 429, 5xx → waiting (until) ─ its time → sending
 *     └─ page opened  └ any other 4xx ─────────→ refused
 */
import { backoff } from "./format.js";

/** States whose change is shown over the sheet's rows: the server has not shown it yet, or not refused it. */
const SHOWN = ["queued", "sending", "waiting"];
/** Statuses after which the same request may well succeed. */
const LATER = [401, 408, 425, 429, 500, 502, 503, 504, 507];

/** @param what {table, key (undefined: a new row), values, user}; `once` names the request. */
export const entryOf = (what, once, now) => ({ ...what, once, at: now, is: "queued", tries: 0 });

/** What an answer to the request makes of an entry. @param now ms. */
export function answered(entry, answer, now) {
  if (answer.is === "ok") return looked({ ...entry, is: "kept", tries: 0 }, answer.body?.write ?? {}, now);
  const { tries } = entry;
  if (answer.is === "unreachable") return { ...entry, is: "waiting", why: "unreachable", until: now + backoff(tries), tries: tries + 1 };
  const { status, code, text, wait, column } = answer;
  // Who is nobody can't log in again: that is for others.
  if (!LATER.includes(status) || (status === 401 && entry.user === undefined)) return { ...entry, is: "refused", text, column };
  const why = status === 401 ? "login" : status === 429 ? "limited" : "later";
  return { ...entry, is: "waiting", why, code, text, until: now + backoff(tries, wait), tries: tries + 1 };
}

/** What a look at `/api/writes/ID` makes of it. */
export function looked(entry, { id = entry.id, key = entry.key, state, reason, at, landedAt }, now) {
  const known = { ...entry, id, key, next: now + Math.min(8_000, 400 * 1.5 ** entry.tries), tries: entry.tries + 1 };
  if (state === "landed") return { ...known, is: "landed", took: Math.max(0, Date.parse(landedAt) - Date.parse(at)) || 0, since: now };
  return state === "parked" ? { ...known, is: "parked", text: reason ?? "" } : known;
}

/** Entries that are to be sent now, in their order: one that waits holds back what comes after it for the same row. */
export function due(entries, now, user) {
  const held = new Set();
  return entries.filter(({ is, until, key, table, why, ...entry }) => {
    const row = key === undefined ? entry.once : `${table} ${key}`;
    const mine = entry.user === undefined || entry.user === user;
    const ready = mine && !held.has(row) && (is === "queued" || (is === "waiting" && (why === "login" || until <= now)));
    if (SHOWN.includes(is)) held.add(row);
    return ready;
  });
}

/** The rows of a table as they will be: changes that are under way lie over the sheet's. @returns [{row, entry}] */
export function overlay(rows, entries, { name, key }) {
  const mine = entries.filter(({ table, is }) => table === name && SHOWN.includes(is));
  const shown = rows.map((row) => {
    const entry = mine.findLast((one) => one.key !== undefined && one.key === String(row[key]));
    return entry === undefined ? { row } : { row: { ...row, ...entry.values }, entry };
  });
  const known = new Set(rows.map((row) => String(row[key])));
  const fresh = mine.filter((entry) => entry.key === undefined || !known.has(entry.key));
  return [...fresh.map((entry) => ({ row: { ...entry.values }, entry })).toReversed(), ...shown];
}

/** What outlives the page: whatever is not known to have been accepted. What was being sent is sent again, under its name. */
export const store = (entries) => JSON.stringify(entries.filter(({ is }) => SHOWN.includes(is)));

/** @returns the entries of an earlier page; none of what is no list of entries. */
export function restore(text) {
  try {
    const isEntry = (one) =>
      typeof one?.once === "string" && typeof one.table === "string" && typeof one.values === "object" && one.values !== null;
    return JSON.parse(text ?? "[]")
      .filter(isEntry)
      .map((entry) => ({ ...entry, is: "queued", tries: 0 }));
  } catch {
    return [];
  }
}
