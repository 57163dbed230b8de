/** What every child counts, from its start. */
import { count, record } from "./fields.ts";
import { CLASS_COUNTERS, type ClassCounter } from "./requestclass.ts";

/** Monotonic since the child started; the master adds them up over all children, dead ones included. */
export interface Counters extends Record<ClassCounter, number> {
  served: number;
  status2xx: number;
  status3xx: number;
  status4xx: number;
  status5xx: number;
  /** Deliberate refusals (X-Drover-Refused), and what the connection cap turned away. */
  refused: number;
  /** Reads by X-Cache: did not wait for Google, waited, from rows older than their TTL. */
  hits: number;
  misses: number;
  stale: number;
  /** Reads whose answer stood ready as bytes. */
  prepared: number;
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
  "prepared",
  "timeouts",
  "accepted",
  "upstreamCalls",
  "upstreamErrors",
  "refused5xx",
  "slotsExpired",
  ...Object.values(CLASS_COUNTERS).flat(),
] as const satisfies readonly (keyof Counters)[];

/** What a child has counted when it starts. */
export const noCounters = (): Counters => Object.fromEntries(COUNTERS.map((c) => [c, 0])) as unknown as Counters;

/** @returns what a beat has counted; undefined: something is missing or no count. */
export function readCounters(v: unknown): Counters | undefined {
  if (!record(v) || !COUNTERS.every((name) => count(v[name]))) return undefined;
  return Object.fromEntries(COUNTERS.map((name) => [name, v[name]])) as unknown as Counters;
}
