/** Which tables the next call takes: pure arithmetic over what is known of each. */
import { after, between, minutes, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import { EARLIEST } from "../sheets/held.ts";
import type { Priority } from "../sheets/types.ts";

/** A table as the refresher sees it. */
export interface Demand {
  /** As long as rows count as fresh now: the table's own, or longer. */
  ttl: Ms;
  /** About what Google's answer for it takes; 0: not known yet. */
  bytes: number;
  /** When the rows were last known to be true; undefined: never seen. */
  checkedAt: Instant | undefined;
  /** When a client last asked, or said that it had used the rows. */
  askedAt: Instant | undefined;
  /** Asked for, and not answered yet. */
  due: boolean;
  /** When it may go, if nothing else keeps it: others of the same moment go with it. */
  dueAt: Instant;
  /** The highest of those who ask. */
  priority: Priority;
  /** Not to be asked of Google before: its last answer was no use. */
  notBefore: Instant;
  /** When Google last said that the spreadsheet has no such range; undefined: it has. */
  lostAt: Instant | undefined;
}

/** Clients ask by their own clock: a little early is not early. */
const SLACK = ms(100);
/**
 * A table that was used so recently goes along with a call that is made anyway: it costs bytes, not quota. Clients tell
 * their use at each renewal, so this is longer than any TTL that is worth aligning.
 */
const GOES_ALONG = minutes(10);
/** After a failure, a table that nobody has asked for since is not tried again. */
const TRIED_AGAIN = seconds(60);

const ageOf = (demand: Demand, now: Instant): Ms => (demand.checkedAt === undefined ? ms(Infinity) : between(demand.checkedAt, now));
const askedWithin = (demand: Demand, within: Ms, now: Instant): boolean =>
  demand.askedAt !== undefined && between(demand.askedAt, now) < within;

export const isFresh = (demand: Demand, now: Instant): boolean => ageOf(demand, now) < demand.ttl * (1 - EARLIEST) - SLACK;

/** Whether its TTL is to be counted with: somebody has used it within the last minute, or two TTLs. */
export const inUse = (demand: Demand, now: Instant): boolean => askedWithin(demand, ms(Math.max(minutes(1), 2 * demand.ttl)), now);

const RANK = { urgent: 0, refresh: 1, export: 2 } as const satisfies Record<Priority, number>;

/** @returns the one that comes first. */
export const firstOf = (a: Priority, b: Priority): Priority => (RANK[a] <= RANK[b] ? a : b);

/** Whether a failure leaves the table to be tried again without being asked for. */
export const staysDue = (demand: Demand, now: Instant): boolean => demand.due && askedWithin(demand, TRIED_AGAIN, now);

/** Whether a table that is not due is taken along with a call for others. */
const goesAlong = (demand: Demand, now: Instant): boolean =>
  !demand.due &&
  demand.lostAt === undefined &&
  demand.checkedAt !== undefined &&
  ageOf(demand, now) >= demand.ttl / 2 &&
  askedWithin(demand, GOES_ALONG, now);

/**
 * Due tables first, by their priority and how long they have waited; then those that go along. A table whose range was not there is requested
 * alone, when no other may be, and the one longest not looked for first: a call that names it fails for all. Taking along what is older
 * than half its TTL makes the phases of all tables meet, so that the number of calls is that of the shortest TTL alone.
 * @param mayCall whether a call of this priority may be made now. @returns no due table when none may be requested.
 */
export function selection<D extends Demand>(
  demands: Iterable<D>,
  now: Instant,
  mayCall: (priority: Priority) => boolean,
): { readonly due: readonly D[]; readonly along: readonly D[] } {
  const ready = [...demands].filter((demand) => demand.notBefore <= now);
  const rank = (a: D, b: D): number => RANK[a.priority] - RANK[b.priority] || a.dueAt - b.dueAt;
  const due = ready.filter((demand) => demand.due && demand.lostAt === undefined).toSorted(rank);
  const [first] = due;
  if (first !== undefined && mayCall(first.priority)) return { due, along: ready.filter((demand) => goesAlong(demand, now)) };
  const wanted = ready.filter((demand) => demand.due && demand.lostAt !== undefined && mayCall(demand.priority));
  const [lost] = wanted.toSorted((a, b) => (a.lostAt ?? 0) - (b.lostAt ?? 0));
  return { due: lost === undefined ? [] : [lost], along: [] };
}

/**
 * @param allowedAt when a call of a priority may be made.
 * @returns when the first due table may be asked for, or undefined when none is due.
 */
export function firstDue(demands: Iterable<Demand>, allowedAt: Readonly<Record<Priority, Instant>>): Instant | undefined {
  let first: Instant | undefined;
  for (const { due, dueAt, notBefore, priority } of demands) {
    if (!due) continue;
    const at = latest(latest(dueAt, notBefore), allowedAt[priority]);
    if (first === undefined || at < first) first = at;
  }
  return first;
}

/** @returns the later of the two. */
export const latest = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** @returns `wait` from now, but no less than the table's TTL: a table that is wrong is looked at no more often than one that is right. */
export const notBeforeAfter = (demand: Demand, wait: Ms, now: Instant): Instant => after(now, ms(Math.max(demand.ttl, wait)));
