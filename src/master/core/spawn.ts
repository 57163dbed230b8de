import { draining, put } from "./places.ts";
import { unchanged } from "./steps.ts";
import type { Instant } from "../../base/units.ts";
import type { Decision, Master, Place, Policy, Seat, Slot } from "./model.ts";

/** Asks the shell for a child in a seat. */
export function spawn(master: Master, place: Place, seat: Seat, generation: number): Decision {
  const { id, role, nr } = place;
  return [put(master, { ...place, [seat]: { is: "spawning", generation } }), [{ do: "spawn", place: id, role, nr, seat, generation }]];
}

/** A place refilled over and over (shrink, grow, shrink …) holds at most this many children that drain. */
const MOST_DRAINING = 2;

const crowds = (slot: Slot): boolean => slot.is === "starting" && slot.crowdsUntil !== undefined;

/** Boots that take long keep nobody out any more. */
export function uncrowd(master: Master, at: Instant): Decision {
  const slow = [...master.places.values()].filter(
    ({ incumbent }) => incumbent.is === "starting" && incumbent.crowdsUntil !== undefined && incumbent.crowdsUntil <= at,
  );
  return [slow.reduce((m, place) => put(m, { ...place, incumbent: { ...place.incumbent, crowdsUntil: undefined } as Slot }), master), []];
}

/**
 * Whether a worker waits for others that boot before it: few boot at a time, so that the master answers meanwhile and those who
 * serve keep their CPU. At the first boot the first worker boots alone until it is ready or its head start is over.
 */
function follows(master: Master, { role }: Place, policy: Policy): boolean {
  if (role !== "worker") return false;
  const workers = [...master.places.values()].filter((place) => place.role === "worker").map(({ incumbent }) => incumbent);
  const alone = master.ahead !== undefined && !workers.some(({ is }) => is === "ready");
  return (
    workers.filter((slot) => (alone ? slot.is === "starting" : crowds(slot)) || slot.is === "spawning").length >=
    (alone ? 1 : policy.bootsAtOnce)
  );
}

/**
 * Refills the seats that are empty. While a successor is on its way the seat is left to it. A crash brings back the
 * generation of the place: during a roll the old one until it is the place's turn. The emulator is never rolled and
 * takes the newest proven one.
 */
export function fill(master: Master, policy: Policy): Decision {
  for (const place of master.places.values()) {
    const wanted = place.incumbent.is === "vacant" && place.successor.is === "vacant" && !place.closing;
    if (!wanted || draining(place) >= MOST_DRAINING || follows(master, place, policy)) continue;
    const generation = place.role === "emulator" ? master.generation : place.generation;
    const [next, actions] = spawn(master, { ...place, generation }, "incumbent", generation);
    const [rest, more] = fill(next, policy);
    return [rest, [...actions, ...more]];
  }
  return unchanged(master);
}
