import assert from "node:assert/strict";
import type { Role } from "../../../src/base/protocol.ts";
import { after, between, ms, seconds, type Instant, type Ms } from "../../../src/base/units.ts";
import { nextDeadline } from "../../../src/master/core/deadline.ts";
import { decide } from "../../../src/master/core/decide.ts";
import { initialMaster } from "../../../src/master/core/model.ts";
import type { Action, Event, Fatal, Master, Pid, Place, PlaceId, Policy, Seat, Slot } from "../../../src/master/core/model.ts";

export const POLICY: Policy = {
  bootTimeout: seconds(60),
  bootGrace: ms(0),
  headStart: ms(0),
  bootsAtOnce: 100,
  bootPace: seconds(1),
  beatTimeout: seconds(30),
  gracefulTimeout: seconds(30),
  rollSettle: ms(0),
  probe: undefined,
  examineBudget: seconds(1),
  examineLongest: seconds(1),
  reapTimeout: seconds(5),
  quickTimeout: seconds(5),
  crashLimit: { crashes: 3, within: seconds(60), unborn: 3 },
  backoff: { base: seconds(1), max: seconds(30), alone: seconds(8), served: seconds(5) },
  minWorkers: 1,
  maxWorkers: 8,
};

export type Unstamped = Event extends infer E ? (E extends { at: Instant } ? Omit<E, "at"> : never) : never;

/** A process that was forked and has not ended. */
export interface Process {
  readonly pid: Pid;
  readonly place: PlaceId;
  readonly generation: number;
  /** Was sent SIGKILL: it ends at the next reap(). */
  killed: boolean;
  drained: Ms | undefined;
}

export interface Options extends Partial<Policy> {
  readonly seed?: number;
  /** Sees every decision: what the invariants are checked on. */
  readonly watch?: (before: Master, event: Event, after: Master, actions: readonly Action[]) => void;
}

/** A supervisor with no processes and no timers: the shell's part is played here, in the shell's own order. */
export class World {
  policy: Policy;
  readonly processes = new Map<Pid, Process>();
  readonly actions: Action[] = [];
  readonly history: Event[] = [];
  now = 1_000 as Instant;
  master: Master;
  /** How many of the next forks fail. */
  forksFail = 0;
  readonly #watch: NonNullable<Options["watch"]>;
  #lastPid = 100;
  #nextBeat = 0 as Instant;

  constructor({ seed = 1, watch = () => {}, ...policy }: Options = {}) {
    this.policy = { ...POLICY, ...policy };
    this.master = initialMaster(seed);
    this.#watch = watch;
  }

  /** What a reload changes. */
  setPolicy(policy: Partial<Policy>): void {
    this.policy = { ...this.policy, ...policy };
  }

  feed(event: Unstamped): void {
    const queue: Unstamped[] = [event];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const stamped = { ...next, at: this.now } as Event;
      this.history.push(stamped);
      const before = this.master;
      const [master, actions] = decide(before, stamped, this.policy);
      this.master = master;
      this.#watch(before, stamped, master, actions);
      queue.unshift(...actions.flatMap((action) => this.#perform(action)));
    }
  }

  #perform(action: Action): Unstamped[] {
    this.actions.push(action);
    switch (action.do) {
      case "spawn":
        return [this.#fork(action)];
      case "kill":
        this.#alive(action.pid, "kill").killed = true;
        return [];
      case "drain":
        this.#alive(action.pid, "drain").drained = action.within;
        return [];
      case "probe":
        this.#alive(action.pid, "probe");
        return [];
      case "examine":
        this.#alive(action.pid, "examine");
        return [];
      default:
        return [];
    }
  }

  #fork({ place, seat, generation }: Extract<Action, { do: "spawn" }>): Unstamped {
    if (this.forksFail > 0) {
      this.forksFail -= 1;
      return { type: "spawnFailed", place, seat, message: "EAGAIN" };
    }
    const pid = (this.#lastPid += 1) as Pid;
    this.processes.set(pid, { pid, place, generation, killed: false, drained: undefined });
    return { type: "spawned", place, seat, pid, generation, beatTimeout: this.policy.beatTimeout };
  }

  #alive(pid: Pid, what: string): Process {
    const process = this.processes.get(pid);
    assert.ok(process, `${what} of pid ${pid}, which is not there`);
    return process;
  }

