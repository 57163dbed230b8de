/**
 * What is counted for one step. A request belongs to the window in which it was to be sent, however late its answer: those that are slow
 * at the end would be missing otherwise. A window is over when its time is, and done when its last answer has come or was given up.
 */
import { Tally, type Outcome } from "./tally.ts";

export class Window {
  readonly tally = new Tally();
  /** Monotonic ms: requests that are intended from here on count. */
  readonly #opens: number;
  readonly #most: number;
  #outstanding = 0;
  #begun = 0;
  #over = false;
  readonly #done = Promise.withResolvers<void>();
  readonly #full = Promise.withResolvers<void>();

  /** @param most requests, after which it is full. */
  constructor(opens: number, most = Infinity) {
    this.#opens = opens;
    this.#most = most;
    if (this.isFull) this.#full.resolve();
  }

  /** @param waited late for want of a connection, which is the server's fault. @returns what to call with the outcome, or undefined when the request is not counted. */
  enter(intended: number, sent: number, waited: boolean): ((endpoint: string, outcome: Outcome, at: number) => void) | undefined {
    if (this.#over || intended < this.#opens || this.isFull) return undefined;
    this.#begun += 1;
    this.#outstanding += 1;
    if (this.isFull) this.#full.resolve();
    this.tally.slip.record(waited ? 0 : sent - intended);
    return (endpoint, outcome, at) => {
      this.tally.record(endpoint, outcome, at - intended);
      this.#outstanding -= 1;
      this.#settle();
    };
  }

  /** An answer has come, whenever it was asked for. One that comes once the time is over is none of that time; where requests are counted there is no time. */
  came({ fate }: Outcome): void {
    if (fate === "ok" && (!this.#over || this.#most !== Infinity)) this.tally.inTime += 1;
  }

  get isFull(): boolean {
    return this.#begun >= this.#most;
  }

  /** As many requests have begun as were wanted. */
  get full(): Promise<void> {
    return this.#full.promise;
  }

  /** Nothing more enters. @returns when everything that entered has ended. */
  close(): Promise<void> {
    this.#over = true;
    this.#settle();
    return this.#done.promise;
  }

  #settle(): void {
    if (this.#over && this.#outstanding === 0) this.#done.resolve();
  }
}
