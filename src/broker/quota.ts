/**
 * The ledger of one quota: of reads, or of writes, which Google counts separately. It counts 60 a minute and user in windows of its own,
 * which are not known before a 429 names one. So we count the calls of the last 60 seconds: at no moment, and hence in no window whatever
 * its phase, are there more than the limit less a reserve. Once Google refuses it goes on refusing for about a minute (measured: 51–61 s),
 * whatever is requested: the ledger stays closed that long.
 *
 * Daemons on one account share its quota (account.ts). One that can't hear of the others' calls may use its part of what all had left: with c
 * calls before that moment still within the minute, n daemons and a limit l, (l − c) / n calls since then. The sum over all is at most
 * c + n (l − c) / n = l, and stays so as c falls. But if the others still hear of each other, they use up to l until they notice that it is
 * silent, and these calls count for a minute: until then it may use its part of the reserve alone; also when they have forgotten it, or when
 * they can't have heard of this process.
 */
import type { Clock } from "../base/clock.ts";
import type { Priority } from "../sheets/types.ts";
import {
  after,
  between,
  elapsed,
  later,
  minutes,
  ms,
  seconds,
  type Instant,
  type Ms,
  type PerMinute,
  type Timestamp,
} from "../base/units.ts";

const WINDOW = minutes(1);
/** Part of the limit that is left to whatever else uses the same account. */
const RESERVE = 0.15;
/**
 * What each class may use of the rest: near its end the lower class waits first, so that a first read or a login finds a call left,
 * however much there is to refresh.
 */
const PART = { urgent: 1, refresh: 0.9, export: 0.8 } as const satisfies Record<Priority, number>;
/** A lock-out that claims to last longer is a misread body. */
const LONGEST_LOCK = minutes(3);
/** When others have noticed that a daemon is silent (SILENT in redis/account.lua), and what they did before is a minute old. */
const COUNTED_WITH = seconds(75);
/** Before they no longer count with it (FORGOTTEN there). */
const FORGOTTEN = minutes(59);

/** What survives a restart: a broker that crashes in a loop must not begin each time with a full minute's calls. */
export interface QuotaState {
  readonly spent: readonly Timestamp[];
  /** Of each of them; "": it has none. */
  readonly ids?: readonly string[];
  readonly lockedUntil: Timestamp;
}

/** The other daemons on the account, for one of its quotas. */
export interface SharedQuota {
  /** How many daemons there are, with this one. */
  daemons(): number;
  /** Since when the others can't be heard; undefined: they are heard. */
  aloneSince(): Instant | undefined;
  /** They have heard of this process. */
  isKnown(): boolean;
  /** The ledger that counts this quota from now on. */
  attach(ledger: Ledger): void;
  /** Of a call that is made while the others can't be heard. */
  newId(): string;
  /** Asks for a call. @param most of all daemons in a minute. @returns its id, or how long to wait; undefined: the others can't be heard. */
  ask(most: number): Promise<string | Ms | undefined>;
  /** Google has refused a call: no daemon is to make another one within this time. */
  lock(span: Ms): void;
  /** Resolves after this time or sooner: ask again. */
  pause(span: Ms, signal: AbortSignal | undefined): Promise<void>;
}

/** What a ledger tells other daemons. */
export interface KnownCalls {
  readonly calls: readonly (readonly [id: string, age: Ms])[];
  /** Those without an id: made before there was a store. */
  readonly restored: readonly Ms[];
  /** How long a lock-out lasts. */
  readonly locked: Ms;
}

interface Call {
  readonly at: Instant;
  /** Undefined without a store that other daemons may share. */
  readonly id?: string | undefined;
  /** A refresh of this daemon's tables: the plan of refreshes counts with it. */
  readonly planned: boolean;
  readonly isForeign: boolean;
  /** It was made while the others could not be heard: since when they could not. */
  readonly alone?: Instant | undefined;
}

