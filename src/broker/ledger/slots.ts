/**
 * Who is in. A session holds a lease, which whatever it does renews; when nothing does, it runs out and the slot is free.
 *
 *   enter ─→ in ─ renewed ─→ in                          leave, put out, taken over ─→ ended: remembered, never in again
 *            └─ nothing for the lease's length ─→ free ─ enter ─→ in, if there is room
 *
 * Pure: time comes in as an argument. The maximum only keeps people out, it never puts one out.
 */
import { slotsState, type Shortage, type SlotsState } from "../../base/slots.ts";
import { after, between, elapsed, later, minutes, ms, seconds, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import type { Admission, Session } from "../../sheets/ledger.ts";
import { COME_AGAIN } from "../../sheets/ledger-wire.ts";

export interface SlotRules {
  readonly max: number;
  readonly perUser: number;
  /** What happens to a user's session beyond that number: it takes the oldest one's place, or is refused. */
  readonly conflict: "take-over" | "refuse";
  /** How long a session stays in after it last did something. */
  readonly lease: Ms;
}

export type EndedWhy = "taken-over" | "revoked" | "expired";

export interface Lease {
  readonly session: Session;
  /** Orders a user's sessions: the time of login, unless the clock was set back since. */
  readonly rank: number;
  until: Instant;
  /** What renewed it last was an open stream. */
  held: boolean;
}

/** A session that must not come in again although its cookie is good. */
export interface Ended {
  readonly id: string;
  readonly user: string;
  readonly since: Timestamp;
  readonly why: "taken-over" | "revoked";
  readonly at: Timestamp;
}

/** All of a user's sessions that began until then are ended, whether they are remembered one by one or not. */
export interface Mark {
  readonly user: string;
  readonly since: Timestamp;
  readonly at: Timestamp;
}

export interface Now {
  readonly now: Instant;
  readonly wall: Timestamp;
}

/** What one step changed: for the disk, and for workers. */
export interface SlotsChange {
  /** Leases that came, went or moved, and ended sessions and marks that are new or forgotten. */
  readonly leases: Set<string>;
  readonly ended: Set<string>;
  readonly marks: Set<string>;
  /** Sessions that were admitted, and ended another one by it. */
  readonly logins: Set<string>;
  readonly out: { readonly id: string; readonly why: EndedWhy }[];
}

/** An open stream renews every tenth of a minute or so; a worker that died with it renews nothing. */
export const HELD_FOR = seconds(45);
/** After a restart everybody has so long to show that they are still there. */
export const GRACE = seconds(15);
/** A login is no older than this when it is first heard of; what is older comes back. */
const FRESH = seconds(30);
/** No cookie may live longer. */
export const REMEMBERED = minutes(31 * 24 * 60);
/** Ended sessions of one user that are remembered by id; older ones are by the time they began. */
const MOST_ENDED = 32;
const LEAST_WAIT = seconds(10);
const LONGEST_WAIT = seconds(120);
const FREED_KEPT = 16;

export class Slots {
  rules: SlotRules;
  readonly leases = new Map<string, Lease>();
  readonly ended = new Map<string, Ended>();
  readonly marks = new Map<string, Mark>();
  /** A user's sessions that are in, by rank. */
  readonly #byUser = new Map<string, Lease[]>();
  /** A user's ended sessions, oldest first. */
  readonly #endedBy = new Map<string, string[]>();
  /** When slots became free lately: says how long one waits for the next. */
  #freed: Instant[] = [];
  #change: SlotsChange = noChange();
  /** What the machine is short of: no session is admitted that takes a slot. */
  shortage: Shortage | undefined;

  constructor(rules: SlotRules) {
    this.rules = rules;
  }

  get state(): SlotsState {
    return slotsState(this.leases.size, this.rules.max, this.shortage);
  }

  /** @returns what has changed since the last call. */
  take(): SlotsChange {
    const change = this.#change;
    this.#change = noChange();
    return change;
  }

  /**
   * @param before the session that the same browser had: it ends when this one is let in, and its slot counts as free.
   * @param mayEnd false: a session that can only enter by ending another one is not admitted (`away`), and ends none.
   */
  enter(session: Session, at: Now, before?: Session, mayEnd = true): Admission {
    const known = this.leases.get(session.id);
    if (known !== undefined) {
      this.#renew(known, at.now, false);
      return { is: "in" };
    }
    const out = this.whyOut(session, at);
    if (out !== undefined) return { is: out };
    const rank = this.#rank(session, at);
    const leaving = before === undefined ? undefined : this.leases.get(before.id);
    const own = (this.#byUser.get(session.user) ?? []).filter((lease) => lease !== leaving);
    const used = this.leases.size - (leaving === undefined ? 0 : 1);
    // A session that takes the slot of another one adds nothing to the load.
    const closed = this.shortage !== undefined && leaving === undefined;
    // As many as are too many, after that number was lowered too.
    const surplus = own.slice(0, Math.max(0, own.length - this.rules.perUser + 1));
    if (surplus.length > 0) {
      if (this.rules.conflict === "refuse") return { is: "refused", most: this.rules.perUser };
      const newer = own.filter((lease) => lease.rank > rank).length;
      if (newer >= this.rules.perUser) return { is: this.#end(session, "taken-over", at) };
    } else if ((used >= this.rules.max || closed) && !session.admin) return this.#full(at.now, used);
    const ends = surplus.length > 0 || (before !== undefined && !this.ended.has(before.id));
    if (ends && !mayEnd) return { is: "away", retryAfter: COME_AGAIN };
    for (const { session: old } of surplus) this.#end(old, "taken-over", at);
    if (before !== undefined) this.#end(before, "revoked", at);
    if (ends) this.#change.logins.add(session.id);
    this.#admit({ session, rank, until: after(at.now, this.rules.lease), held: false });
    return { is: "in" };
  }

  /**
   * It did something, or has a stream open. A worker that takes a session for one that is in is believed if there is nothing against it:
   * the broker may have forgotten.
   */
  renew(session: Session, held: boolean, at: Now): void {
    const lease = this.leases.get(session.id);
    if (lease !== undefined) return this.#renew(lease, at.now, held);
    const admission = this.enter(session, at);
    const entered = this.leases.get(session.id);
    if (entered !== undefined) this.#renew(entered, at.now, held);
    else this.#change.out.push({ id: session.id, why: outBy(admission) });
  }

  /** A worker takes this session for one that is in: says so if it is not. */
  check(session: Session, at: Now): void {
    if (this.leases.has(session.id)) return;
    this.#change.out.push({ id: session.id, why: this.whyOut(session, at) ?? "expired" });
  }

  /** It will not come again: logged out, or put out. */
  revoke(session: Session, at: Now): void {
    this.#end(session, "revoked", at);
  }

  /** Puts out all of a user's sessions, those too that are not in now. @returns how many were in. */
  revokeUser(user: string, at: Now): number {
    const own = [...(this.#byUser.get(user) ?? [])];
    for (const { session } of own) this.#end(session, "revoked", at);
    this.#mark(user, at.wall, at.wall);
    return own.length;
  }

  /** Frees what has run out. @returns how many. */
  expire(now: Instant): number {
    const before = this.leases.size;
    for (const [id, { until }] of this.leases) if (until <= now) this.#free(id, "expired", now);
    return before - this.leases.size;
  }

  /** Forgets what no cookie can bring back any more. */
  sweep(wall: Timestamp): void {
    for (const [id, ended] of this.ended) if (elapsed(ended.at, wall) > REMEMBERED) this.#forget(id, ended.user);
    for (const [user, mark] of this.marks)
      if (elapsed(mark.at, wall) > REMEMBERED) {
        this.marks.delete(user);
        this.#change.marks.add(user);
      }
  }

  /** What another broker knew. Whoever was in may be so for a moment more: nobody could renew while there was no broker. */
  restore(leases: readonly Lease[], ended: readonly Ended[], marks: readonly Mark[], now: Instant): void {
    for (const mark of marks) this.marks.set(mark.user, mark);
    for (const one of ended) this.#remember(one);
    for (const lease of leases.toSorted((a, b) => a.rank - b.rank)) {
      if (this.ended.has(lease.session.id) || this.leases.has(lease.session.id)) continue;
      const until = Math.min(Math.max(lease.until, after(now, GRACE)), after(now, this.rules.lease)) as Instant;
      this.#admit({ ...lease, until });
    }
    this.take();
  }

  /** Ends what was ended before these leases were read from disk. */
  adopt(ended: readonly Ended[], marks: readonly Mark[], at: Now): void {
    for (const one of ended) this.#end(one, one.why, at);
    for (const mark of marks) {
      this.#mark(mark.user, mark.since, mark.at);
      const own = (this.#byUser.get(mark.user) ?? []).filter(({ session }) => session.since <= mark.since);
      for (const { session } of own) this.#end(session, "revoked", at);
    }
  }

  #renew(lease: Lease, now: Instant, held: boolean): void {
    const until = after(now, held ? HELD_FOR : this.rules.lease);
    lease.held = held;
    lease.until = until;
    this.#change.leases.add(lease.session.id);
  }

  /** @returns why a session must not come in; undefined: there is nothing against it. */
  whyOut({ id, user, since }: Session, { wall }: Now): Ended["why"] | undefined {
    const ended = this.ended.get(id);
    if (ended !== undefined) return ended.why;
    const mark = this.marks.get(user);
    if (mark === undefined || since > mark.since) return undefined;
    // The clock may have been set back since the mark was made: a login of this moment is none of those that it means.
    const fresh = Math.abs(elapsed(since, wall)) <= FRESH && Math.abs(elapsed(mark.at, wall)) > FRESH;
    return fresh ? undefined : "revoked";
  }

  #rank({ user, since }: Session, { wall }: Now): number {
    const newest = this.#byUser.get(user)?.at(-1)?.rank ?? 0;
    return Math.abs(elapsed(since, wall)) <= FRESH ? Math.max(since, newest + 1) : since;
  }

  /** @param taken slots, without that of a session that leaves. */
  #full(now: Instant, taken: number): Admission {
    const { used, max } = this.state;
    const because = taken < max ? this.shortage : undefined;
    const oldest = this.#freed[0];
    const pace = oldest === undefined ? LONGEST_WAIT : between(oldest, now) / this.#freed.length;
    return {
      is: "full",
      used,
      max,
      retryAfter: ms(Math.round(Math.min(LONGEST_WAIT, Math.max(LEAST_WAIT, pace)))),
      ...(because === undefined ? {} : { because }),
    };
  }

  #admit(lease: Lease): void {
    const { id, user } = lease.session;
    this.leases.set(id, lease);
    const own = [...(this.#byUser.get(user) ?? []), lease].sort((a, b) => a.rank - b.rank);
    this.#byUser.set(user, own);
    this.#change.leases.add(id);
  }

  #free(id: string, why: EndedWhy, now: Instant): void {
    const lease = this.leases.get(id);
    if (lease === undefined) return;
    const { user } = lease.session;
    this.leases.delete(id);
    const own = (this.#byUser.get(user) ?? []).filter((other) => other !== lease);
    if (own.length === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, own);
    if (why !== "taken-over") this.#freed = [...this.#freed, now].slice(-FREED_KEPT);
    this.#change.leases.add(id);
    this.#change.out.push({ id, why });
  }

  #end({ id, user, since }: Omit<Session, "admin">, why: Ended["why"], { now, wall }: Now): Ended["why"] {
    const known = this.ended.get(id);
    if (known !== undefined) return known.why;
    if (this.leases.has(id)) this.#free(id, why, now);
    else this.#change.out.push({ id, why });
    this.#remember({ id, user, since, why, at: wall });
    this.#change.ended.add(id);
    return why;
  }

  #remember(ended: Ended): void {
    const own = [...(this.#endedBy.get(ended.user) ?? []), ended.id];
    this.ended.set(ended.id, ended);
    this.#endedBy.set(ended.user, own);
    const surplus = own.length > MOST_ENDED ? this.ended.get(own[0] ?? "") : undefined;
    if (surplus === undefined) return;
    // Of those that are in none is older: if it were, it would have been taken over first, or it stays by its lease.
    this.#mark(surplus.user, surplus.since, ended.at);
    this.#forget(surplus.id, surplus.user);
  }

  #mark(user: string, since: Timestamp, at: Timestamp): void {
    const before = this.marks.get(user)?.since ?? (0 as Timestamp);
    this.marks.set(user, { user, since: Math.max(before, since) as Timestamp, at });
    this.#change.marks.add(user);
  }

  #forget(id: string, user: string): void {
    this.ended.delete(id);
    const own = (this.#endedBy.get(user) ?? []).filter((other) => other !== id);
    if (own.length === 0) this.#endedBy.delete(user);
    else this.#endedBy.set(user, own);
    this.#change.ended.add(id);
  }
}

/** What a worker is told that took a session for one that is in. */
const outBy = ({ is }: Admission): EndedWhy => (is === "taken-over" || is === "revoked" ? is : "expired");

const noChange = (): SlotsChange => ({ leases: new Set(), ended: new Set(), marks: new Set(), logins: new Set(), out: [] });

/** An instant of this process as a time that another understands. */
export const wallOf = (at: Instant, { now, wall }: Now): Timestamp => later(wall, between(now, at));
