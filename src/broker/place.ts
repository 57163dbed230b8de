/** A table as the refresher sees it, with those who wait for it. */
import { ms, type Instant } from "../base/units.ts";
import type { Table, Unavailable } from "../sheets/types.ts";
import type { Demand } from "./demand.ts";

export type Waiter = (why: Unavailable | undefined) => void;

export interface Place extends Demand {
  readonly table: Table;
  /** Why its last refresh did not succeed. */
  why: Unavailable | undefined;
  waiters: Waiter[];
  /** Rows that Google was asked for before then are not new enough. */
  renewedAt: Instant | undefined;
}

/** What is known of a table's rows before Google is asked. */
export interface Known {
  readonly checkedAt: Instant;
  /** Of its rows. */
  readonly bytes: number;
}

export function newPlace(table: Table, known: Known | undefined, now: Instant): Place {
  const unasked = { askedAt: undefined, due: false, dueAt: now, priority: "export" as const, notBefore: now };
  const well = { lostAt: undefined, why: undefined, waiters: [], renewedAt: undefined };
  return { table, ttl: table.ttl, checkedAt: known?.checkedAt, bytes: known?.bytes ?? 0, ...unasked, ...well };
}

/** Answers all who wait. */
export function settle(place: Place, why: Unavailable | undefined): void {
  for (const waiter of place.waiters.splice(0)) waiter(why);
}

export const unknown = (table: string): Unavailable => ({
  table,
  reason: "unknown",
  message: `there is no table "${table}"`,
  retryAfter: ms(0),
});
