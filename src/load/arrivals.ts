/**
 * The open model: requests come at a rate, whether or not those before are answered. Each takes a connection that is free, or one more,
 * up to a bound; beyond it requests wait here, and their latency counts from when they were to be sent.
 */
import { untilNext } from "./pacing.ts";
import { random, type Random } from "./random.ts";
import type { Numbering } from "./crowd.ts";
import { User, type Scene } from "./user.ts";

export class Arrivals {
  readonly #scene: Scene;
  readonly #numbering: Numbering;
  readonly #chance: Random;
  readonly #free: User[] = [];
  readonly #going = new Set<Promise<void>>();
  readonly #most: number;
  #users = 0;
  #perSecond = 0;
  #next = Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** Which endpoint is next, apart from when: the same whichever connection is free. */
  readonly #choice: Random;
  /** Most requests under way at once: the connections that were used. */
  peak = 0;
  #wasCapped = false;

  constructor(scene: Scene, numbering: Numbering, most: number) {
    this.#most = most;
    this.#scene = scene;
    this.#numbering = numbering;
    this.#chance = random(numbering.seed, -1 - 2 * numbering.thread);
    this.#choice = random(numbering.seed, -2 - 2 * numbering.thread);
  }

  /** What was seen until now belongs to the warm-up. */
  forget(): void {
    this.peak = this.#going.size;
    this.#wasCapped = false;
  }

  /** One more connection was wanted than is allowed. */
  get capped(): boolean {
    return this.#wasCapped || (this.#users >= this.#most && this.#free.length === 0 && this.#next <= performance.now());
  }

  /** @param perSecond of this thread, from now on. */
  retune(perSecond: number): void {
    const from = performance.now();
    const wait = this.#next - from;
    // What was left to wait, at the new rate.
    if (perSecond === 0) this.#next = Infinity;
    else if (this.#perSecond === 0) this.#next = from + untilNext(perSecond, this.#chance);
    else if (wait > 0) this.#next = from + (wait * this.#perSecond) / perSecond;
    this.#perSecond = perSecond;
    this.#arm();
  }

  /** How many were to be sent by now and wait for a connection. */
  get behind(): number {
    return this.#next === Infinity ? 0 : Math.max(0, ((performance.now() - this.#next) / 1_000) * this.#perSecond);
  }

  /** What is due and was not sent is left out: it belongs to a step that is over, and would be late in the next. */
  drop(): void {
    const now = performance.now();
    if (this.#next > now) return;
    this.#next = now + untilNext(this.#perSecond, this.#chance);
    this.#arm();
  }

  /** Nothing more is sent until the next rate. @returns when the last answer has come. */
  async rest(): Promise<void> {
    this.retune(0);
    await Promise.all(this.#going);
  }

  async end(): Promise<void> {
    await this.rest();
    for (const user of this.#free) user.close();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#next !== Infinity) this.#timer = setTimeout(() => this.#due(), Math.max(0, this.#next - performance.now()));
  }

  /** @param freed somebody's answer has come, for which requests waited: that they are late is not the generator's fault. */
  #due(freed = false): void {
    while (this.#next <= performance.now()) {
      if (!this.#scene.mayAsk()) return this.retune(0);
      const user = this.#free.pop() ?? this.#another();
      if (user === undefined) return; // whoever is answered next goes on
      this.#send(user, this.#next, freed);
      this.#next += untilNext(this.#perSecond, this.#chance);
    }
    this.#arm();
  }

  #another(): User | undefined {
    const { thread, threads } = this.#numbering;
    const number = this.#users * threads + thread;
    if (this.#users >= this.#most) {
      this.#wasCapped = true;
      return undefined;
    }
    this.#users += 1;
    return new User(this.#scene, number, this.#choice);
  }

  #send(user: User, due: number, freed: boolean): void {
    const asked = user.ask(due, freed).then(() => {
      this.#going.delete(asked);
      const full = this.#free.length === 0 && this.#users >= this.#most;
      this.#free.push(user);
      if (full && this.#next <= performance.now()) this.#due(true);
    });
    this.#going.add(asked);
    this.peak = Math.max(this.peak, this.#going.size);
  }
}
