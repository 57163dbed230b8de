import { after, type Instant } from "../../base/units.ts";
import { recycledBy } from "./death.ts";
import { dismiss, vacate } from "./dismiss.ts";
import { recent } from "./intensity.ts";
import { changed, draining, put } from "./places.ts";
import { nameOf, say } from "./say.ts";
import { spawn } from "./spawn.ts";
import { acts, each, steps, unchanged } from "./steps.ts";
import type { Decision, Event, Master, Pid, Place, PlaceId, Policy } from "./model.ts";

type Asked = Extract<Event, { type: "recycle" }>;

/** Queues the replacement of one place's child; asking again changes nothing. */
export function recycle(master: Master, event: Asked, policy: Policy): Decision {
  const refusal = recycleRefusal(master, event, policy);
  if (refusal !== undefined)
    return [master, [say("debug", `${event.place} is not recycled (${event.why}): ${refusal}`, { place: event.place })]];
  if (master.recycles.some((one) => one.place === event.place)) return unchanged(master);
  return [{ ...master, recycles: [...master.recycles, { place: event.place, pid: event.pid, why: event.why }] }, []];
}

/** @returns why this can't be done now, or undefined when it will be. */
export function recycleRefusal(master: Master, { place: id, pid, at }: Omit<Asked, "type" | "why">, policy: Policy): string | undefined {
  const place = master.places.get(id);
  if (!isSeated(place, pid)) return "that process has been replaced already";
  if (master.mode.is !== "running") return "drover is stopping";
  if (place === undefined || place.closing) return "there is no such place";
  if (!master.booted) return "the first boot is not over";
  if (master.memoryShort) return "memory is short";
  if (master.roll?.left.includes(place.id)) return "the roll replaces it anyway";
  // A replacement that can't boot would otherwise be asked for, and fail, at every beat.
  if (recent(place.crashes, at, policy.crashLimit).length >= Math.max(1, policy.crashLimit.crashes)) return "it crashed too often of late";
  return undefined;
}

const isSeated = (place: Place | undefined, pid: Pid | undefined): boolean =>
  pid === undefined || (place !== undefined && "pid" in place.incumbent && place.incumbent.pid === pid);

/** Takes the queue's head: at most one replacement at a time, and none beside a roll or while memory is short. */
export function nextRecycle(master: Master, at: Instant, policy: Policy): Decision {
  const head = master.recycles[0];
  if (head === undefined || master.roll !== undefined || !master.booted) return unchanged(master);
  const place = master.places.get(head.place);
  if (place !== undefined && place.successor.is !== "vacant") return unchanged(master); // under way
  const replaceable = place !== undefined && !place.closing && place.incumbent.is === "ready" && isSeated(place, head.pid);
  if (!replaceable) return nextRecycle(dropRecycle(master, head.place), at, policy); // gone, or being replaced already
  if (master.memoryShort || draining(place) > 0) return unchanged(master);
  if (recycledBy(head.why) !== "asked" && recycleDrains(master)) return unchanged(master);
  const told = say("info", `${nameOf(place)} is recycled: ${head.why}`, { place: place.id, generation: place.generation });
  if (place.role !== "emulator") return steps(master, acts(told), (m) => spawn(m, place, "successor", place.generation));
  return steps(
    master,
    acts(told),
    (m) => oldBeforeNew(m, place, at, policy),
    (m) => nextRecycle(m, at, policy),
  );
}

/** A worker that was recycled is still there: the next one that reached a limit waits, so that there is one process more at most. */
const recycleDrains = ({ places }: Master): boolean =>
  [...places.values()].some(({ leaving }) => leaving.some(({ is, why }) => is === "draining" && why === "recycle"));

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
