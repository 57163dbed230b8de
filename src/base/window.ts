/**
 * Counters over sliding windows, bounded in memory. A window is cut into slices, and a slice counts until the youngest moment in it is
 * out of the window: at no time are there more than the limit within any window's length, and a place is free again at most a
 * twelfth of it late. A limit with a burst is counted by a token bucket instead (bucket.ts).
 */
import { Bucket } from "./bucket.ts";
import { ms, type Instant, type Ms } from "./units.ts";

const SLICES = 12;
/** Counters of one family. One that was not used for longest is forgotten first. */
const MOST_KEYS = 10_000;
const MOST_FAMILIES = 16;

/** A limit: `most` in any span of `per`; with a burst, a bucket of `burst` tokens that gains `most` in each `per`. */
export interface Limit<Per = Ms> {
  readonly most: number;
  readonly per: Per;
  readonly burst?: number;
}

/** A counted deed, `times` over. */
export interface Counted extends Limit {
  readonly key: string;
  readonly times: number;
}

/** What a counter needs to know of a counted deed. `refill`: the counter is a token bucket that gains this number in each `per`. */
export interface Tally {
  readonly key: string;
  readonly per: Ms;
  readonly times: number;
  readonly refill?: number;
}

/** The most that a limit admits at once. */
export const roomOf = ({ most, burst }: Limit<unknown>): number => burst ?? most;

export const tallyOf = ({ key, most, per, burst, times }: Counted): Tally => ({
  key,
  per,
  times,
  ...(burst === undefined ? {} : { refill: most }),
});

/** What a counter stands at. */
export interface Level {
  readonly used: number;
  /** Until nothing counts any more; 0: nothing does. */
  readonly resetIn: Ms;
  /** Until there is room for `times` more; 0: there is. A whole window when they are more than fit into one. */
  readonly waits: Ms;
}

/** A counter on its way to another process: counts, and how long ago they were. */
export interface CounterState {
  readonly key: string;
  readonly per: Ms;
  readonly refill?: number;
  readonly counts: readonly (readonly [ago: Ms, n: number])[];
}

export interface Counter {
  readonly per: Ms;
  /** Of a token bucket. */
  readonly refill: number | undefined;
  used(now: Instant): number;
  add(n: number, now: Instant): void;
  /** Takes back the newest. */
  remove(n: number, now: Instant): void;
  resetIn(now: Instant): Ms;
  /** Until there is room for `times` more, of which at most `room` fit. */
  waits(times: number, room: number, now: Instant): Ms;
  counts(now: Instant): CounterState["counts"];
}

class Sliding implements Counter {
  readonly per: Ms;
  readonly refill = undefined;
  readonly #slice: number;
  /** Of slice `#head - i` at place `i`. */
  #counts: number[] = [];
  #head = Number.NEGATIVE_INFINITY;

  constructor(per: Ms) {
    this.per = per;
    this.#slice = per / SLICES;
  }

