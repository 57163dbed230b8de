import { after, type Instant } from "../../base/units.ts";
import { dismiss, vacate } from "./dismiss.ts";
import { recent } from "./intensity.ts";
import { changed, draining, put } from "./places.ts";
import { nameOf, say } from "./say.ts";
import { spawn } from "./spawn.ts";
import { acts, each, steps, unchanged } from "./steps.ts";
import type { Decision, Event, Master, Place, PlaceId, Policy } from "./model.ts";

type Asked = Extract<Event, { type: "recycle" }>;

/** Queues the replacement of one place's child; asking again changes nothing. */
export function recycle(master: Master, event: Asked, policy: Policy): Decision {
  const place = master.places.get(event.place);
  const refusal = refused(master, place, event.at, policy);
  if (refusal !== undefined)
    return [master, [say("debug", `${event.place} is not recycled (${event.why}): ${refusal}`, { place: event.place })]];
  if (master.recycles.some((one) => one.place === event.place)) return unchanged(master);
  return [{ ...master, recycles: [...master.recycles, { place: event.place, why: event.why }] }, []];
}

function refused(master: Master, place: Place | undefined, at: Instant, policy: Policy): string | undefined {
  if (place === undefined || place.closing) return "there is no such place";
  if (!master.booted) return "the first boot is not over";
  if (master.memoryShort) return "memory is short";
  if (master.roll?.left.includes(place.id)) return "the roll replaces it anyway";
  // A replacement that can't boot would otherwise be asked for, and fail, at every beat.
  if (recent(place.crashes, at, policy.crashLimit).length >= Math.max(1, policy.crashLimit.crashes)) return "it crashed too often of late";
  return undefined;
}

/** Takes the queue's head: at most one replacement at a time, and none beside a roll or while memory is short. */
export function nextRecycle(master: Master, at: Instant, policy: Policy): Decision {
  const head = master.recycles[0];
  if (head === undefined || master.roll !== undefined || !master.booted) return unchanged(master);
  const place = master.places.get(head.place);
  if (place !== undefined && place.successor.is !== "vacant") return unchanged(master); // under way
  const replaceable = place !== undefined && !place.closing && place.incumbent.is === "ready";
  if (!replaceable) return nextRecycle(dropRecycle(master, head.place), at, policy); // gone, or being replaced already
  if (master.memoryShort || draining(place) > 0) return unchanged(master);
  const told = say("info", `${nameOf(place)} is recycled: ${head.why}`, { place: place.id, generation: place.generation });
  if (place.role !== "emulator") return steps(master, acts(told), (m) => spawn(m, place, "successor", place.generation));
  return steps(
    master,
    acts(told),
    (m) => oldBeforeNew(m, place, at, policy),
    (m) => nextRecycle(m, at, policy),
  );
}

/** Two emulators can't hold one state on disk: this one leaves its seat only by its exit, and is then started again. */
function oldBeforeNew(master: Master, place: Place, at: Instant, policy: Policy): Decision {
  const child = place.incumbent;
  if (child.is !== "ready") return unchanged(master);
  const [leaver, actions] = dismiss(child, { at, by: after(at, policy.gracefulTimeout), why: "recycle" }, policy);
  return [put(dropRecycle(master, place.id), changed({ place, where: "incumbent", child }, leaver)), actions];
}

export const dropRecycle = (master: Master, id: PlaceId): Master => ({
  ...master,
  recycles: master.recycles.filter(({ place }) => place !== id),
});

/** A roll comes first: a successor that boots is killed, and what the roll will replace anyway is forgotten. */
export function yieldToRoll(master: Master, at: Instant, policy: Policy): Decision {
  const kept = { ...master, recycles: master.recycles.filter(({ place }) => master.places.get(place)?.role === "emulator") };
  const busy = [...master.places.values()].filter(({ successor }) => successor.is !== "vacant");
  return each(kept, busy, (m, place) => {
    const [freed, actions] = vacate(place, "successor", { at, by: at, why: "abandoned" }, policy);
    return [put(m, freed), actions];
  });
}
