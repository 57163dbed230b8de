/**
 * All that master and children ever say to each other over the IPC channel. JSON, small, one record a message; sheet
 * data never travels here. The receiver stamps the time. A worker runs application code, so what it says is input:
 * a message that is not exactly one of these is counted and dropped.
 */
import type { AdminKeys } from "./adminkeys.ts";
import { readFigures, type BeatFigures } from "./figures.ts";
import type { HistogramDelta } from "./histogram.ts";
import { CLASS_COUNTERS, REQUEST_CLASSES, type ByClass, type ClassCounter } from "./requestclass.ts";
import { SLOT_STATUSES, type SlotsState } from "./slots.ts";
import { readRequests, type RequestInFlight } from "./requests.ts";
import type { Ms, Timestamp } from "./units.ts";

export type Role = "worker" | "broker" | "emulator";
export const ROLES = ["worker", "broker", "emulator"] as const satisfies readonly Role[];

/** An address the daemon listens on, as the operator wrote it and as it was bound. */
export interface Address {
  /** `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/x.sock` or `fd://3`. */
  readonly name: string;
  readonly kind: "tcp" | "unix";
}

/** Monotonic since the child started; the master adds them up over all children, dead ones included. */
export interface Counters extends Record<ClassCounter, number> {
  served: number;
  status2xx: number;
  status3xx: number;
  status4xx: number;
  status5xx: number;
  /** Deliberate refusals (X-Drover-Refused), and what the connection cap turned away. */
  refused: number;
  hits: number;
  misses: number;
  stale: number;
  timeouts: number;
  accepted: number;
  upstreamCalls: number;
  upstreamErrors: number;
  /** Deliberate refusals that are in `status5xx` too. */
  refused5xx: number;
  /** Slots that became free because nothing renewed their lease. */
  slotsExpired: number;
}
export const COUNTERS = [
  "served",
  "status2xx",
  "status3xx",
  "status4xx",
  "status5xx",
  "refused",
  "hits",
  "misses",
  "stale",
  "timeouts",
  "accepted",
  "upstreamCalls",
  "upstreamErrors",
  "refused5xx",
  "slotsExpired",
  ...Object.values(CLASS_COUNTERS).flat(),
] as const satisfies readonly (keyof Counters)[];
export const noCounters = (): Counters => Object.fromEntries(COUNTERS.map((c) => [c, 0])) as unknown as Counters;

/** `at-least-once`: the spreadsheet's refusal of a second fence is not what it must be, so that a lost answer may be written twice. */
export type Delivery = "exactly-once" | "at-least-once";

/** What status says of the writes of the machine. */
export interface WritesReport {
  readonly delivery: Delivery | "unproven";
  /** Journaled or sent, and not landed yet. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Of the oldest that waits; 0: none waits. */
  readonly oldest: Ms;
  readonly landed: number;
  /** Ever. */
  readonly parked: number;
  /** Of those, the ones that nobody has dealt with. */
  readonly setAside?: number;
  /** Written while a person changed a key or the header row in the same moment: where they stand must be looked at. */
  readonly astray?: number;
  /** What was wrong with the journal that was found at the start, and where it was put aside. */
  readonly damage?: string;
  readonly quota: { readonly used: number; readonly limit: number; readonly lockedUntil: Timestamp };
  /** From acceptance to the sheet, of the last thousand. */
  readonly timeToSheet: { readonly p50: Ms | null; readonly p99: Ms | null };
}

export interface TableReport {
  readonly name: string;
  readonly rows: number;
  readonly version: number;
  /** 0: never. */
  readonly checkedAt: Timestamp;
  /** How many things are wrong with its rows in the sheet: keys that are missing or stand twice, values that do not fit, lost columns. */
  readonly warnings: number;
  /** As long as its rows count as fresh by the settings, and as long as they do now, so that the quota holds. */
  readonly ttl?: Ms;
  readonly stretchedTo?: Ms;
  /** Why its last refresh did not succeed, and the word for it that clients get. */
  readonly failure?: string;
  readonly cause?: string;
}

/** What the tables' TTLs cost, in calls a minute. */
export interface PaceReport {
  /** What the TTLs of all tables in use would make. */
  readonly planned: number;
  /** What may be planned: the refreshes' part of the quota less what others have used in the last minute. */
  readonly budget: number;
  readonly others: number;
  /** No table is refreshed more often than this; 0: as often as its TTL says. */
  readonly floor: Ms;
}

/** Whether one of the spreadsheets is asked. */
export interface SpreadsheetReport {
  readonly id: string;
  /** `open`: it has failed three times in a row or more, and the next try waits; `half-open`: it is being tried. */
  readonly breaker: "closed" | "open" | "half-open";
  /** In a row. */
  readonly failures: number;
  /** When the next try may be; 0: at any time. */
  readonly retryAt: Timestamp;
  /** One sentence for the operator; empty when it is well. */
  readonly message: string;
}

