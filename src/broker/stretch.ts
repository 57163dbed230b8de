/**
 * How often tables may be refreshed within the quota. Calls recur at the TTLs of what they carry: the tables of a spreadsheet, in the
 * order of their TTLs, as many as fit into one call. Where all calls together would be more than the budget leaves, a floor is laid
 * under the TTLs, as low as will do: no table is refreshed more often, and those with longer TTLs keep theirs.
 *
 *   Σ over calls of 1 minute ÷ (0.9 · max(TTL, floor)) ≤ budget          0.9: rows are asked for a little early, see EARLIEST
 */
import { after, minutes, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import { EARLIEST } from "../sheets/held.ts";
import { MOST_BYTES } from "./fitting.ts";

/** A table that is in use. */
export interface Paced {
  readonly spreadsheet: string;
  /** As its owner wants it. */
  readonly ttl: Ms;
  /** Of its last answer, about. */
  readonly bytes: number;
}

/** TTLs grow at once, and shrink no more often than this. */
const SHRINKS_EVERY = seconds(10);
const MINUTE = minutes(1);

const perMinute = (ttl: number): number => MINUTE / (ttl * (1 - EARLIEST));
const sum = (ttls: readonly number[]): number => ttls.reduce((total, ttl) => total + perMinute(ttl), 0);

/** @returns the TTL at which each call recurs, shortest first. */
export function recurring(tables: readonly Paced[]): readonly Ms[] {
  const full = new Map<string, number>();
  const calls: Ms[] = [];
  for (const { spreadsheet, ttl, bytes } of tables.toSorted((a, b) => a.ttl - b.ttl)) {
    const already = full.get(spreadsheet) ?? Infinity;
    const joins = already + bytes <= MOST_BYTES;
    full.set(spreadsheet, joins ? already + bytes : bytes);
    if (!joins) calls.push(ttl);
  }
  return calls;
}

/** A length that people read easily, and clients see change seldom: tenths of seconds below 2 s, then whole seconds. */
const rounded = (floor: number): Ms => (floor < 2_000 ? ms(Math.ceil(floor / 100) * 100) : ms(Math.ceil(floor / 1_000) * 1_000));

/** @param calls TTLs at which calls recur, shortest first. @param budget calls a minute. @returns the floor; 0: none is needed. */
export function floorFor(calls: readonly Ms[], budget: number): Ms {
  if (sum(calls) <= budget) return ms(0);
  for (let lifted = 1; lifted <= calls.length; lifted += 1) {
    const left = budget - sum(calls.slice(lifted));
    const floor = (lifted * MINUTE) / (left * (1 - EARLIEST));
    if (left > 0 && floor <= (calls[lifted] ?? Infinity)) return rounded(floor);
  }
  return ms(0); // not reached: all lifted, any budget above 0 will do
}

/** What the TTLs would cost, and what they may. */
export interface StretchReport {
  /** Calls a minute that the TTLs would make. */
  readonly planned: number;
  /** Calls a minute that may be planned. */
  readonly budget: number;
  /** No table is refreshed more often than this; 0: as often as its TTL says. */
  readonly floor: Ms;
}

/** The floor under all TTLs. */
export class Stretch {
  #report: StretchReport = { planned: 0, budget: 0, floor: ms(0) };
  #shrinksAt: Instant | undefined;

  get report(): StretchReport {
    return this.#report;
  }

  /** @returns whether the floor is another one now. */
  plan(tables: readonly Paced[], budget: number, now: Instant): boolean {
    const calls = recurring(tables);
    const allowed = Math.max(1, budget);
    const wanted = floorFor(calls, allowed);
    const { floor: before } = this.#report;
    const early = wanted < before && this.#shrinksAt !== undefined && now < this.#shrinksAt;
    const floor = early ? before : wanted;
    if (floor !== before) this.#shrinksAt = after(now, SHRINKS_EVERY);
    this.#report = { planned: sum(calls), budget: allowed, floor };
    return floor !== before;
  }
}
