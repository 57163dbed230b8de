/**
 * A stop is a state, not a loop: every event drives it on, and a second stop is just another event.
 *
 *   graceful   workers drain until since + gracefulTimeout; when none is left the broker drains, then the emulator, so that
 *              each finds what it still needs; `by` = since + gracefulTimeout + quickTimeout ends it all
 *   quick      everything drains until since + quickTimeout
 *   by, or a quick stop asked for twice → SIGKILL to whatever is left; the last exit → stopped, and the master's own exit
 */
import type { Role } from "../../base/protocol.ts";
import { impossible } from "../../base/never.ts";
import { after, ms, type Instant } from "../../base/units.ts";
import { dismiss, kill } from "./dismiss.ts";
import { allChildren, changed, childrenOf, find, isEmpty, put, VACANT } from "./places.ts";
import { say, span } from "./say.ts";
import { acts, each, steps, unchanged } from "./steps.ts";
import type { Decision, Event, Leaving, Master, Mode, Pid, Place, Policy } from "./model.ts";

type Stopping = Extract<Mode, { is: "stopping" }>;

export function stop(master: Master, event: Omit<Extract<Event, { type: "stop" }>, "type">, policy: Policy): Decision {
  switch (master.mode.is) {
    case "stopped":
      return unchanged(master);
    case "stopping":
      return again(master, master.mode, event, policy);
    case "running":
      return begin(master, event, policy);
    default:
      return impossible(master.mode);
  }
}

function begin(master: Master, { at, quick, exit = 0 }: Parameters<typeof stop>[1], policy: Policy): Decision {
  const by = after(at, quick ? policy.quickTimeout : ms(policy.gracefulTimeout + policy.quickTimeout));
  const lastRoll =
    master.roll === undefined
      ? master.lastRoll
      : ({ is: "rolledBack", generation: master.roll.generation, why: "the master stops" } as const);
  const text = `stopping ${quick ? "at once" : "gracefully"}: children have ${span(quick ? policy.quickTimeout : policy.gracefulTimeout)}`;
  return steps(
    { ...master, mode: { is: "stopping", quick, by, since: at, exit }, roll: undefined, lastRoll, recycles: [] },
    acts({ do: "announce", what: "stopping" }, say("info", text, { quick, exit })),
    (m) => giveUpStarting(m, at, policy),
  );
}

/** Asked again: a quick stop hurries a graceful one, and ends a quick one. Another graceful one changes nothing. */
function again(master: Master, mode: Stopping, { at, quick, exit = mode.exit }: Parameters<typeof stop>[1], policy: Policy): Decision {
  if (!quick) return unchanged(master);
  if (mode.quick)
    return steps({ ...master, mode: { ...mode, exit } }, acts(say("warn", "stopping now: what is left is killed")), (m) =>
      killAll(m, at, policy),
    );
  const by = Math.min(mode.by, after(at, policy.quickTimeout)) as Instant;
  return [{ ...master, mode: { ...mode, quick, by, exit } }, [say("info", `stopping at once: children have ${span(policy.quickTimeout)}`)]];
}

/** Children that still boot serve nobody; seats that wait for their next try stay empty. */
function giveUpStarting(master: Master, at: Instant, policy: Policy): Decision {
  const booting = allChildren(master).filter(({ child }) => child.is === "starting");
  const idle = [...master.places.values()].filter(({ incumbent }) => incumbent.is === "waiting");
  const emptied = idle.reduce((m, place) => put(m, { ...place, incumbent: VACANT }), master);
  return each(emptied, booting, (m, { child }) => killOne(m, child.pid, at, policy));
}

/** Drives the stop on: the end of its time, the next role to go, the last exit. */
export function proceed(master: Master, at: Instant, policy: Policy): Decision {
  const { mode } = master;
  if (mode.is !== "stopping") return unchanged(master);
  const order = at >= mode.by ? (m: Master) => killAll(m, at, policy) : (m: Master) => letGo(m, mode, at, policy);
  return steps(master, order, (m) => ended(m, mode));
}

/** In this order a graceful stop lets them go: each role serves those before it. */
const LEAVE: readonly Role[] = ["worker", "broker", "emulator"];

function letGo(master: Master, mode: Stopping, at: Instant, policy: Policy): Decision {
  const alive = allChildren(master).filter(({ child }) => child.is !== "killed");
  const first = LEAVE.findIndex((role) => alive.some(({ place }) => place.role === role));
  const roles = mode.quick ? LEAVE : LEAVE.slice(0, first + 1);
  const byOf = (role: Role): Instant => (role === "worker" && !mode.quick ? after(mode.since, policy.gracefulTimeout) : mode.by);
  const going = [...master.places.values()].filter((place) => roles.includes(place.role));
  return each(master, going, (m, place) => dismissAll(m, place, { at, by: byOf(place.role) }, policy));
}

function dismissAll(master: Master, place: Place, when: { at: Instant; by: Instant }, policy: Policy): Decision {
  const dismissed = childrenOf(place).map(({ child }) => dismiss(child, { ...when, why: "stop" }, policy));
  const leaving: readonly Leaving[] = dismissed.map(([leaver]) => leaver);
  const emptied = (["incumbent", "successor"] as const).reduce(
    (p, seat) => (place[seat].is === "spawning" ? p : { ...p, [seat]: VACANT }),
    place,
  );
  return [put(master, { ...emptied, leaving }), dismissed.flatMap(([, actions]) => actions)];
}

const killAll = (master: Master, at: Instant, policy: Policy): Decision =>
  each(master, allChildren(master), (m, { child }) => killOne(m, child.pid, at, policy));

function killOne(master: Master, pid: Pid, at: Instant, policy: Policy): Decision {
  const found = find(master, pid);
  if (found === undefined) return unchanged(master);
  const [killed, actions] = kill(found.child, "stop", at, policy.reapTimeout);
  return [put(master, changed(found, killed)), actions];
}

function ended(master: Master, mode: Stopping): Decision {
  if (![...master.places.values()].every(isEmpty)) return unchanged(master);
  return [
    { ...master, mode: { is: "stopped" } },
    [say("info", "stopped: every child has left", { exit: mode.exit }), { do: "exit", code: mode.exit }],
  ];
}
