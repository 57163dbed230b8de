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

/**
 * Whether a worker waits for others that boot before it: few boot at a time, so that the master answers meanwhile and those who
 * serve keep their CPU. At the first boot the first worker boots alone until it is ready or its head start is over.
 */
function follows(master: Master, { role }: Place, policy: Policy): boolean {
  if (role !== "worker") return false;
  const workers = [...master.places.values()].filter((place) => place.role === "worker").map(({ incumbent }) => incumbent.is);
  const alone = master.ahead !== undefined && !workers.includes("ready");
  return workers.filter((is) => is === "spawning" || is === "starting").length >= (alone ? 1 : policy.bootsAtOnce);
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
