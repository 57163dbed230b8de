/**
 * The master's loop: next event → decide → perform → publish → arm the timer. It judges nothing; between taking an event
 * and performing its actions it never awaits. `spawn` is answered before any other event is taken.
 */
import { messageOf } from "../../base/errors.ts";
import { impossible } from "../../base/never.ts";
import type { FromChild, Health, ToChild } from "../../base/protocol.ts";
import type { SlotsState } from "../../base/slots.ts";
import type { Instant, Ms } from "../../base/units.ts";
import { decide } from "../core/decide.ts";
import { nextDeadline } from "../core/deadline.ts";
import type { Death } from "../core/death.ts";
import { initialMaster, type Action, type Event, type Master, type Pid } from "../core/model.ts";
import { find } from "../core/places.ts";
import { createAgenda, type Agenda } from "./agenda.ts";
import type { Examined } from "./autopsy/examiner.ts";
import { createExaminations } from "./autopsy/examinations.ts";
import { logOutput } from "./childlog.ts";
import { createBalance } from "./balance.ts";
import { send, unheardOf, watchChild, type Child } from "./children.ts";
import { collapsing } from "./collapse.ts";
import { createDeaths, type Deaths } from "./deaths.ts";
import { createOomWatch, type OomWatch } from "./oomkills.ts";
import type { Pulse } from "./watchdog.ts";
import type { World } from "./world.ts";

export interface Arbiter {
  feed(event: Unstamped): void;
  readonly state: () => Master;
  /** What systemd's watchdog is fed by. */
  readonly pulse: () => Pulse;
  readonly children: ReadonlyMap<number, Child>;
  readonly agenda: Agenda;
  readonly deaths: Deaths;
  readonly oom: OomWatch;
  /** What a broker reported last of the slots; undefined: none has yet. */
  readonly slots: () => SlotsState | undefined;
  /** Looks inside a child from outside; the caller releases it, or kills it. @returns undefined when there is no such child. */
  look(pid: Pid, budget: Ms): Promise<Examined> | undefined;
  /** Sends the state of the whole to every worker. */
  publish(health: Health): void;
  tellAll(message: ToChild): void;
}

export type Unstamped = Event extends infer E ? (E extends { at: Instant } ? Omit<E, "at"> : never) : never;

/** On the master's own lines `pid` is the master's: a child's stands beside it. */
function aboutChild(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { pid, ...rest } = fields;
  return pid === undefined ? rest : { ...rest, child: pid };
}

