/** Requests that were sent and have no answer yet. */
import type { Outcome } from "./tally.ts";
import type { Recorder, Window } from "./window.ts";

/** A request as it leaves. Times are monotonic ms. */
export interface Sent {
  readonly endpoint: string;
  readonly intended: number;
  readonly at: number;
  /** Late for want of a connection, which is the server's fault. */
  readonly waited: boolean;
  /** Counted whenever it is made, if only among its own kind. */
  readonly login: boolean;
}

interface Flight {
  readonly sent: Sent;
  /** undefined: it was sent before the window opened, or after its time. */
  record: Recorder | undefined;
}

export class UnderWay {
  readonly #flights = new Set<Flight>();
  #window: Window | undefined;

  get size(): number {
    return this.#flights.size;
  }

  /** From now on requests are this window's, if it is open. */
  count(window: Window | undefined): void {
    this.#window = window;
  }

  /** The warm-up is over. What was asked in it and has no answer yet is the window's, if it stays without one. */
  open(at: number): void {
    this.#window?.open(at);
    for (const flight of this.#flights) flight.record ??= this.#window?.adopt(flight.sent.intended);
  }

  /** @returns what to call with the outcome. */
  begin(sent: Sent): (outcome: Outcome) => void {
    const flight: Flight = { sent, record: this.#window?.enter(sent.intended, sent.at, sent.waited) };
    this.#flights.add(flight);
    return (outcome) => {
      this.#flights.delete(flight);
      const now = performance.now();
      const isCounted = flight.record?.(sent.endpoint, outcome, now) === true;
      if (sent.login && !isCounted) this.#window?.aside(sent.endpoint, outcome, now - sent.intended);
      this.#window?.came(outcome);
    };
  }
}
