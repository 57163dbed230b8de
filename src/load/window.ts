/**
 * What is counted for one step. A request belongs to the window in which it was to be sent, however late its answer: those that are slow
 * at the end would be missing otherwise; and those that are unanswered from before it opens until its time is over. A window is over when its time is, and
 * done when its last answer has come or was given up.
 */
import { Tally, type Outcome } from "./tally.ts";

/** Takes what came of a request. @param at monotonic ms. @returns whether it counts. */
export type Recorder = (endpoint: string, outcome: Outcome, at: number) => boolean;

export class Window {
  readonly tally = new Tally();
  /** Monotonic ms: requests that are intended from here on count. */
  #opens: number;
  readonly #most: number;
  #outstanding = 0;
  #begun = 0;
  #over = false;
  readonly #done = Promise.withResolvers<void>();
  readonly #full = Promise.withResolvers<void>();

  /** @param opens Infinity: it will be told. @param most requests, after which it is full. */
  constructor(opens: number, most = Infinity) {
    this.#opens = opens;
    this.#most = most;
    if (this.isFull) this.#full.resolve();
  }

  /** The warm-up is over. */
  open(at: number): void {
    this.#opens = at;
  }

  /** @param waited late for want of a connection, which is the server's fault. @returns undefined when the request is not counted. */
  enter(intended: number, sent: number, waited: boolean): Recorder | undefined {
    if (this.#over || sent < this.#opens || this.isFull) return undefined;
    this.#begun += 1;
    if (this.isFull) this.#full.resolve();
    this.tally.slip.record(waited ? 0 : sent - intended);
    return this.#await(intended, () => true);
  }

  /**
   * A request that was sent before the window opened. If it is answered within the window's time it is none of its requests, and whoever asked goes
   * on with one that is; if not, he would be in no figure however long he waits.
   */
  adopt(intended: number): Recorder {
    return this.#await(intended, ({ fate }) => fate === "timeout" || this.#over);
  }

  #await(intended: number, counts: (outcome: Outcome) => boolean): Recorder {
    this.#outstanding += 1;
    return (endpoint, outcome, at) => {
      const isCounted = counts(outcome);
      if (isCounted) this.tally.record(endpoint, outcome, at - intended);
      this.#outstanding -= 1;
      this.#settle();
      return isCounted;
    };
  }

  /** One that is in no figure but those of its endpoint. */
  aside(endpoint: string, outcome: Outcome, latencyMs: number): void {
    this.tally.recordAside(endpoint, outcome, latencyMs);
  }

  /** An answer has come, whenever it was asked for. One that comes once the time is over is none of that time; where requests are counted there is no time. */
  came({ fate }: Outcome): void {
    if (fate === "ok" && this.#opens !== Infinity && (!this.#over || this.#most !== Infinity)) this.tally.inTime += 1;
  }

  /** Requests that count and have no answer. */
  get outstanding(): number {
    return this.#outstanding;
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
