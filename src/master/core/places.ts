import type { Role } from "../../base/protocol.ts";
import { placeId, type Child, type Leaving, type Master, type Pid, type Place, type Seat, type Slot } from "./model.ts";

export const VACANT: Slot = { is: "vacant" };

/** Where in its place a child is. */
export type Where = Seat | "leaving";

export interface Found {
  readonly place: Place;
  readonly where: Where;
  readonly child: Child;
}

export const isChild = (slot: Slot): slot is Child => "pid" in slot;

export const newPlace = (role: Role, nr: number, generation: number): Place => ({
  id: placeId(role, nr),
  role,
  nr,
  generation,
  incumbent: VACANT,
  successor: VACANT,
  leaving: [],
  closing: false,
  crashes: [],
  kills: [],
  startedAt: undefined,
  backoffs: 0,
});

/** Every process of a place, with where it is. */
export function childrenOf(place: Place): readonly Found[] {
  const seated = (["incumbent", "successor"] as const).flatMap((where) => {
    const child = place[where];
    return isChild(child) ? [{ place, where, child }] : [];
  });
  return [...seated, ...place.leaving.map((child) => ({ place, where: "leaving" as const, child }))];
}

export const allChildren = (master: Master): readonly Found[] => [...master.places.values()].flatMap(childrenOf);

/** @returns undefined for a process that is not ours, or no longer. */
export const find = (master: Master, pid: Pid): Found | undefined => allChildren(master).find(({ child }) => child.pid === pid);

export const put = (master: Master, place: Place): Master => ({ ...master, places: new Map(master.places).set(place.id, place) });

/** The place with one child's slot changed: a seated child stays in its seat. */
export function changed({ place, where, child }: Found, next: Child): Place {
  if (where !== "leaving") return { ...place, [where]: next };
  return { ...place, leaving: place.leaving.map((one) => (one.pid === child.pid ? (next as Leaving) : one)) };
}

/** The place after the exit of one of its children. */
export function without({ place, where, child }: Found): Place {
  if (where !== "leaving") return { ...place, [where]: VACANT };
  return { ...place, leaving: place.leaving.filter((one) => one.pid !== child.pid) };
}

/** Nothing of it is left: no process, none asked for. */
export const isEmpty = (place: Place): boolean =>
  childrenOf(place).length === 0 && place.incumbent.is !== "spawning" && place.successor.is !== "spawning";

/** How many of a place's former children still drain. Killed ones don't count: the kernel has them. */
export const draining = (place: Place): number => place.leaving.filter((slot) => slot.is === "draining").length;

/** The broker before the workers, workers by number. */
export const inOrder = (a: Place, b: Place): number => a.role.localeCompare(b.role) || a.nr - b.nr;
