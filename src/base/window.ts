/**
 * Counters over sliding windows, bounded in memory. A window is cut into slices, and a slice counts until the youngest moment in it is
 * out of the window: at no time are there more than the limit within any window's length, and a place is free again at most a
 * twelfth of it late.
 */
import { ms, type Instant, type Ms } from "./units.ts";

const SLICES = 12;
/** Counters of one family. One that was not used for longest is forgotten first. */
const MOST_KEYS = 10_000;
const MOST_FAMILIES = 16;

/** A counted deed, `times` over. */
export interface Counted {
  readonly key: string;
  readonly most: number;
  readonly per: Ms;
  readonly times: number;
}

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
  readonly counts: readonly (readonly [ago: Ms, n: number])[];
}

class Counter {
  readonly per: Ms;
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

  /** Takes back the newest. */
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

  /** Until so many have gone out of the window. */
  freed(wanted: number, now: Instant): Ms {
    this.#turn(now);
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
  level({ key, most, per, times }: Counted, now: Instant): Level {
    const counter = this.#find(key, per);
    if (counter === undefined) return { used: 0, resetIn: ms(0), waits: times > most ? per : ms(0) };
    const used = counter.used(now);
    return { used, resetIn: counter.resetIn(now), waits: times > most ? per : counter.freed(used + times - most, now) };
  }

  add(key: string, per: Ms, times: number, now: Instant): void {
    const family = this.#family(key);
    const counter = this.#find(key, per) ?? new Counter(per);
    counter.add(times, now);
    family.delete(key);
    family.set(key, counter);
    if (family.size <= this.#mostKeys) return;
    const [oldest] = family.keys();
    if (oldest !== undefined) family.delete(oldest);
  }

  remove(key: string, per: Ms, times: number, now: Instant): void {
    this.#find(key, per)?.remove(times, now);
  }

  /** Forgets counters at which nothing counts any more. */
  sweep(now: Instant): void {
    for (const family of this.#families.values()) for (const [key, counter] of family) if (counter.used(now) === 0) family.delete(key);
  }

  state(now: Instant): CounterState[] {
    return [...this.#families.values()].flatMap((family) =>
      [...family]
        .map(([key, counter]) => ({ key, per: counter.per, counts: counter.counts(now) }))
        .filter(({ counts }) => counts.length > 0),
    );
  }

  /** Goes on from another's state. @param age how old that is. */
  restore(states: readonly CounterState[], age: Ms, now: Instant): void {
    for (const { key, per, counts } of states)
      for (const [ago, n] of counts.toReversed()) if (ago + age < per) this.add(key, per, n, (now - ago - age) as Instant);
  }

  /** Another length is another counter: the setting was changed. */
  #find(key: string, per: Ms): Counter | undefined {
    const counter = this.#families.get(familyOf(key))?.get(key) ?? this.#families.get(OTHER)?.get(key);
    return counter?.per === per ? counter : undefined;
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

const OTHER = "";
const familyOf = (key: string): string => key.split(":", 2).join(":");
