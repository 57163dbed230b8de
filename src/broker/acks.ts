/** Who has seen which rows. An answer to a writer waits for all readers, so that whoever is asked next knows the write. */
import { after, between, ms, type Instant, type Ms } from "../base/units.ts";
import type { Clock } from "../base/clock.ts";

/** No answer waits longer for a reader. One that took longer is waited for again once it has acknowledged something. */
const PATIENCE = ms(50);
/** A wait that ends later than this was no wait: our own loop stood still, and what readers have said meanwhile is not read yet. */
const OWN_DELAY = ms(10);
/** So often a wait is begun again for that. */
const MOST_AGAIN = 4;

/** One reader: a worker's connection. */
export interface Reader {
  saw(table: string, version: number): void;
  leave(): void;
}

interface Known {
  readonly versions: Map<string, number>;
  late: boolean;
}

interface Waiter {
  readonly table: string;
  readonly version: number;
  readonly done: () => void;
}

export class Acks {
  readonly #clock: Clock;
  readonly #readers = new Set<Known>();
  readonly #waiters = new Set<Waiter>();
  /** Readers that a broker before this one had, and until when they are waited for. */
  #expected = 0;
  #settlesAt: Instant;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#settlesAt = clock.now();
  }

  /** How many there are. */
  get readers(): number {
    return this.#readers.size;
  }

  /** From now on so many readers come that another broker had, and show what that one told them: until they have, no answer is given. */
  settle(expected: number, within: Ms): void {
    this.#expected = expected;
    this.#settlesAt = after(this.#clock.now(), within);
  }

  join(): Reader {
    const known: Known = { versions: new Map(), late: false };
    this.#readers.add(known);
    return {
      saw: (table, version) => {
        known.late = false;
        known.versions.set(table, Math.max(version, known.versions.get(table) ?? 0));
        this.#settle();
      },
      leave: () => {
        this.#readers.delete(known);
        this.#settle();
      },
    };
  }

  /**
   * @returns when every reader that answers has seen this version of the table, or a later one; at the latest after 50 ms in which this process
   * ran, or when those that were expected have had their time.
   */
  reached(table: string, version: number): Promise<void> {
    if (this.#have(table, version)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter: Waiter = { table, version, done };
      const wait = (again: number): NodeJS.Timeout => {
        const patience = this.#patience();
        const due = after(this.#clock.now(), patience);
        return setTimeout(() => {
          if (again < MOST_AGAIN && between(due, this.#clock.now()) > OWN_DELAY) return void (timer = wait(again + 1));
          for (const known of this.#missing(table, version)) known.late = true;
          done();
        }, patience);
      };
      let timer = wait(0);
      this.#waiters.add(waiter);
    });
  }

  #patience(): Ms {
    return this.#settling() ? ms(Math.max(PATIENCE, between(this.#clock.now(), this.#settlesAt))) : PATIENCE;
  }

  #settling(): boolean {
    if (this.#readers.size >= this.#expected || this.#clock.now() >= this.#settlesAt) this.#expected = 0;
    return this.#expected > 0;
  }

  #have(table: string, version: number): boolean {
    return !this.#settling() && this.#missing(table, version).length === 0;
  }

  #missing(table: string, version: number): readonly Known[] {
    return [...this.#readers].filter(({ late, versions }) => !late && (versions.get(table) ?? -1) < version);
  }

  #settle(): void {
    for (const { table, version, done } of this.#waiters) if (this.#have(table, version)) done();
  }
}
