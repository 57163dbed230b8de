import { after, type Instant } from "../../base/units.ts";
import { newPlace } from "./places.ts";
import { say } from "./say.ts";
import { open, resize } from "./scale.ts";
import { steps, unchanged } from "./steps.ts";
import { placeId, type Action, type Decision, type Event, type Master, type Policy } from "./model.ts";

/**
 * The services first: whoever needs them finds their place when it looks. They and the first worker are started at once, the
 * others when that one is ready, and few at a time: clients may be waiting, and the first of N that share the CPUs would be as late as the
 * last. What is slow for other reasons than the CPU is not waited for longer than the head start.
 */
export function start(master: Master, event: Extract<Event, { type: "start" }>, policy: Policy): Decision {
  if (master.target > 0) return [master, [say("warn", "started already: the second start is ignored")]];
  const services = (["emulator", "broker"] as const).filter((role) => event.roles.includes(role));
  return steps(
    { ...master, ahead: policy.headStart > 0 ? after(event.at, policy.headStart) : undefined },
    (m) => [services.reduce((made, role) => open(made, newPlace(role, 0, made.generation)), m), []],
    (m) => resize(m, event.workers, event.at, policy),
  );
}

/** The head start is over, by its time or because all are ready: whoever is left starts at once. */
export function follow(master: Master, at: Instant): Decision {
  if (master.ahead === undefined || (at < master.ahead && !master.booted)) return unchanged(master);
  return [{ ...master, ahead: undefined }, []];
}

/** Starts the one child of a role, unless it is there. */
export function need(master: Master, event: Extract<Event, { type: "need" }>): Decision {
  if (event.role === "worker" || master.places.has(placeId(event.role, 0))) return unchanged(master);
  const told = say("info", `the ${event.role} is needed: it is started`, { place: placeId(event.role, 0) });
  return [open(master, newPlace(event.role, 0, master.generation)), [told]];
}

/** Says that everything is ready, once, the first time it is. From then on nothing that fails to boot ends the master. */
export function booted(master: Master): Decision {
  const places = [...master.places.values()];
  if (master.booted || places.length === 0 || !places.every((place) => place.closing || place.incumbent.is === "ready"))
    return unchanged(master);
  const workers = places.filter((place) => place.role === "worker" && !place.closing).length;
  const actions: Action[] = [{ do: "announce", what: "ready" }, say("info", `ready: ${workers} workers serve`, { workers })];
  if (master.roll !== undefined) actions.push({ do: "announce", what: "reloading" }); // asked for meanwhile, begins now
  return [{ ...master, booted: true }, actions];
}
