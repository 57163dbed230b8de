import type { Ms } from "../../base/units.ts";
import { isChild } from "./places.ts";
import type { Action, Place, Slot } from "./model.ts";

type Log = Extract<Action, { do: "log" }>;

/** A line for the operator's log. */
export const say = (level: Log["level"], text: string, fields?: Log["fields"]): Log =>
  fields === undefined ? { do: "log", level, text } : { do: "log", level, text, fields };

/** "worker 3", or "broker": there is one of each of the other roles. */
export const nameOf = (place: Pick<Place, "role" | "nr">): string => (place.role === "worker" ? `worker ${place.nr}` : place.role);

/** "worker 3 (pid 812)". */
export const whoIs = (place: Place, slot: Slot): string => (isChild(slot) ? `${nameOf(place)} (pid ${slot.pid})` : nameOf(place));

/** A line about one child: who it is goes before `text` and into the fields. */
export const sayOf = (level: Log["level"], place: Place, slot: Slot, text: string): Log =>
  say(level, `${whoIs(place, slot)} ${text}`, {
    place: place.id,
    ...(isChild(slot) ? { pid: slot.pid, generation: slot.generation } : { generation: place.generation }),
  });

/** "250 ms", "1.5 s", "30 s". */
export const span = (time: Ms): string => (time < 1_000 ? `${Math.round(time)} ms` : `${Math.round(time / 100) / 10} s`);
