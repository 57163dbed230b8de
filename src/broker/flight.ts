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
}

class Flight<T> {
  readonly #port: FlightPort<T>;
  readonly #patience: Ms;
  readonly #calls = new Set<AbortController>();
  #overtaker: AbortController | undefined;
  #last: Instant;
  #cancel: (() => void) | undefined;
  readonly landed = Promise.withResolvers<Landing<T>>();

  constructor(port: FlightPort<T>, patience: Ms) {
    this.#port = port;
    this.#patience = patience;
    this.#last = port.clock.now();
    void this.#launch();
    this.#watch();
  }

  #watch(): void {
    const { alarm, clock, mayOvertake, overdue } = this.#port;
    this.#cancel = alarm(after(clock.now(), this.#patience), () => {
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
    this.#calls.add(controller);
    void call(controller.signal)
      .catch((e: unknown): Outcome<T> => ({ is: "malformed", message: messageOf(e) }))
      .then((outcome) => this.#ended(controller, { outcome, began, last: this.#last }));
    return controller;
  }

  /** What says nothing of Google waits for the other call, if there is one. */
  #ended(controller: AbortController, landing: Landing<T>): void {
    this.#calls.delete(controller);
    if (landing.outcome.is === "unavailable" && this.#calls.size > 0) return;
    this.#cancel?.();
    this.landed.resolve({ ...landing, last: this.#last });
    for (const other of this.#calls) other.abort();
    this.#calls.clear();
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