/** The calls that were made, and when the next one may be. */
export class Ledger {
  readonly limit: number;
  readonly #reserve: number;
  readonly #clock: Clock;
  readonly #shared: SharedQuota | undefined;
  /** Of the last minute, the oldest first. */
  #calls: Call[] = [];
  #lockedUntil: Instant;

  /** @param perMinute the account's quota, before the reserve. */
  constructor(perMinute: PerMinute, clock: Clock, state?: QuotaState, shared?: SharedQuota) {
    this.limit = Math.max(1, Math.floor(perMinute * (1 - RESERVE)));
    this.#reserve = Math.max(0, perMinute - this.limit);
    this.#clock = clock;
    this.#shared = shared;
    const [now, wall] = [clock.now(), clock.wall()];
    // A millisecond later: a wall clock's large numbers have no digits left for its ten-thousandths, and no call must age by them.
    const local = (time: Timestamp, latest: Ms): Instant => after(now, ms(Math.min(elapsed(wall, time) + 1, latest)));
    this.#lockedUntil = state === undefined ? now : local(state.lockedUntil, LONGEST_LOCK);
    // A call from the future was made before the clock was set back: when is unknown, so it counts as made now.
    this.#calls = (state?.spent ?? []).map((time, i) => {
      const id = state?.ids?.[i] ?? "";
      return { at: local(time, ms(1)), id: id === "" ? undefined : id, planned: true, isForeign: false };
    });
    shared?.attach(this);
  }

  /** @returns when the next call is allowed: now, or when enough of the last minute's calls are a minute old and no lock-out lasts. */
  next(priority: Priority = "urgent"): Instant {
    const now = this.#clock.now();
    this.#calls = this.#calls.filter(({ at }) => after(at, WINDOW) > now);
    const oldest = this.#calls[this.#calls.length - this.#share(priority)]?.at;
    const free = oldest === undefined ? now : after(oldest, WINDOW);
    return Math.max(now, this.#lockedUntil, free, this.#nextAlone(priority, now)) as Instant;
  }

  /** Counts a call. Before the call: one that never comes back has been counted by Google too. */
  spend(use: "refresh" | "other" = "other", id = this.#shared?.newId(), alone?: Instant): void {
    this.#calls.push({ at: this.#clock.now(), id, planned: use === "refresh", isForeign: false, alone });
  }

  /** As `spend`, once the other daemons leave room for it. @returns false: the signal ended the wait, and nothing is counted. */
  async take(use: "refresh" | "other" = "other", signal?: AbortSignal): Promise<boolean> {
    const shared = this.#shared;
    if (shared === undefined) return (this.spend(use), true);
    const wait = (): Ms => {
      const at = this.next(use === "refresh" ? "refresh" : "urgent"); // before `now`: what is allowed "now" must not lie in the future of it
      return between(this.#clock.now(), at);
    };
    for (;;) {
      const answer = wait() > 0 ? undefined : await shared.ask(this.limit); // oxlint-disable-line no-await-in-loop -- until there is room
      if (signal?.aborted === true) return false;
      if (typeof answer === "string") return (this.spend(use, answer), true);
      const alone = shared.aloneSince();
      if (answer === undefined && alone !== undefined && wait() <= 0) return (this.spend(use, shared.newId(), alone), true);
      await shared.pause(answer ?? wait(), signal); // oxlint-disable-line no-await-in-loop
    }
  }

  /** Counts a call of another daemon. */
  heard(id: string): void {
    if (this.#calls.every((call) => call.id !== id)) this.#calls.push({ at: this.#clock.now(), id, planned: false, isForeign: true });
  }

  known(): KnownCalls {
    const now = this.#clock.now();
    this.next();
    return {
      calls: this.#calls.flatMap(({ id, at }) => (id === undefined ? [] : [[id, between(at, now)] as const])),
      restored: this.#calls.filter(({ id }) => id === undefined).map(({ at }) => between(at, now)),
      locked: ms(Math.max(0, between(now, this.#lockedUntil))),
    };
  }

  /** Takes over the calls of all daemons, as they know them together. */
  merge(all: KnownCalls["calls"]): void {
    const now = this.#clock.now();
    const own = new Map(this.#calls.flatMap((call) => (call.id === undefined ? [] : [[call.id, call] as const])));
    for (const [id, age] of all) if (!own.has(id)) own.set(id, { id, at: after(now, ms(0 - age)), planned: false, isForeign: true });
    this.#calls = [...own.values()].toSorted((a, b) => a.at - b.at);
  }

  /**
   * What is left of a minute for refreshes: their part, less what all else has used in the last one. With other daemons at least this
   * one's share of it.
   */
  budget(): number {
    const part = this.#share("refresh");
    const own = this.#calls.filter(({ planned, isForeign }) => !planned && !isForeign).length;
    return Math.max(part - this.others(), Math.floor(part / (this.#shared?.daemons() ?? 1)) - own);
  }

  /** Calls of the last minute that were no refreshes of this daemon. */
  others(): number {
    this.next();
    return this.#calls.filter(({ planned }) => !planned).length;
  }

  #share(priority: Priority): number {
    return Math.max(1, Math.floor(this.limit * PART[priority]));
  }

  /** When a call may be made while the other daemons can't be heard; long ago, while they can. */
  #nextAlone(priority: Priority, now: Instant): number {
    const [since, daemons = 1] = [this.#shared?.aloneSince(), this.#shared?.daemons()];
    if (since === undefined || daemons < 2) return -Infinity;
    const [counted, forgotten] = [after(since, COUNTED_WITH), after(since, FORGOTTEN)];
    const isCounted = (at: number): boolean => this.#shared?.isKnown() === true && at >= counted && at < forgotten;
    const few = Math.floor((this.#reserve / daemons) * PART[priority]);
    const most = this.#share(priority);
    const mayAt = (at: number): boolean => {
      const recent = this.#calls.filter((call) => after(call.at, WINDOW) > at);
      const own = recent.filter(({ alone }) => alone === since).length;
      return (own + 1) * daemons <= most - (recent.length - own) && (own < few || isCounted(at));
    };
    const moments = [now, counted, ...this.#calls.map(({ at }) => after(at, WINDOW))].filter((at) => at >= now);
    return moments.toSorted((a, b) => a - b).find(mayAt) ?? after(now, seconds(1));
  }

  /** Google has refused until then. */
  lock(until: Timestamp): void {
    const wait = ms(Math.min(LONGEST_LOCK, Math.max(0, elapsed(this.#clock.wall(), until))));
    this.lockFor(wait);
    this.#shared?.lock(wait);
  }

  /** As `lock`, for what another daemon was answered. */
  lockFor(wait: Ms): void {
    this.#lockedUntil = Math.max(this.#lockedUntil, after(this.#clock.now(), ms(Math.min(LONGEST_LOCK, wait)))) as Instant;
  }

  get locked(): boolean {
    return this.#lockedUntil > this.#clock.now();
  }

  /** Calls of the last minute, how many there may be, and when a lock-out ends (0: none). */
  report(): { readonly used: number; readonly limit: number; readonly lockedUntil: Timestamp } {
    this.next();
    return { used: this.#calls.length, limit: this.limit, lockedUntil: this.locked ? this.#wall(this.#lockedUntil) : (0 as Timestamp) };
  }

  state(): QuotaState {
    const spent = this.#calls.map(({ at }) => this.#wall(at));
    const ids = this.#shared === undefined ? {} : { ids: this.#calls.map(({ id = "" }) => id) };
    return { spent, ...ids, lockedUntil: this.report().lockedUntil };
  }

  #wall(at: Instant): Timestamp {
    return later(this.#clock.wall(), ms(at - this.#clock.now()));
  }
}
