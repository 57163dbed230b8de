/** What the broker tells of Google, of the tables it reads there and of the writes it takes there; the beat carries it. */
import { count, record, text } from "./fields.ts";
import type { Ms, Timestamp } from "./units.ts";

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
  /** Why Google does not let the account write, and what to do; absent: it does, as far as is known. */
  readonly denied?: string;
  /** What was wrong with the journal that was found at the start, and where it was put aside. */
  readonly damage?: string;
  readonly quota: { readonly used: number; readonly limit: number; readonly lockedUntil: Timestamp };
  /** From acceptance to the sheet, of the last thousand. */
  readonly timeToSheet: { readonly p50: Ms | null; readonly p99: Ms | null };
}

export interface TableReport {
  readonly name: string;
  readonly rows: number;
  /** How much of its maxRows or maxBytes it has, in percent, whichever is more; absent: it is not written to, or nothing is known of it. */
  readonly fill?: number;
  readonly version: number;
  /** 0: never. */
  readonly checkedAt: Timestamp;
  /** How many things are wrong with its rows in the sheet: keys that are missing or stand twice, values that do not fit, lost columns. */
  readonly warnings: number;
  /** The columns that are hidden because of their names; absent: none. */
  readonly hidden?: readonly string[];
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
  /** How many tabs of the spreadsheet are no tables because there are too many; absent: none. */
  readonly unlisted?: number;
  readonly pace?: PaceReport;
  /** All from which tables are read. */
  readonly spreadsheets?: readonly SpreadsheetReport[];
  /** Absent where nothing can be written. */
  readonly writes?: WritesReport;
  /** Why the journal's disk takes no writes, and what to do; absent: it does, as far as is known. */
  readonly disk?: string;
}

/** Of a sentence for the operator. */
const LONGEST_SENTENCE = 4_096;
const sentence = (v: unknown): v is string => text(v, LONGEST_SENTENCE);

const UPSTREAM_STATES: readonly unknown[] = ["ok", "never", "down", "denied", "locked"] satisfies UpstreamReport["state"][];
/** @returns undefined for what is none: then the whole beat is malformed. */
export function readUpstream(v: unknown): UpstreamReport | undefined {
  if (!record(v) || !UPSTREAM_STATES.includes(v["state"]) || !sentence(v["message"]) || !record(v["quota"]) || !Array.isArray(v["tables"]))
    return undefined;
  const { quota, tables } = v;
  if (!count(quota["used"]) || !count(quota["limit"]) || !count(quota["lockedUntil"]) || tables.length > 1_000) return undefined;
  if (!(v["disk"] === undefined || sentence(v["disk"]))) return undefined;
  if (!(v["unlisted"] === undefined || count(v["unlisted"]))) return undefined;
  if (!(v["pace"] === undefined || pace(v["pace"])) || !spreadsheets(v["spreadsheets"])) return undefined;
  if (!tables.every(tableReport) || !(v["writes"] === undefined || writes(v["writes"]))) return undefined;
  return v as unknown as UpstreamReport;
}

const tableReport = (t: unknown): boolean =>
  record(t) &&
  text(t["name"], 200) &&
  ["rows", "version", "checkedAt", "warnings"].every((name) => count(t[name])) &&
  ["ttl", "stretchedTo", "fill"].every((name) => t[name] === undefined || count(t[name])) &&
  (t["hidden"] === undefined || (Array.isArray(t["hidden"]) && t["hidden"].every((name) => text(name, 200)))) &&
  (t["failure"] === undefined || sentence(t["failure"])) &&
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
        sentence(s["message"]),
    ));

const DELIVERIES: readonly unknown[] = ["exactly-once", "at-least-once", "unproven"] satisfies WritesReport["delivery"][];
function writes(v: unknown): boolean {
  if (!record(v) || !DELIVERIES.includes(v["delivery"]) || !record(v["quota"]) || !record(v["timeToSheet"])) return false;
  const { quota, timeToSheet, astray, damage, denied, setAside } = v;
  return (
    (setAside === undefined || count(setAside)) &&
    (astray === undefined || count(astray)) &&
    (damage === undefined || sentence(damage)) &&
    (denied === undefined || sentence(denied)) &&
    ["waiting", "waitingBytes", "oldest", "landed", "parked"].every((name) => count(v[name])) &&
    ["used", "limit", "lockedUntil"].every((name) => count(quota[name])) &&
    ["p50", "p99"].every((name) => timeToSheet[name] === null || count(timeToSheet[name]))
  );
}
