/**
 * Passwords are verified one at a time in each worker, so that a rush of logins does not keep everything else out of its thread. Their turns
 * are fair by address and by name (fair-queue.ts).
 *
 *   take ─→ waiting ─ its turn ─→ working ─→ done
 *     │        ├─ its client disconnects ─→ gone: costs no turn
 *     │        └─ displaced by another address ─→ busy
 *     └─ no room ─→ busy
 *
 * Known and unknown names are told apart by nothing here: both wait in the same queue, and both cost the same scrypt (verify.ts). An answer
 * after a made-up delay would leave the thread free, which other logins of the same moment could measure. What an address may cost is bounded
 * by its budget instead (tries.ts), which is charged when the turn comes and before the name is looked at.
 */
import { ms, type Ms } from "../../base/units.ts";
import { FairQueue, type Origin } from "./fair-queue.ts";

const BOUNDS = { most: 128, perAddress: 96 } as const;
/** Duration of one hash before any was measured, in ms. */
const GUESS = 300;

/** Too many wait. */
export interface Busy {
  readonly is: "busy";
  readonly retryAfter: Ms;
}

interface Waiting {
  readonly work: () => Promise<void>;
  readonly refuse: () => void;
}

export class Turns {
  readonly #now: () => number;
  readonly #queue = new FairQueue<Waiting>(BOUNDS);
  #isWorking = false;
  #took = GUESS;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Does `work` when its turn comes.
   * @param origin by which turns are fair. @param signal aborts the wait when the client disconnects. @throws the signal's reason, and what
   * `work` throws.
   */
  take<T>(work: () => Promise<T>, origin: Origin, signal: AbortSignal): Promise<T | Busy> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const gone = (): void => {
        if (this.#queue.remove(waiting, origin)) reject(signal.reason as Error);
      };
      const settle = (): void => signal.removeEventListener("abort", gone);
      const refuse = (): void => {
        settle();
        resolve(this.#busy(origin));
      };
      const waiting: Waiting = { work: () => (settle(), work().then(resolve, reject)), refuse };
      signal.addEventListener("abort", gone, { once: true });
      const queued = this.#queue.push(waiting, origin);
      if (queued.is === "full") return refuse();
      queued.displaced?.refuse();
      this.#next();
    });
  }

  #next(): void {
    const next = this.#isWorking ? undefined : this.#queue.shift();
    if (next === undefined) return;
    this.#isWorking = true;
    const from = this.#now();
    void next.work().then(() => {
      this.#took += (this.#now() - from - this.#took) / 4;
      this.#isWorking = false;
      this.#next();
    });
  }

  #busy({ address }: Origin): Busy {
    return { is: "busy", retryAfter: ms(Math.max(1, this.#queue.ahead(address)) * this.#took) };
  }
}
