/**
 * The closed model: N users; each waits for the answer, thinks, and sends again. They and their
 * connections live from step to step; a smaller step closes those with the highest numbers.
 * Each user is waiting (with a timer), sending, or resting.
 */
import { actionsOf, type Action } from "../../../load/traffic.ts";
import { pick, random, type Random } from "./random.ts";
import type { Recorder } from "./recorder.ts";
import { User, type EngineOptions } from "./user.ts";

/** ms. A user who does not think and is refused at once would do nothing else. */
const AFTER_FAILURE = 10;

/** From half of the mean to one and a half, equally likely. */
export const pause = (meanMs: number, chance: Random): number => meanMs * (0.5 + chance());

/** Mean pause before a request; before the first one of an action also the rest. */
const pauseBefore = ({ thinkMs, restMs = 0 }: Action, isFirst: boolean): number =>
  thinkMs + (isFirst ? restMs : 0);

interface Member {
  readonly user: User;
  readonly actions: readonly Action[];
  state: "waiting" | "sending" | "resting";
  timer: NodeJS.Timeout | undefined;
  action: Action;
  /** Requests of the action. */
  left: number;
}

export class Users {
  readonly #options: EngineOptions;
  readonly #recorder: Recorder;
  readonly #members = new Map<number, Member>();
  #wanted = 0;
  #isResting = false;

  constructor(options: EngineOptions, recorder: Recorder) {
    this.#options = options;
    this.#recorder = recorder;
  }

  resize(users: number): void {
    this.#wanted = users;
    this.#isResting = false;
    for (const [number, member] of this.#members)
      if (number >= users && member.state !== "sending") this.#remove(number, member);
    for (let number = 0; number < users; number += 1) {
      const member = this.#members.get(number) ?? this.#add(number);
      if (member.state === "resting") this.#start(number, member);
    }
  }

  /** No user sends until the next `resize`; connections are kept. */
  rest(): void {
    this.#isResting = true;
    for (const member of this.#members.values()) {
      clearTimeout(member.timer);
      if (member.state === "waiting") member.state = "resting";
    }
  }

  /** Breaks the connections of requests in flight. */
  close(): void {
    this.rest();
    for (const [number, member] of this.#members) this.#remove(number, member);
  }

  #add(number: number): Member {
    const { traffic, seed } = this.#options;
    const user = new User(this.#options, this.#recorder, number, random(seed, number));
    const actions = actionsOf(traffic, number);
    const [action] = actions as [Action];
    const member: Member = { user, actions, state: "resting", timer: undefined, action, left: 0 };
    this.#members.set(number, member);
    return member;
  }

  #remove(number: number, member: Member): void {
    clearTimeout(member.timer);
    member.user.close();
    this.#members.delete(number);
  }

  /** In the middle of an action: users who begin together would stay in step. */
  #start(number: number, member: Member): void {
    const { chance } = member.user;
    member.action = pick(member.actions, chance);
    member.left = Math.ceil(member.action.requests * chance());
    const isFirst = member.left === member.action.requests;
    this.#wait(number, member, pauseBefore(member.action, isFirst) * chance());
  }

  #wait(number: number, member: Member, time: number): void {
    const dueAt = performance.now() + time;
    member.state = "waiting";
    if (time <= 0) return void this.#send(number, member, dueAt);
    member.timer = setTimeout(() => void this.#send(number, member, dueAt), time);
  }

  async #send(number: number, member: Member, dueAt: number): Promise<void> {
    if (!this.#recorder.mayBegin()) {
      member.state = "resting";
      return;
    }
    member.state = "sending";
    const outcome = await member.user.ask(dueAt);
    member.state = "resting";
    if (this.#isResting) return;
    if (number >= this.#wanted) return this.#remove(number, member);
    if (member.left <= 1) {
      member.action = pick(member.actions, member.user.chance);
      member.left = member.action.requests;
    } else member.left -= 1;
    const isFirst = member.left === member.action.requests;
    const time = pause(pauseBefore(member.action, isFirst), member.user.chance);
    this.#wait(number, member, outcome === "ok" ? time : Math.max(AFTER_FAILURE, time));
  }
}
