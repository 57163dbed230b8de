import { impossible } from "../../base/never.ts";
import { beat, ready, report, spawned, spawnFailed } from "./child.ts";
import { exited } from "./exited.ts";
import { memory } from "./memory.ts";
import { tick } from "./overdue.ts";
import { nextRecycle, recycle } from "./recycle.ts";
import { relieve } from "./restart.ts";
import { advance, reload } from "./roll.ts";
import { dropEmpty, resize } from "./scale.ts";
import { fill } from "./spawn.ts";
import { booted, follow, need, start } from "./start.ts";
import { steps, unchanged } from "./steps.ts";
import { proceed, stop } from "./stop.ts";
import { probed } from "./trial.ts";
import type { Decision, Event, Master, Policy } from "./model.ts";

/**
 * The whole supervisor. Reads no clock and touches no process: what it is told and what it answers are plain data. Every
 * event is answered in every state; the same state and event always give the same answer.
 * The shell performs the actions in order and answers each `spawn` with `spawned` or `spawnFailed` before any other event.
 */
export function decide(master: Master, event: Event, policy: Policy): Decision {
  if (master.mode.is === "stopped") return unchanged(master);
  const [next, actions] = answer(master, event, policy);
  // Time alone may move a stop on; otherwise what changed nothing has no consequences.
  if (next === master && event.type !== "tick") return [master, actions];
  const [settled, more] = settle(next, event, policy);
  return [settled, [...actions, ...more]];
}

function answer(master: Master, event: Event, policy: Policy): Decision {
  switch (event.type) {
    case "start":
      return master.mode.is === "running" ? start(master, event, policy) : unchanged(master);
    case "spawned":
      return spawned(master, event, policy);
    case "spawnFailed":
      return spawnFailed(master, event, policy);
    case "ready":
      return ready(master, event, policy);
    case "beat":
      return beat(master, event, policy);
    case "probed":
      return probed(master, event, policy);
    case "report":
      return report(master, event, policy);
    case "exited":
      return exited(master, event, policy);
    case "tick":
      return tick(master, event, policy);
    case "stop":
      return stop(master, event, policy);
    case "memory":
      return memory(master, event.short);
    case "reload":
    case "scale":
    case "grow":
    case "shrink":
    case "recycle":
    case "need":
      return command(master, event, policy);
    default:
      return impossible(event);
  }
}

type Command = Extract<Event, { type: "reload" | "scale" | "grow" | "shrink" | "recycle" | "need" }>;

/** What may be asked of a master that runs. Before its start and once it stops, these change nothing. */
function command(master: Master, event: Command, policy: Policy): Decision {
  if (master.mode.is !== "running" || master.target === 0) return unchanged(master);
  switch (event.type) {
    case "reload":
      return steps(
        master,
        (m) => (event.workers === undefined ? unchanged(m) : resize(m, event.workers, event.at, policy)),
        (m) => reload(m, event.at, policy),
      );
    case "scale":
      return resize(master, event.to, event.at, policy);
    case "grow":
      return resize(master, master.target + 1, event.at, policy);
    case "shrink":
      return resize(master, master.target - 1, event.at, policy);
    case "recycle":
      return recycle(master, event, policy);
    case "need":
      return need(master, event);
    default:
      return impossible(event);
  }
}

/** Draws the consequences: what follows from the state alone, whatever the event was. */
function settle(master: Master, { at }: Event, policy: Policy): Decision {
  if (master.mode.is !== "running") return proceed(master, at, policy);
  return steps(
    master,
    dropEmpty,
    booted,
    (m) => advance(m, at, policy),
    (m) => nextRecycle(m, at, policy),
    (m) => follow(m, at),
    (m) => relieve(m, at, policy),
    (m) => fill(m, policy),
    (m) => proceed(m, at, policy),
  );
}
