/**
 * A call to Google, and what overtakes it: one that has had no answer for long is not waited for alone. Another begins beside it, and
 * a new one in place of that each time as long has passed again; whichever is answered first counts for all. So a connection that
 * hangs delays rows by one such time, not by the whole timeout, and an answer that merely takes long still comes.
 */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { after, type Instant, type Ms } from "../base/units.ts";
import type { Alarm } from "./alarm.ts";
import type { Outcome } from "./upstream.ts";

export interface FlightPort<T> {
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** Makes one call. Aborted, it may end as it likes. */
  call(signal: AbortSignal): Promise<Outcome<T>>;
  /** Whether another call may be made now. */
  mayOvertake(): boolean;
  /** There was no answer for so long. */
  overdue(): void;
}

export interface Landing<T> {
  readonly outcome: Outcome<T>;
  /** When the call began that this is the outcome of. */
  readonly began: Instant;
  /** When the last one did. */
  readonly last: Instant;
  /** How many there were. */
  readonly attempts: number;
}

class Flight<T> {
  readonly #port: FlightPort<T>;
  readonly #patience: Ms;
  readonly #under = new Set<AbortController>();
  readonly #main: AbortController;
  #overtaker: AbortController | undefined;
  #attempts = 0;
  #last: Instant;
  /** What came of the first call, if that was nothing. */
  #failed: Pick<Landing<T>, "outcome" | "began"> | undefined;
  #cancel: (() => void) | undefined;
  readonly landed = Promise.withResolvers<Landing<T>>();

  constructor(port: FlightPort<T>, patience: Ms) {
    this.#port = port;
    this.#patience = patience;
    this.#last = port.clock.now();
    this.#main = this.#launch();
    this.#watch();
  }

  #watch(): void {
    const { alarm, clock, mayOvertake, overdue } = this.#port;
    this.#cancel = alarm(after(clock.now(), this.#patience), () => {
      if (this.#failed !== undefined) return this.#land(this.#failed);
      overdue();
      this.#overtaker?.abort();
      if (mayOvertake()) this.#overtaker = this.#launch();
      this.#watch();
    });
  }

  #launch(): AbortController {
    const { clock, call } = this.#port;
    const began = clock.now();
    const controller = new AbortController();
    this.#last = began;
    this.#attempts += 1;
    this.#under.add(controller);
    void call(controller.signal)
      .catch((e: unknown): Outcome<T> => ({ is: "malformed", message: messageOf(e) }))
      .then((outcome) => this.#ended(controller, { outcome, began }));
    return controller;
  }

  /** What says nothing of Google waits for the other call, if there is one. */
  #ended(controller: AbortController, end: Pick<Landing<T>, "outcome" | "began">): void {
    this.#under.delete(controller);
    if (end.outcome.is !== "unavailable" || this.#under.size === 0) return this.#land(end);
    if (controller === this.#main) this.#failed = end;
  }

  #land(end: Pick<Landing<T>, "outcome" | "began">): void {
    this.#cancel?.();
    this.landed.resolve({ ...end, last: this.#last, attempts: this.#attempts });
    for (const other of this.#under) other.abort();
    this.#under.clear();
  }
}

/** @param patience how long a call may be without an answer before another is made. @returns what came of it: never rejects. */
export const fly = <T>(port: FlightPort<T>, patience: Ms): Promise<Landing<T>> => new Flight(port, patience).landed.promise;

/** How long answers have taken lately. */
export class Latency {
  readonly #recent: number[] = [];

  took(time: Ms): void {
    this.#recent.push(time);
    if (this.#recent.length > KEPT) this.#recent.shift();
  }

  /** The slowest of the last few. */
  get slowest(): Ms {
    return Math.max(...this.#recent, this.#recent.length === 0 ? UNKNOWN : 0) as Ms;
  }
}

const KEPT = 8;
/** Before there was an answer: a token has to be fetched, too. */
const UNKNOWN = 1_500;
