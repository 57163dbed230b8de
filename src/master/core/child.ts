/** What a child, or the shell on its behalf, says while it lives. */
import { after, ms } from "../../base/units.ts";
import { kill } from "./dismiss.ts";
import { exited } from "./exited.ts";
import { changed, find, newPlace, put, VACANT } from "./places.ts";
import { crashed, hasServed } from "./restart.ts";
import { sayOf, span } from "./say.ts";
import { acts, steps, unchanged } from "./steps.ts";
import { promote, succeeding, successorLost } from "./succession.ts";
import { onTrial, tried } from "./trial.ts";
import type { Child, Decision, Event, Master, Place, PlaceId, Policy, Seat } from "./model.ts";
import type { Role } from "../../base/protocol.ts";

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

/** The answer to a spawn. A child that is no longer wanted, or never was, is killed and watched until it is gone. */
export function spawned(master: Master, event: Of<"spawned">, policy: Policy): Decision {
  const { at, pid, generation, beatTimeout } = event;
  if (find(master, pid) !== undefined) {
    // The kernel gave a number again whose first bearer's end has not been heard of: it has ended.
    const end = { type: "exited", at, pid, code: null, signal: null, fatal: undefined } as const;
    return steps(
      master,
      (m) => exited(m, end, policy),
      (m) => spawned(m, event, policy),
    );
  }
  const place = master.places.get(event.place) ?? strange(event.place);
  const readyBy = after(at, ms(policy.bootTimeout + policy.bootGrace));
  const crowdsUntil = place.role === "worker" && event.seat === "incumbent" ? after(at, policy.bootPace) : undefined;
  const child: Child = { is: "starting", pid, generation, beatTimeout, readyBy, crowdsUntil };
  if (wanted(master, place, event.seat)) return [put(master, { ...place, [event.seat]: child, startedAt: at }), []];
  const [killed, actions] = kill(child, "abandoned", at, policy.reapTimeout);
  const emptied = place[event.seat].is === "spawning" ? { ...place, [event.seat]: VACANT } : place;
  return [put(master, { ...emptied, leaving: [...place.leaving, killed] }), actions];
}

function strange(id: PlaceId): Place {
  const [role, nr] = id.split("/");
  return { ...newPlace(role as Role, Number(nr), 0), closing: true };
}

const wanted = (master: Master, place: Place, seat: Seat): boolean =>
  master.mode.is === "running" && !place.closing && place[seat].is === "spawning" && (seat === "incumbent" || succeeding(master, place));

/** The other answer to a spawn. The system refuses to fork: trying again at once would only load it more. */
export function spawnFailed(master: Master, event: Of<"spawnFailed">, policy: Policy): Decision {
  const place = master.places.get(event.place);
  if (place === undefined || place[event.seat].is !== "spawning") return unchanged(master);
  const emptied: Place = { ...place, [event.seat]: VACANT, startedAt: event.at };
  const told = sayOf("error", emptied, VACANT, `can't be started: ${event.message}`);
  return steps(put(master, emptied), acts(told), (m) => {
    if (m.mode.is !== "running" || place.closing) return unchanged(m);
    if (event.seat === "incumbent") return crashed(m, emptied, { at: event.at, wait: true }, policy);
    return successorLost(m, emptied, `its successor can't be started: ${event.message}`, { at: event.at, policy });
  });
}

export function ready(master: Master, event: Of<"ready">, policy: Policy): Decision {
  const found = find(master, event.pid);
  if (found === undefined) return unchanged(master);
  const { place, where, child } = found;
  if (child.is !== "starting") return beat(master, event, policy);
  if (where === "successor")
    return onTrial(master, place, policy) ? tried(master, place, child, event.at, policy) : promote(master, place, child, event.at, policy);
  const { pid, generation, beatTimeout } = child;
  const next: Child = { is: "ready", pid, generation, beatTimeout, since: event.at, beatBy: after(event.at, beatTimeout) };
  return [put(master, changed(found, next)), [sayOf("info", place, next, "is ready")]];
}

/** A sign of life of a child's own loop. Only a ready one owes it; one that was being examined has recovered. */
export function beat(master: Master, { at, pid }: { readonly at: Event["at"]; readonly pid: Child["pid"] }, policy: Policy): Decision {
  const found = find(master, pid);
  if (found === undefined) return unchanged(master);
  const { place, child } = found;
  if (child.is !== "trial" && child.is !== "ready" && child.is !== "examined") return unchanged(master);
  const { generation, beatTimeout } = child;
  const beatBy = after(at, beatTimeout);
  if (child.is === "trial") return [put(master, changed(found, { ...child, beatBy })), []];
  const next: Child = { is: "ready", pid, generation, beatTimeout, since: child.since, beatBy };
  const alive: Place = { ...changed(found, next), backoffs: hasServed(next, at, policy) ? 0 : place.backoffs };
  return [put(master, alive), child.is === "examined" ? [sayOf("warn", place, next, "beats again: it is left alone")] : []];
}

/**
 * What the examination of a silent child found: it is killed. Its last beat may have come first: then it isn't. Nor is one that
 * the machine starves, the first time: a replacement would starve as well, and boot on top of it.
 */
export function report(master: Master, { at, pid, verdict, starved = false }: Of<"report">, policy: Policy): Decision {
  const found = find(master, pid);
  if (found?.child.is !== "examined") return unchanged(master);
  if (starved && found.child.spared === undefined) {
    const { examineBy: _, ...rest } = found.child;
    const grace = ms(found.child.beatTimeout / 3);
    const next: Child = { ...rest, is: "ready", beatBy: after(at, grace), spared: true };
    return [put(master, changed(found, next)), [sayOf("warn", found.place, next, `is left alone for ${span(grace)}, once: ${verdict}`)]];
  }
  const [killed, actions] = kill(found.child, "stuck", at, policy.reapTimeout);
  return [
    put(master, changed(found, killed)),
    [sayOf("error", found.place, found.child, `is stuck and is killed: ${verdict}`), ...actions],
  ];
}
