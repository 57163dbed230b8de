/** What the broker tells of the engine that keeps sessions (DROVER_SESSION_STORE); the beat carries it. */
import { count, record, text } from "./fields.ts";
import type { Ms } from "./units.ts";

export interface SessionStoreReport {
  /** Where it is, without user and password. */
  readonly place: string;
  /** Why it can't be used now, and what to do; absent: it is used. */
  readonly problem?: string;
  /** Of the last step; absent: none was answered yet. */
  readonly latency?: Ms;
  /** Steps that failed or were not answered in time. */
  readonly errors: number;
  /** Daemons on the same Google account, with this one. */
  readonly daemons?: number;
  /** Of these, those that can't reach the store, or have died. */
  readonly silent?: number;
  /** Why this daemon accepts no writes; absent: it does, or has no table for them. */
  readonly notWriter?: string;
}

const LONGEST = 1_000;

/** @returns undefined for what is none: then the whole beat is malformed. */
export function readSessionStore(v: unknown): SessionStoreReport | undefined {
  if (!record(v) || !text(v["place"], LONGEST) || !count(v["errors"])) return undefined;
  if (!(v["problem"] === undefined || text(v["problem"], LONGEST)) || !(v["latency"] === undefined || count(v["latency"])))
    return undefined;
  if (![v["daemons"], v["silent"]].every((n) => n === undefined || count(n))) return undefined;
  if (!(v["notWriter"] === undefined || text(v["notWriter"], 2 * LONGEST))) return undefined;
  return v as unknown as SessionStoreReport;
}
