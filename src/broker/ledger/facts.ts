/** Facts as they stand on disk, and back: only what is certainly sound is believed. */
import type { CounterState } from "../../base/window.ts";
import { after, elapsed, ms, type Ms, type Timestamp } from "../../base/units.ts";
import type { DayCount } from "./days.ts";
import type { Kept } from "./kept.ts";
import { GRACE, wallOf, type Ended, type Lease, type Mark, type Now } from "./slots.ts";

type Fields = Readonly<Record<string, unknown>>;
const text = (v: unknown): v is string => typeof v === "string" && v.length <= 1_000;
const number = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v);
/** A lease that ran out longer ago than this comes from before a stop: nobody waits for it. */
const TOO_OLD = ms(60_000);

export const leaseFact = ({ session, rank, until, held }: Lease, at: Now): object => ({ ...session, rank, until: wallOf(until, at), held });

function leaseOf({ id, user, admin, since, rank, until, held }: Fields, { now, wall }: Now): Lease[] {
  if (!text(id) || !text(user) || typeof admin !== "boolean" || !number(since) || !number(rank) || !number(until)) return [];
  const left = elapsed(wall, until as Timestamp);
  if (left + TOO_OLD < 0) return [];
  return [
    { session: { id, user, admin, since: since as Timestamp }, rank, until: after(now, ms(Math.max(left, GRACE))), held: held === true },
  ];
}

const endedOf = ({ id, user, since, why, at }: Fields): Ended[] =>
  text(id) && text(user) && number(since) && number(at) && (why === "taken-over" || why === "revoked")
    ? [{ id, user, since: since as Timestamp, why, at: at as Timestamp }]
    : [];

const markOf = ({ user, since, at }: Fields): Mark[] =>
  text(user) && number(since) && number(at) ? [{ user, since: since as Timestamp, at: at as Timestamp }] : [];

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  try {
    return String(Temporal.PlainDate.from(text)) === text;
  } catch {
    return false; // a day that is in no month
  }
}

const dayOf = ({ key, day, used }: Fields): DayCount[] =>
  text(key) && text(day) && isDate(day) && number(used) && used > 0 ? [{ key, day, used }] : [];

export const windowFact = (state: CounterState, { wall }: Now): object => ({ ...state, at: wall });

function windowOf({ key, per, refill, counts, at }: Fields): { state: CounterState; at: Timestamp }[] {
  const sound =
    text(key) &&
    number(per) &&
    per > 0 &&
    (refill === undefined || (number(refill) && refill > 0)) &&
    number(at) &&
    Array.isArray(counts) &&
    counts.every((pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((n) => number(n) && n >= 0));
  if (!sound) return [];
  const state = { key, per: per as Ms, counts: counts as [Ms, number][], ...(refill === undefined ? {} : { refill }) };
  return [{ state, at: at as Timestamp }];
}

export interface Known {
  readonly leases: readonly Lease[];
  readonly ended: readonly Ended[];
  readonly marks: readonly Mark[];
  readonly days: readonly DayCount[];
  readonly windows: readonly { readonly state: CounterState; readonly at: Timestamp }[];
}

/** All that the last broker left. */
export function readKnown(kept: Kept, at: Now): Known {
  return {
    leases: kept.load("lease").flatMap((fact) => leaseOf(fact, at)),
    ended: kept.load("ended").flatMap(endedOf),
    marks: kept.load("mark").flatMap(markOf),
    days: kept.load("day").flatMap(dayOf),
    windows: kept.load("window").flatMap(windowOf),
  };
}

/** How long ago something was; a clock that was set back makes it no younger than now. */
export const ageOf = (at: Timestamp, wall: Timestamp): Ms => ms(Math.max(0, elapsed(at, wall)));