export function createArbiter(world: World, seed: number): Arbiter {
  const { clock, log } = world;
  const children = new Map<number, Child>();
  const queue: Event[] = [];
  const say = collapsing(log);
  const oom = createOomWatch();
  const deaths = createDeaths({ log, clock, oom, say });
  let state = initialMaster(seed);
  let slots: SlotsState | undefined;
  let running = false;
  let decidedAt = clock.now();

  const stamp = (event: Unstamped): Event => ({ ...event, at: clock.now() });

  const feed = (event: Unstamped): void => {
    if (event.type === "recycle") noteRecycle(event);
    queue.push(stamp(event));
    if (running) return; // an action's answer, or a signal in between: taken in its turn
    running = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) take(next);
    } finally {
      running = false;
    }
    world.changed(state);
    agenda.arm();
    decidedAt = clock.now();
  };

  /** The core forgets the reason when the replacement is ready; the death's name needs it. */
  const noteRecycle = ({ place, pid, why }: Extract<Unstamped, { type: "recycle" }>): void => {
    const incumbent = state.places.get(place)?.incumbent;
    if (incumbent?.is === "ready" && incumbent.pid === (pid ?? incumbent.pid))
      withChild(incumbent.pid, (child) => void (child.recycle = why));
  };

  const take = (event: Event): void => {
    const [next, actions] = decide(state, event, world.policy());
    state = next;
    const answers = actions.flatMap((action) => perform(action));
    queue.unshift(...answers.map(stamp));
  };

  const perform = (action: Action): Unstamped[] => {
    switch (action.do) {
      case "spawn":
        return [spawn(action)];
      case "drain":
        withChild(action.pid, (child) => send(child, { type: "drain", within: action.within, last: action.why === "stop" }));
        return [];
      case "probe":
        withChild(action.pid, (child) => send(child, { type: "probe", within: action.within }));
        return [];
      case "kill":
        withChild(action.pid, ({ process }) => void process.kill("SIGKILL"));
        return [];
      case "examine":
        examine(action.pid, action.budget);
        return [];
      case "announce":
        world.announce(action.what, state);
        return [];
      case "log":
        say(action.level, aboutChild(action.fields), action.text);
        if (action.level === "fatal") world.fatal(action.text);
        return [];
      case "exit":
        agenda.stop();
        world.exit(action.code);
        return [];
      default:
        return impossible(action);
    }
  };

  const withChild = (pid: Pid, use: (child: Child) => void): void => {
    const child = children.get(pid);
    if (child !== undefined) use(child);
  };

  const spawn = ({ place, role, nr, seat, generation }: Extract<Action, { do: "spawn" }>): Unstamped => {
    try {
      const configure = world.configure(role, nr, generation);
      const process = world.fork(role, nr, generation);
      const pid = process.pid as Pid;
      const former = children.get(pid);
      if (former !== undefined) conclude(former, former.process.exitCode, former.process.signalCode); // its exit is about to be reported
      const output = logOutput(log, { role, slot: nr, generation, pid }, process);
      const child = unheardOf({
        pid,
        place,
        role,
        nr,
        generation,
        process,
        output,
        startedAt: clock.now(),
        beatEvery: configure.beatEvery,
        beatTimeout: world.beatTimeout(generation),
        inspectable: world.inspectable(generation),
      });
      children.set(pid, child);
      watchChild(child, log, { message: (from, said) => void (children.get(pid) === from && heard(from, said)), exited });
      send(child, configure);
      world.lend(child);
      return { type: "spawned", place, seat, pid, generation, beatTimeout: child.beatTimeout };
    } catch (error) {
      return { type: "spawnFailed", place, seat, message: messageOf(error) };
    }
  };

  const heard = (child: Child, message: FromChild): void => {
    switch (message.type) {
      case "ready":
        if (find(state, child.pid)?.child.is === "starting") world.born(child);
        return feed({ type: "ready", pid: child.pid });
      case "beat":
        if (child.role !== "emulator") world.totals.add(child.pid, message); // it is Google here: its requests are not ours
        world.beat(child, message);
        child.lastBeat = message;
        child.lastBeatAt = clock.now();
        if (child.role === "broker") slots = message.slots ?? slots; // a worker runs foreign code
        child.warned = false;
        if (child.role === "worker") balance.changed();
        return feed({ type: "beat", pid: child.pid });
      case "holds":
        child.staying = message.connections;
        child.full = message.full;
        child.churnsAt = message.churns ? clock.now() : undefined;
        return balance.changed();
      case "handles":
        child.handlesSignal = true;
        return;
      case "worn":
        child.worn = message.served;
        return world.worn(child);
      case "bind":
        return child.role === "worker" ? world.further.lend(child, message.id, message.address) : undefined;
      case "unbind":
        return world.further.returned(child, message.address);
      case "probed":
        return feed({ type: "probed", pid: child.pid, ok: message.ok, message: message.message });
      case "drained":
        child.drainedBy = message.by;
        return; // its exit follows
      case "fatal":
        child.fatal = { exit: message.exit, code: message.code, message: message.message };
        return;
      case "told":
        return child.role === "broker" ? world.told(message) : undefined; // applications are not asked
      case "wants":
        for (const role of world.rolesForTables()) feed({ type: "need", role });
        return;
      default:
        return impossible(message);
    }
  };

  const exited = (child: Child, code: number | null, signal: NodeJS.Signals | null): void => {
    if (children.get(child.pid) !== child) return; // the kernel has given its pid to a newer one: see spawn()
    const { name } = conclude(child, code, signal);
    feed({ type: "exited", pid: child.pid, code, signal, fatal: child.fatal, gentle: name === "operator" });
  };

  const conclude = (child: Child, code: number | null, signal: NodeJS.Signals | null): Death => {
    children.delete(child.pid);
    balance.changed();
    world.totals.forget(child.pid);
    if (child.fatal !== undefined && !state.booted) world.fatal(child.fatal.message);
    const death = deaths.note(child, find(state, child.pid)?.child, { code, signal });
    world.died(child, death);
    return death;
  };

  const { look, examine } = createExaminations({ log, clock, children, state: () => state, feed });
  const balance = createBalance({ clock, children, state: () => state });
  const agenda = createAgenda({
    clock,
    deadline: () => nextDeadline(state),
    tick: (late) => feed({ type: "tick", late }),
    failed: (error) =>
      log.error({ err: error }, `a regular job of the master fails (a fault of drover: please report it): ${messageOf(error)}`),
  });

  const tellAll = (message: ToChild): void => {
    for (const child of children.values()) send(child, message);
  };
  return {
    feed,
    children,
    agenda,
    deaths,
    oom,
    slots: () => slots,
    look,
    state: () => state,
    pulse: () => ({ decidedAt, deadline: nextDeadline(state) }),
    tellAll,
    publish: (health) => {
      for (const child of children.values()) if (child.role === "worker") send(child, { type: "health", health });
    },
  };
}