  start(workers: number, ...roles: Role[]): this {
    this.feed({ type: "start", roles: ["worker", ...roles], workers });
    return this;
  }

  /** Every child that starts becomes ready; and whoever is started thereby. */
  bootAll(): this {
    for (let next = this.starting()[0]; next !== undefined; next = this.starting()[0]) this.feed({ type: "ready", pid: next });
    return this;
  }

  place(id: PlaceId): Place {
    const place = this.master.places.get(id);
    assert.ok(place, `there is no ${id}`);
    return place;
  }

  pid(id: PlaceId, seat: Seat = "incumbent"): Pid {
    const slot = this.place(id)[seat];
    assert.ok("pid" in slot, `${id}'s ${seat} is ${slot.is}`);
    return slot.pid;
  }

  slots(): Slot[] {
    return [...this.master.places.values()].flatMap((place) => [place.incumbent, place.successor, ...place.leaving]);
  }

  pids(is: Slot["is"]): Pid[] {
    return this.slots().flatMap((slot) => (slot.is === is && "pid" in slot ? [slot.pid] : []));
  }

  starting = (): Pid[] => this.pids("starting");

  ready(pid: Pid): void {
    this.feed({ type: "ready", pid });
  }

  /** The canary that is on trial answers its probe. */
  probed(ok: boolean, message = ok ? "GET / was answered with 200" : "GET / was answered with 500"): void {
    for (const pid of this.pids("trial")) this.feed({ type: "probed", pid, ok, message });
  }

  beat(...pids: Pid[]): void {
    for (const pid of pids) this.feed({ type: "beat", pid });
  }

  exit(pid: Pid, how: { code?: number; signal?: string; fatal?: Fatal } = {}): void {
    assert.ok(this.processes.delete(pid), `pid ${pid} ended twice`);
    const { signal = null, fatal } = how;
    this.feed({ type: "exited", pid, code: signal === null ? (how.code ?? 1) : null, signal, fatal });
  }

  /** The kernel ends what was killed. */
  reap(): this {
    for (const { pid, killed } of this.processes.values()) if (killed) this.exit(pid, { signal: "SIGKILL" });
    return this;
  }

  /** Every child that was asked to go leaves. */
  leave(): this {
    for (const pid of this.pids("draining")) this.exit(pid, { code: 0 });
    return this;
  }

  /** Time passes; the timer fires on time at every deadline, `beating` children beat in time, killed ones are reaped at once. */
  advance(by: Ms, beating: "all" | readonly Pid[] = []): this {
    const until = after(this.now, by);
    for (;;) {
      const due = Math.min(nextDeadline(this.master) ?? Infinity, this.#nextBeat);
      if (due > until) break;
      this.now = Math.max(due, this.now) as Instant;
      if (this.now >= this.#nextBeat) {
        const pids = [...this.pids("trial"), ...this.pids("ready"), ...this.pids("examined")];
        this.beat(...pids.filter((pid) => beating === "all" || beating.includes(pid)));
        this.#nextBeat = after(this.now, ms(this.policy.beatTimeout / 3));
      }
      this.feed({ type: "tick", late: ms(0) });
      this.reap();
    }
    this.now = until;
    return this;
  }

  /** The machine sleeps: the timer fires late, once. */
  sleep(by: Ms): this {
    const due = nextDeadline(this.master) ?? this.now;
    this.now = after(this.now, by);
    this.feed({ type: "tick", late: ms(Math.max(0, between(due, this.now))) });
    return this;
  }

  of<K extends Action["do"]>(kind: K): Extract<Action, { do: K }>[] {
    return this.actions.filter((action): action is Extract<Action, { do: K }> => action.do === kind);
  }

  /** "worker/0 1" for each spawn: place and generation. Forgets what happened so far. */
  spawned(): string[] {
    const list = this.of("spawn").map(({ place, generation }) => `${place} ${generation}`);
    this.actions.length = 0;
    return list;
  }

  logged(text: RegExp): number {
    return this.of("log").filter((line) => text.test(line.text)).length;
  }
}

export const world = (options?: Options): World => new World(options);

/** A world whose first boot is over. */
export const booted = (workers: number, options?: Options, ...roles: Role[]): World =>
  world(options)
    .start(workers, ...roles)
    .bootAll();