  used(now: Instant): number {
    this.#turn(now);
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  add(n: number, now: Instant): void {
    this.#turn(now);
    this.#counts[0] = (this.#counts[0] ?? 0) + n;
  }

  remove(n: number, now: Instant): void {
    this.#turn(now);
    let left = n;
    this.#counts = this.#counts.map((count) => {
      const taken = Math.min(count, left);
      left -= taken;
      return count - taken;
    });
  }

  resetIn(now: Instant): Ms {
    this.#turn(now);
    const newest = this.#counts.findIndex((count) => count > 0);
    return newest < 0 ? ms(0) : this.#ends(newest, now);
  }

  waits(times: number, room: number, now: Instant): Ms {
    const wanted = this.used(now) + times - room;
    if (wanted <= 0) return ms(0);
    let freed = 0;
    for (let i = this.#counts.length - 1; i >= 0; i -= 1) {
      freed += this.#counts[i] ?? 0;
      if (freed >= wanted) return this.#ends(i, now);
    }
    return this.per;
  }

  counts(now: Instant): CounterState["counts"] {
    this.#turn(now);
    return this.#counts.flatMap((n, i) => (n > 0 ? [[ms(Math.max(0, now - (this.#head - i + 1) * this.#slice)), n] as const] : []));
  }

  #ends(place: number, now: Instant): Ms {
    return ms(Math.max(1, Math.ceil((this.#head - place + 1 + SLICES) * this.#slice - now)));
  }

  #turn(now: Instant): void {
    const head = Math.floor(now / this.#slice);
    const steps = head - this.#head;
    if (steps <= 0) return;
    this.#head = head;
    this.#counts = steps > SLICES ? [] : [...Array.from({ length: steps }, () => 0), ...this.#counts].slice(0, SLICES + 1);
  }
}

/** Counters by key. A key's family is what stands before its second colon: a flood of keys pushes out those of its own family alone. */
export class Windows {
  readonly #families = new Map<string, Map<string, Counter>>();
  readonly #mostKeys: number;

  constructor(mostKeys = MOST_KEYS) {
    this.#mostKeys = mostKeys;
  }

  get size(): number {
    let size = 0;
    for (const family of this.#families.values()) size += family.size;
    return size;
  }

  /** How a counter stands, for one who wants `times` more. */
  level(counted: Counted, now: Instant): Level {
    const { times } = counted;
    const room = roomOf(counted);
    const counter = this.#find(tallyOf(counted));
    const waits = times > room ? counted.per : (counter?.waits(times, room, now) ?? ms(0));
    return { used: counter?.used(now) ?? 0, resetIn: counter?.resetIn(now) ?? ms(0), waits };
  }

  add(tally: Tally, now: Instant): void {
    const { key, per, refill, times } = tally;
    const family = this.#family(key);
    const counter = this.#find(tally) ?? (refill === undefined ? new Sliding(per) : new Bucket(per, refill));
    counter.add(times, now);
    family.delete(key);
    family.set(key, counter);
    if (family.size <= this.#mostKeys) return;
    const [oldest] = family.keys();
    if (oldest !== undefined) family.delete(oldest);
  }

  remove(tally: Tally, now: Instant): void {
    this.#find(tally)?.remove(tally.times, now);
  }

  /** Forgets counters at which nothing counts any more. */
  sweep(now: Instant): void {
    for (const family of this.#families.values()) for (const [key, counter] of family) if (counter.used(now) === 0) family.delete(key);
  }

  state(now: Instant): CounterState[] {
    return [...this.#families.values()].flatMap((family) =>
      [...family]
        .map(([key, counter]) => ({ ...kindOf(counter), key, counts: counter.counts(now) }))
        .filter(({ counts }) => counts.length > 0),
    );
  }

  /** Goes on from another's state. @param age how old that is. */
  restore(states: readonly CounterState[], age: Ms, now: Instant): void {
    for (const { key, per, refill, counts } of states)
      for (const [ago, n] of counts.toReversed()) {
        if (refill === undefined) {
          if (ago + age < per) this.add({ key, per, times: n }, (now - ago - age) as Instant);
        } else {
          const left = n - ((ago + age) * refill) / per;
          if (left > 0) this.add({ key, per, refill, times: left }, now);
        }
      }
  }

  /** Another length, or rate of refill, is another counter: the setting was changed. */
  #find({ key, per, refill }: Omit<Tally, "times">): Counter | undefined {
    const counter = this.#families.get(familyOf(key))?.get(key) ?? this.#families.get(OTHER)?.get(key);
    return counter?.per === per && counter.refill === refill ? counter : undefined;
  }

  #family(key: string): Map<string, Counter> {
    const name = familyOf(key);
    const known = this.#families.get(name) ?? (this.#families.size >= MOST_FAMILIES ? this.#families.get(OTHER) : undefined);
    if (known !== undefined) return known;
    const fresh = new Map<string, Counter>();
    this.#families.set(this.#families.size >= MOST_FAMILIES ? OTHER : name, fresh);
    return fresh;
  }
}

const kindOf = ({ per, refill }: Counter): Pick<Tally, "per" | "refill"> => (refill === undefined ? { per } : { per, refill });

const OTHER = "";
const familyOf = (key: string): string => key.split(":", 2).join(":");