/** What the broker tells about Google: for `status`, the stats line and /healthz. */
export interface UpstreamReport {
  readonly state: "ok" | "never" | "down" | "denied" | "locked";
  /** One sentence for the operator; empty when ok. */
  readonly message: string;
  /** Reads of the current minute, what may be used of them, and when a lock-out ends (0: none). */
  readonly quota: { readonly used: number; readonly limit: number; readonly lockedUntil: Timestamp };
  readonly tables: readonly TableReport[];
  readonly pace?: PaceReport;
  /** All from which tables are read. */
  readonly spreadsheets?: readonly SpreadsheetReport[];
  /** Absent where nothing can be written. */
  readonly writes?: WritesReport;
}

/** The state of the whole, pushed to workers whenever it changes (at most once a second): /healthz answers from it. */
export interface Health {
  readonly status: "ok" | "degraded" | "stopping";
  readonly generation: number;
  readonly workers: { readonly ready: number; readonly target: number };
  readonly broker: "ready" | "away" | "none";
  readonly upstream: UpstreamReport["state"];
  readonly demo: boolean;
  /** How full it is; null where nobody logs in. */
  readonly slots?: SlotsState | null;
}

/** What an operator may want of the sessions that hold slots: who is in; free what has run out; put somebody out. */
export type SlotsQuestion = { readonly do: "list" } | { readonly do: "reap" } | { readonly do: "end"; readonly who: string };
/** What an operator may want of writes that Google has refused for good. `ids` null: all, the oldest first, as many as one order takes. */
export type WritesQuestion =
  | { readonly do: "aside"; readonly most: number }
  | { readonly do: "retry"; readonly ids: readonly string[] | null }
  | { readonly do: "discard"; readonly ids: readonly string[] | null };
/** All that the master may ask of the broker. `max`: how many slots there are from now on. `purge`: rows of a table, or of all, are asked for anew. */
export type Question =
  | SlotsQuestion
  | { readonly do: "max"; readonly max: number }
  | { readonly do: "purge"; readonly table: string | null }
  | WritesQuestion;

/** One POST of the master's to the outside: an alert for the operator's webhook. */
export interface Post {
  readonly id: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of the whole exchange. */
  readonly within: Ms;
}

export type ToChild =
  | {
      type: "configure";
      role: Role;
      slot: number;
      generation: number;
      masterPid: number;
      beatEvery: Ms;
      addresses: readonly Address[];
      config: unknown;
    }
  /** Comes with a handle: accept from it. */
  | { type: "handle"; address: number }
  /** `last`: the whole service stops, and nobody accepts in your place. */
  | { type: "drain"; within: Ms; last?: boolean }
  /** Ask your own server for the probe path; `probed` answers it. */
  | { type: "probe"; within: Ms }
  | { type: "retune"; config: unknown }
  | { type: "reopen" }
  /** To the broker, for the operator; `told` answers it. */
  | { type: "ask"; id: number; question: Question }
  /** To the broker: make this one HTTP request, which leaves the machine; `posted` answers it. */
  | { type: "post"; post: Post }
  /**
   * How many connections that stay a worker has on the average: one with more lets its neighbours accept. null: it has no neighbours.
   * `room`: one of them is below its cap; said every second as long as another is at its own.
   */
  | { type: "share"; connections: number | null; room: boolean }
  | { type: "health"; health: Health }
  /** Who may administer, as digests. */
  | { type: "admin"; keys: AdminKeys };

export interface Beat {
  readonly type: "beat";
  readonly seq: number;
  readonly inFlight: number;
  readonly connections: number;
  /** Event-loop utilisation since the last beat, 0…1. */
  readonly elu: number;
  /** How late this beat's timer was: the loop's delay. */
  readonly delay: Ms;
  /** 99th percentile of the loop's delay over the last half to whole minute. */
  readonly delayP99?: Ms;
  readonly heap: number;
  readonly rss: number;
  /** True while the connection cap keeps the worker from accepting. */
  readonly full: boolean;
  readonly counters: Counters;
  /** Durations of answered requests since the last beat. */
  readonly latency: HistogramDelta;
  readonly upstream?: UpstreamReport;
  /** Of the broker: how many people are in. */
  readonly slots?: SlotsState;
  /** Counts by name, durations, Node's own state: for metrics. */
  readonly figures?: BeatFigures;
  /** How many requests of each class are in flight; absent when there are none. */
  readonly byClass?: ByClass;
  /** The oldest requests in flight; absent when there are none. */
  readonly requests?: readonly RequestInFlight[];
}

