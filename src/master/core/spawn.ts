import { draining, put } from "./places.ts";
import { unchanged } from "./steps.ts";
import type { Decision, Master, Place, Policy, Seat } from "./model.ts";

/** Asks the shell for a child in a seat. */
export function spawn(master: Master, place: Place, seat: Seat, generation: number): Decision {
  const { id, role, nr } = place;
  return [put(master, { ...place, [seat]: { is: "spawning", generation } }), [{ do: "spawn", place: id, role, nr, seat, generation }]];
}

/** A place refilled over and over (shrink, grow, shrink …) holds at most this many children that drain. */
const MOST_DRAINING = 2;

/** At the first boot it waits for the workers that boot before it. */
function follows(master: Master, { role }: Place, policy: Policy): boolean {
  if (master.ahead === undefined || role !== "worker") return false;
  const workers = [...master.places.values()].filter((place) => place.role === "worker").map(({ incumbent }) => incumbent.is);
  const atOnce = workers.includes("ready") ? policy.bootsAtOnce : 1;
  return workers.filter((is) => is === "spawning" || is === "starting").length >= atOnce;
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
