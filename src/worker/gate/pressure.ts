import { between, ms, type Instant, type Ms } from "../../base/units.ts";
import type { RequestClass } from "../../base/requestclass.ts";

/**
 * How much is turned away because the event loop comes too late, as one number: 0 nothing, up to 1 a share of the exports, up to 2 all of
 * them and a share of the writes, up to 3 all of those and a share of the reads. A share, because all or nothing swings: the loop that turns
 * everything away is idle a moment later, and full again after that.
 */
export const MOST_PRESSURE = 3;

/** The loop is looked at so often. */
export const LOOK_EVERY = ms(50);
/** Its delay is the least of so many looks: what one collection of garbage or one large answer holds up is no overload. */
const LOOKS = 5;
/** A delay above this is too much, one below that is well; in between all stays as it is. */
const HIGH = ms(100);
const LOW = ms(40);
/** By how much the pressure grows and falls in a second: quickly enough for a rush, slowly enough to find the share that fits. */
const RISE = 1;
const FALL = 0.4;
/** A loop that is far too late is so more quickly. */
const STEEPEST = 4;
/** After a longer pause than this (a stopped process) nothing is concluded from it. */
const LONGEST_LOOK = ms(1_000);

/** Those that are turned away, in this order. */
const ORDER = ["export", "write", "read"] as const satisfies readonly RequestClass[];
type Sheddable = (typeof ORDER)[number];
const isSheddable = (kind: RequestClass): kind is Sheddable => (ORDER as readonly RequestClass[]).includes(kind);
/** A class that nobody asked for in so many looks is passed over: to turn it away would help nobody. */
const ABSENT = 20;

/** Turns delays of the event loop into the share of each class that is turned away. */
export class Pressure {
  #level = 0;
  #late: Ms[] = [];
  #lookedAt: Instant | undefined;
  /** Looks since each was last asked for. */
  readonly #absent: Record<Sheddable, number> = { export: ABSENT, write: ABSENT, read: ABSENT };

  get level(): number {
    return this.#level;
  }

  /** @param late by how much the loop was late when it was looked at. */
  look(late: Ms, now: Instant): void {
    const since = this.#lookedAt === undefined ? 0 : Math.min(LONGEST_LOOK, between(this.#lookedAt, now));
    this.#lookedAt = now;
    this.#late = [...this.#late.slice(1 - LOOKS), late];
    for (const kind of ORDER) this.#absent[kind] += 1;
    if (this.#late.length < LOOKS) return;
    const standing = Math.min(...this.#late);
    if (standing > HIGH) this.#rise((RISE * Math.min(STEEPEST, standing / HIGH) * since) / 1_000);
    else if (standing < LOW) this.#fall((FALL * since) / 1_000);
  }

  /** Whether it is at rest: nothing is turned away. */
  get isOff(): boolean {
    return this.#level === 0;
  }

  /** A request has come. */
  asked(kind: RequestClass): void {
    if (isSheddable(kind)) this.#absent[kind] = 0;
  }

  /** @param lot from 0 to 1, by chance. Logins, health checks and the operator are never turned away. */
  sheds(kind: RequestClass, lot: number): boolean {
    return isSheddable(kind) && lot < this.#level - ORDER.indexOf(kind);
  }

  #rise(by: number): void {
    const from = Math.floor(this.#level);
    const next = ORDER.findIndex((kind, at) => at >= from && this.#absent[kind] < ABSENT);
    if (next < 0) return;
    this.#level = Math.min(MOST_PRESSURE, Math.max(this.#level, next) + by);
  }

  #fall(by: number): void {
    const level = Math.max(0, this.#level - by);
    // Below its own band it goes on in that of the next class that is asked for.
    const band = ORDER.findLastIndex((kind, at) => at < Math.ceil(this.#level) && this.#absent[kind] < ABSENT);
    this.#level = band < 0 ? 0 : Math.min(level, Math.max(band + 1 - by, 0));
  }
}