/** Who asked a worker that has drained: the master, a SIGTERM from somebody else, or its application by closing the server. */
export type DrainedBy = "master" | "operator" | "application";
const DRAINED_BY: readonly unknown[] = ["master", "operator", "application"] satisfies DrainedBy[];

export type FromChild =
  /** The child can do its work: a worker listens, the broker and the emulator answer. `where` is for the log. */
  | { type: "ready"; where: string }
  | Beat
  | { type: "drained"; served: number; by?: DrainedBy }
  /** What this worker's own server answered to a request for the probe path: `ok` with 2xx and 3xx. */
  | { type: "probed"; ok: boolean; message: string }
  /** The child can't go on and says why before it exits with `exit`. */
  | { type: "fatal"; exit: number; code: string; message: string }
  /** The application has asked for tables: start the broker (and, in demo, the emulator) if there is none. */
  | { type: "wants"; what: "tables" }
  /** The broker's answer to `ask`: a text for a terminal. */
  | { type: "told"; id: number; ok: boolean; text: string }
  /** What came of a `post`. `status` 0: no answer, and why. */
  | { type: "posted"; id: number; status: number; why: string }
  /**
   * Connections that came to stay, and whether the worker is at its cap, said when that has changed: the beat comes too seldom to balance
   * by, and counts those that leave at once.
   */
  | { type: "holds"; connections: number; full: boolean };

type Fields = Readonly<Record<string, unknown>>;
const count = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v) && v >= 0;
const text = (v: unknown, most = 4_096): v is string => typeof v === "string" && v.length <= most;
const record = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v);

function counters(v: unknown): Counters | undefined {
  if (!record(v) || !COUNTERS.every((name) => count(v[name]))) return undefined;
  return Object.fromEntries(COUNTERS.map((name) => [name, v[name]])) as unknown as Counters;
}

function delta(v: unknown): HistogramDelta | undefined {
  if (!Array.isArray(v) || v.length > 1_024) return undefined;
  return v.every((pair) => Array.isArray(pair) && pair.length === 2 && count(pair[0]) && count(pair[1])) ? v : undefined;
}

const UPSTREAM_STATES: readonly unknown[] = ["ok", "never", "down", "denied", "locked"] satisfies UpstreamReport["state"][];
function upstream(v: unknown): UpstreamReport | undefined {
  if (!record(v) || !UPSTREAM_STATES.includes(v["state"]) || !text(v["message"]) || !record(v["quota"]) || !Array.isArray(v["tables"]))
    return undefined;
  const { quota, tables } = v;
  if (!count(quota["used"]) || !count(quota["limit"]) || !count(quota["lockedUntil"]) || tables.length > 1_000) return undefined;
  if (!(v["pace"] === undefined || pace(v["pace"])) || !spreadsheets(v["spreadsheets"])) return undefined;
  if (!tables.every(tableReport) || !(v["writes"] === undefined || writes(v["writes"]))) return undefined;
  return v as unknown as UpstreamReport;
}

const tableReport = (t: unknown): boolean =>
  record(t) &&
  text(t["name"], 200) &&
  ["rows", "version", "checkedAt", "warnings"].every((name) => count(t[name])) &&
  ["ttl", "stretchedTo"].every((name) => t[name] === undefined || count(t[name])) &&
  (t["failure"] === undefined || text(t["failure"])) &&
  (t["cause"] === undefined || text(t["cause"], 40));

const pace = (v: unknown): boolean => record(v) && ["planned", "budget", "others", "floor"].every((name) => count(v[name]));

const BREAKERS: readonly unknown[] = ["closed", "open", "half-open"] satisfies SpreadsheetReport["breaker"][];
const spreadsheets = (v: unknown): boolean =>
  v === undefined ||
  (Array.isArray(v) &&
    v.length <= 1_000 &&
    v.every(
      (s) =>
        record(s) &&
        text(s["id"], 200) &&
        BREAKERS.includes(s["breaker"]) &&
        count(s["failures"]) &&
        count(s["retryAt"]) &&
        text(s["message"]),
    ));

const DELIVERIES: readonly unknown[] = ["exactly-once", "at-least-once", "unproven"] satisfies WritesReport["delivery"][];
function writes(v: unknown): boolean {
  if (!record(v) || !DELIVERIES.includes(v["delivery"]) || !record(v["quota"]) || !record(v["timeToSheet"])) return false;
  const { quota, timeToSheet, astray, damage, setAside } = v;
  return (
    (setAside === undefined || count(setAside)) &&
    (astray === undefined || count(astray)) &&
    (damage === undefined || text(damage)) &&
    ["waiting", "waitingBytes", "oldest", "landed", "parked"].every((name) => count(v[name])) &&
    ["used", "limit", "lockedUntil"].every((name) => count(quota[name])) &&
    ["p50", "p99"].every((name) => timeToSheet[name] === null || count(timeToSheet[name]))
  );
}

