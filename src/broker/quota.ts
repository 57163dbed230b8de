/**
 * The ledger of one quota: of reads, or of writes, which Google counts apart. It counts 60 a minute and user in windows of
 * its own, which nobody can see before a 429 names one. So we count the calls of the last 60 seconds: at no moment, and hence in no window whatever its phase, are
 * there more than the limit less a reserve. Once Google refuses it goes on refusing for about a minute (measured: 51–61 s),
 * whoever asks: the ledger stays closed that long.
 */
import type { Clock } from "../base/clock.ts";
import type { Priority } from "../sheets/types.ts";
import { after, elapsed, later, minutes, ms, type Instant, type Ms, type PerMinute, type Timestamp } from "../base/units.ts";

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

/** What survives a restart: a broker that crashes in a loop must not begin each time with a full minute's calls. */
export interface QuotaState {
  readonly spent: readonly Timestamp[];
  readonly lockedUntil: Timestamp;
}

/** The calls that were made, and when the next one may be. */
export class Ledger {
  readonly limit: number;
  readonly #clock: Clock;
  #spent: Instant[] = [];
  /** Of these, what was not planned for: everything but refreshes. */
  #others: Instant[] = [];
  #lockedUntil: Instant;

  /** @param perMinute the account's quota, before the reserve. */
  constructor(perMinute: PerMinute, clock: Clock, state?: QuotaState) {
    this.limit = Math.max(1, Math.floor(perMinute * (1 - RESERVE)));
    this.#clock = clock;
    const [now, wall] = [clock.now(), clock.wall()];
    // A millisecond later: a wall clock's large numbers have no digits left for its ten-thousandths, and no call must age by them.
    const local = (time: Timestamp, latest: Ms): Instant => after(now, ms(Math.min(elapsed(wall, time) + 1, latest)));
    this.#lockedUntil = state === undefined ? now : local(state.lockedUntil, LONGEST_LOCK);
    // A call from the future was made before the clock was set back: when is unknown, so it counts as made now.
    this.#spent = (state?.spent ?? []).map((time) => local(time, ms(1)));
  }

  /** @returns when the next call is allowed: now, or when enough of the last minute's calls are a minute old and no lock-out lasts. */
  next(priority: Priority = "urgent"): Instant {
    const now = this.#clock.now();
    const recent = (at: Instant): boolean => after(at, WINDOW) > now;
    this.#spent = this.#spent.filter(recent);
    this.#others = this.#others.filter(recent);
    const oldest = this.#spent[this.#spent.length - this.#share(priority)];
    return Math.max(now, this.#lockedUntil, oldest === undefined ? now : after(oldest, WINDOW)) as Instant;
  }

  /** Counts a call. Before the call: one that never comes back has been counted by Google too. */
  spend(use: "refresh" | "other" = "other"): void {
    const now = this.#clock.now();
    this.#spent.push(now);
    if (use === "other") this.#others.push(now);
  }

  /** What is left of a minute for refreshes: their part, less what all else has used in the last one. */
  budget(): number {
    return this.#share("refresh") - this.others();
  }

  /** Calls of the last minute that were no refreshes. */
  others(): number {
    this.next();
    return this.#others.length;
  }

  #share(priority: Priority): number {
    return Math.max(1, Math.floor(this.limit * PART[priority]));
  }

  /** Google has refused until then. */
  lock(until: Timestamp): void {
    const wait = Math.min(LONGEST_LOCK, Math.max(0, elapsed(this.#clock.wall(), until)));
    this.#lockedUntil = Math.max(this.#lockedUntil, after(this.#clock.now(), ms(wait))) as Instant;
  }

  get locked(): boolean {
    return this.#lockedUntil > this.#clock.now();
  }

  /** Calls of the last minute, how many there may be, and when a lock-out ends (0: none). */
  report(): { readonly used: number; readonly limit: number; readonly lockedUntil: Timestamp } {
    this.next();
    return { used: this.#spent.length, limit: this.limit, lockedUntil: this.locked ? this.#wall(this.#lockedUntil) : (0 as Timestamp) };
  }

  state(): QuotaState {
    return { spent: this.#spent.map((at) => this.#wall(at)), lockedUntil: this.report().lockedUntil };
  }

  #wall(at: Instant): Timestamp {
    return later(this.#clock.wall(), ms(at - this.#clock.now()));
  }
}
