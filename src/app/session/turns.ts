/** Passwords are hashed one after the other in each worker: a room that logs in must not push everything else out of the thread. */
import { ms, type Ms } from "../../base/units.ts";

/** Waiting at a time: what comes later is told when to come back. */
const MOST = 128;
/** Of one hash, before any was measured. */
const GUESS = 300;

/** Too many wait. */
export interface Busy {
  readonly is: "busy";
  readonly retryAfter: Ms;
}

export class Turns {
  readonly #now: () => number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #took = GUESS;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Does `work` when all that came before is done, or not at all when its client has gone. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | Busy> {
    if (this.#waiting >= MOST) return { is: "busy", retryAfter: ms(this.#waiting * this.#took) };
    this.#waiting += 1;
    const turn = this.#last.then(async () => {
      signal.throwIfAborted();
      const from = this.#now();
      const done = await work();
      this.#took += (this.#now() - from - this.#took) / 4;
      return done;
    });
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}