function byClass(v: unknown): ByClass | undefined {
  if (!record(v)) return undefined;
  const known = Object.entries(v).every(([name, n]) => REQUEST_CLASSES.some((kind) => kind === name) && count(n));
  return known ? v : undefined;
}

function readSlots(v: unknown): SlotsState | undefined {
  if (!record(v) || !count(v["used"]) || !count(v["max"])) return undefined;
  const status = SLOT_STATUSES.find((name) => name === v["status"]);
  return status === undefined ? undefined : { used: v["used"], max: v["max"], status };
}

/** What the broker writes for the operator's terminal is no longer. */
export const LONGEST_TOLD = 262_144;

function beat(m: Fields): Beat | undefined {
  const { seq, inFlight, connections, elu, delay, heap, rss, full } = m;
  if (
    !count(seq) ||
    !count(inFlight) ||
    !count(connections) ||
    !count(elu) ||
    !count(delay) ||
    !count(heap) ||
    !count(rss) ||
    typeof full !== "boolean"
  )
    return undefined;
  const { delayP99 } = m;
  if (delayP99 !== undefined && !count(delayP99)) return undefined;
  const totals = counters(m["counters"]);
  const latency = delta(m["latency"]);
  if (totals === undefined || latency === undefined) return undefined;
  const report = m["upstream"] === undefined ? undefined : upstream(m["upstream"]);
  if (m["upstream"] !== undefined && report === undefined) return undefined;
  const requests = m["requests"] === undefined ? undefined : readRequests(m["requests"]);
  if (m["requests"] !== undefined && requests === undefined) return undefined;
  const slots = m["slots"] === undefined ? undefined : readSlots(m["slots"]);
  if (m["slots"] !== undefined && slots === undefined) return undefined;
  const figures = m["figures"] === undefined ? undefined : readFigures(m["figures"], delta);
  if (m["figures"] !== undefined && figures === undefined) return undefined;
  const classes = m["byClass"] === undefined ? undefined : byClass(m["byClass"]);
  if (m["byClass"] !== undefined && classes === undefined) return undefined;
  const base = { type: "beat", seq, inFlight, connections, elu, delay: delay as Ms, heap, rss, full, counters: totals, latency } as const;
  const late = delayP99 === undefined ? {} : { delayP99: delayP99 as Ms };
  return {
    ...base,
    ...late,
    ...(report === undefined ? {} : { upstream: report }),
    ...(slots === undefined ? {} : { slots }),
    ...(figures === undefined ? {} : { figures }),
    ...(classes === undefined ? {} : { byClass: classes }),
    ...(requests === undefined ? {} : { requests }),
  };
}

const readers: { [T in FromChild["type"]]: (m: Fields) => Extract<FromChild, { type: T }> | undefined } = {
  ready: ({ where }) => (text(where) ? { type: "ready", where } : undefined),
  beat,
  drained: ({ served, by }) => {
    if (!count(served) || !(by === undefined || DRAINED_BY.includes(by))) return undefined;
    return { type: "drained", served, ...(by === undefined ? {} : { by: by as DrainedBy }) };
  },
  probed: ({ ok, message }) => (typeof ok === "boolean" && text(message) ? { type: "probed", ok, message } : undefined),
  fatal: ({ exit, code, message }) =>
    count(exit) && text(code, 100) && text(message, 65_536) ? { type: "fatal", exit, code, message } : undefined,
  wants: ({ what }) => (what === "tables" ? { type: "wants", what } : undefined),
  told: ({ id, ok, text: said }) =>
    count(id) && typeof ok === "boolean" && text(said, LONGEST_TOLD) ? { type: "told", id, ok, text: said } : undefined,
  posted: ({ id, status, why }) => (count(id) && count(status) && text(why) ? { type: "posted", id, status, why } : undefined),
  holds: ({ connections, full }) => (count(connections) ? { type: "holds", connections, full: full === true } : undefined),
};

/** @returns the message, or undefined when it is none of ours or malformed: the caller counts it. */
export function readFromChild(raw: unknown): FromChild | undefined {
  if (!record(raw)) return undefined;
  const { type } = raw;
  return typeof type === "string" && Object.hasOwn(readers, type) ? readers[type as FromChild["type"]](raw) : undefined;
}

/** The master is trusted: its messages are only told from what an application sends itself through the same channel. */
export function isFromMaster(raw: unknown): raw is ToChild {
  if (!record(raw)) return false;
  const type = raw["type"] as ToChild["type"];
  switch (type) {
    case "configure":
    case "handle":
    case "drain":
    case "probe":
    case "retune":
    case "reopen":
    case "ask":
    case "post":
    case "share":
    case "health":
    case "admin":
      return true;
    default:
      return (type satisfies never, false);
  }
}
