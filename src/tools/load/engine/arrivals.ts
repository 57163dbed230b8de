/**
 * The open model: requests arrive at a rate, whether or not those before are answered (a Poisson
 * process). Each takes a free connection, or a new one up to a bound; beyond it requests queue
 * here, and their latency counts from when they were due. Times are monotonic milliseconds.
 */
import { random, type Random } from "./random.ts";
import type { Recorder } from "./recorder.ts";
import { User, type EngineOptions } from "./user.ts";

/** ms until the next arrival. @param perSecond above 0. */
export const untilNext = (perSecond: number, chance: Random): number =>
  (-Math.log(1 - chance()) * 1_000) / perSecond;

export class Arrivals {
  readonly #options: EngineOptions;
  readonly #recorder: Recorder;
  readonly #chance: Random;
  /** Which endpoint is next, apart from when: the same whichever connection is free. */
  readonly #choice: Random;
  readonly #users: User[] = [];
  readonly #free: User[] = [];
  #perSecond = 0;
  #nextAt = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #peak = 0;
  #wasShort = false;

  constructor(options: EngineOptions, recorder: Recorder) {
    this.#options = options;
    this.#recorder = recorder;
    this.#chance = random(options.seed, -1);
    this.#choice = random(options.seed, -2);
  }

  /** Most connections in use at once since `forget`. */
  get peak(): number {
    return this.#peak;
  }

  /** Whether more connections were needed than are allowed, since `forget`. */
  get isShort(): boolean {
    return this.#wasShort || (this.#isFull && this.#nextAt <= performance.now());
  }

  /** Requests that are due and wait for a connection. */
  get queued(): number {
    const late = performance.now() - this.#nextAt;
    return this.#isFull && late > 0 ? Math.round((late / 1_000) * this.#perSecond) : 0;
  }

  /** The warm-up is over. */
  forget(): void {
    this.#peak = this.#inUse;
    this.#wasShort = false;
  }

  retune(perSecond: number): void {
    const now = performance.now();
    const wait = this.#nextAt - now;
    if (perSecond === 0) this.#nextAt = Infinity;
    else if (this.#perSecond === 0) this.#nextAt = now + untilNext(perSecond, this.#chance);
    else if (wait > 0) this.#nextAt = now + (wait * this.#perSecond) / perSecond;
    this.#perSecond = perSecond;
    this.#arm();
  }

  /** Discards queued requests: they belong to a step that is over, and would be late in the next. */
  discard(): void {
    const now = performance.now();
    if (this.#nextAt > now) return;
    this.#nextAt = now + untilNext(this.#perSecond, this.#chance);
    this.#arm();
  }

  /** Breaks the connections of requests in flight. */
  close(): void {
    this.retune(0);
    for (const user of this.#users) user.close();
  }

  get #inUse(): number {
    return this.#users.length - this.#free.length;
  }

  get #isFull(): boolean {
    return this.#inUse >= this.#options.connections;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#nextAt === Infinity) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(0, this.#nextAt - performance.now()));
  }

  /** @param isQueued a connection has become free for which requests waited. */
  #due(isQueued = false): void {
    while (this.#nextAt <= performance.now()) {
      if (!this.#recorder.mayBegin()) return this.retune(0);
      if (this.#isFull) {
        this.#wasShort = true;
        return; // the next answer goes on
      }
      void this.#send(this.#free.pop() ?? this.#add(), this.#nextAt, isQueued);
      this.#nextAt += untilNext(this.#perSecond, this.#chance);
    }
    this.#arm();
  }

  #add(): User {
    const user = new User(this.#options, this.#recorder, this.#users.length, this.#choice);
    this.#users.push(user);
    return user;
  }

  async #send(user: User, dueAt: number, isQueued: boolean): Promise<void> {
    this.#peak = Math.max(this.#peak, this.#inUse);
    await user.ask(dueAt, isQueued);
    const wasFull = this.#isFull;
    this.#free.push(user);
    if (wasFull && this.#nextAt <= performance.now()) this.#due(true);
  }
}
