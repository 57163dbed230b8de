/**
 * The closed model: so many users at once, each of whom waits for the answer, thinks, and asks again. They stay from step to step; of a
 * smaller crowd those with the highest numbers go, after their answer.
 */
import { pause } from "./pacing.ts";
import { pick, random } from "./random.ts";
import { actionsOf, type Action } from "./traffic.ts";
import { User, type Scene } from "./user.ts";

/** Users of the n-th of several threads are numbered n, n + threads, n + 2 × threads …: who a user is does not depend on the threads. */
export interface Numbering {
  readonly seed: number;
  readonly thread: number;
  readonly threads: number;
}

/** Who is refused at once and does not think would do nothing but be refused. */
const AFTER_FAILURE = 10;

/** An action begins after a rest. */
const pauseBefore = ({ thinkMs, restMs = 0 }: Action, isFirst: boolean): number => thinkMs + (isFirst ? restMs : 0);

export class Crowd {
  readonly #scene: Scene;
  readonly #numbering: Numbering;
  readonly #living = new Map<number, Promise<void>>();
  readonly #sleepers = new Set<() => void>();
  /** Who rests: connection and cookies are kept. */
  readonly #resting = new Map<number, User>();
  #rests = false;
  #wanted = 0;

  constructor(scene: Scene, numbering: Numbering) {
    this.#scene = scene;
    this.#numbering = numbering;
  }

  /** @param users at once, of this thread, from now on. */
  resize(users: number): void {
    const fewer = users < this.#wanted;
    this.#wanted = users;
    if (fewer) for (const wake of this.#sleepers) wake();
    for (const [index, user] of this.#resting) {
      if (index < users) continue;
      user.close();
      this.#resting.delete(index);
    }
    for (let index = 0; index < users; index += 1) {
      if (!this.#living.has(index)) this.#living.set(index, this.#live(index));
    }
  }

  /** Nobody asks until the next `resize`. @returns when the last answer has come. */
  async rest(): Promise<void> {
    this.#rests = true;
    this.resize(0);
    await Promise.all(this.#living.values());
    this.#rests = false;
  }

  /** @returns when the last one has gone. */
  async end(): Promise<void> {
    this.#rests = false;
    this.resize(0);
    await Promise.all(this.#living.values());
  }

  async #live(index: number): Promise<void> {
    const user = this.#userAt(index);
    const actions = actionsOf(this.#scene.traffic, this.#numberOf(index));
    let action = pick(actions, user.chance);
    let left = Math.ceil(action.requests * user.chance()); // in the middle of it: a crowd that begins together would stay in step
    let due = performance.now() + pauseBefore(action, left === action.requests) * user.chance();
    while ((await this.#until(due, index)) && index < this.#wanted && this.#scene.mayAsk()) {
      const fate = await user.ask(due);
      if (left <= 1) {
        action = pick(actions, user.chance);
        left = action.requests;
      } else left -= 1;
      const wait = pause(pauseBefore(action, left === action.requests), user.chance);
      due = performance.now() + (fate === "ok" ? wait : Math.max(AFTER_FAILURE, wait));
    }
    if (this.#rests) this.#resting.set(index, user);
    else user.close();
    this.#living.delete(index);
  }

  #userAt(index: number): User {
    const rested = this.#resting.get(index);
    this.#resting.delete(index);
    const number = this.#numberOf(index);
    return rested ?? new User(this.#scene, number, random(this.#numbering.seed, number));
  }

  #numberOf(index: number): number {
    const { thread, threads } = this.#numbering;
    return index * threads + thread;
  }

  /** @returns false when this user is to go. */
  async #until(due: number, index: number): Promise<boolean> {
    while (index < this.#wanted) {
      const wait = due - performance.now();
      if (wait <= 0) return true;
      await this.#sleep(wait);
    }
    return false;
  }

  #sleep(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, wait);
      this.#sleepers.add(wake);
    });
  }
}
