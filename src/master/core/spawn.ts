import { draining, put } from "./places.ts";
import { unchanged } from "./steps.ts";
import type { Decision, Master, Place, Seat } from "./model.ts";

/** Asks the shell for a child in a seat. */
export function spawn(master: Master, place: Place, seat: Seat, generation: number): Decision {
  const { id, role, nr } = place;
  return [put(master, { ...place, [seat]: { is: "spawning", generation } }), [{ do: "spawn", place: id, role, nr, seat, generation }]];
}

/** A place refilled over and over (shrink, grow, shrink …) holds at most this many children that drain. */
const MOST_DRAINING = 2;

/** It waits until the first worker's head start is over. */
const follows = (master: Master, { role, nr }: Place): boolean => master.ahead !== undefined && role === "worker" && nr > 0;

/**
 * Refills the seats that are empty. While a successor is on its way the seat is left to it. A crash brings back the
 * generation of the place: during a roll the old one until it is the place's turn. The emulator is never rolled and
 * takes the newest proven one.
 */
export function fill(master: Master): Decision {
  for (const place of master.places.values()) {
    const wanted = place.incumbent.is === "vacant" && place.successor.is === "vacant" && !place.closing;
    if (!wanted || draining(place) >= MOST_DRAINING || follows(master, place)) continue;
    const generation = place.role === "emulator" ? master.generation : place.generation;
    const [next, actions] = spawn(master, { ...place, generation }, "incumbent", generation);
    const [rest, more] = fill(next);
    return [rest, [...actions, ...more]];
  }
  return unchanged(master);
}
