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
}

const LONGEST = 1_000;

/** @returns undefined for what is none: then the whole beat is malformed. */
export function readSessionStore(v: unknown): SessionStoreReport | undefined {
  if (!record(v) || !text(v["place"], LONGEST) || !count(v["errors"])) return undefined;
  if (!(v["problem"] === undefined || text(v["problem"], LONGEST)) || !(v["latency"] === undefined || count(v["latency"])))
    return undefined;
  return v as unknown as SessionStoreReport;
}
