import { after, type Instant } from "../../base/units.ts";
import { vacate } from "./dismiss.ts";
import { isEmpty, newPlace, put } from "./places.ts";
import { join } from "./roll.ts";
import { say } from "./say.ts";
import { acts, each, steps, unchanged } from "./steps.ts";
import { placeId, type Decision, type Master, type Place, type Policy } from "./model.ts";

/**
 * Sets the number of workers, minWorkers … maxWorkers; beyond that the nearest is taken, and said. Numbers stay 0 … N−1:
 * growing uses the lowest free ones (also of places that still drain), shrinking gives up the highest.
 */
export function resize(master: Master, to: number, at: Instant, policy: Policy): Decision {
  if (!Number.isInteger(to)) return [master, [say("warn", `the number of workers stays ${master.target}: ${to} is no whole number`)]];
  const target = Math.max(policy.minWorkers, Math.min(to, policy.maxWorkers));
  const clamped =
    target === to
      ? []
      : [say("warn", `workers: ${to} is outside ${policy.minWorkers} … ${policy.maxWorkers}, ${target} is taken`, { target })];
  if (target === master.target) return [master, clamped];
  const told = say("info", `workers: ${master.target} → ${target}`, { from: master.target, target });
  return steps({ ...master, target }, acts(...clamped, told), openUp, (m) => closeDown(m, at, policy));
}

/** Makes the worker places that are missing below the target. They get the newest proven generation. */
function openUp(master: Master): Decision {
  const missing = Array.from({ length: master.target }, (_, nr) => nr).filter(
    (nr) => master.places.get(placeId("worker", nr))?.closing !== false,
  );
  return [missing.reduce((m, nr) => open(m, m.places.get(placeId("worker", nr)) ?? newPlace("worker", nr, m.generation)), master), []];
}

/** Adds a place, or takes one back that was being given up. */
export function open(master: Master, place: Place): Master {
  const opened: Place = { ...place, generation: master.generation, closing: false, crashes: [], backoffs: 0 };
  return join(put(master, opened), opened);
}

function closeDown(master: Master, at: Instant, policy: Policy): Decision {
  const extra = [...master.places.values()].filter((place) => place.role === "worker" && place.nr >= master.target && !place.closing);
  const order = { at, by: after(at, policy.gracefulTimeout), why: "shrink" } as const;
  return each(master, extra, (m, place) => {
    const [first, actions] = vacate({ ...place, closing: true }, "incumbent", order, policy);
    const [both, more] = vacate(first, "successor", order, policy);
    return [put(m, both), [...actions, ...more]];
  });
}

/** Places that are given up go when their last child has. */
export function dropEmpty(master: Master): Decision {
  const gone = [...master.places.values()].filter((place) => place.closing && isEmpty(place));
  if (gone.length === 0) return unchanged(master);
  const places = new Map(master.places);
  for (const { id } of gone) places.delete(id);
  return [{ ...master, places }, []];
}
