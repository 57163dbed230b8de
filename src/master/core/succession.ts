import { after, type Instant } from "../../base/units.ts";
import { vacate } from "./dismiss.ts";
import { intensity } from "./intensity.ts";
import { put, VACANT } from "./places.ts";
import { dropRecycle } from "./recycle.ts";
import { rolled, setBack } from "./roll.ts";
import { nameOf, say, sayOf } from "./say.ts";
import { steps, unchanged } from "./steps.ts";
import type { Decision, Master, Place, Policy, Starting, Trial } from "./model.ts";

/** The successor is ready: it takes the seat, and the old child, if there is one, goes. */
export function promote(master: Master, place: Place, child: Starting | Trial, at: Instant, policy: Policy): Decision {
  const roll = master.roll?.current === place.id ? master.roll : undefined;
  const [freed, actions] = vacate(
    place,
    "incumbent",
    { at, by: after(at, policy.gracefulTimeout), why: roll ? "roll" : "recycle" },
    policy,
  );
  const { pid, generation, beatTimeout } = child;
  const seated: Place = {
    ...freed,
    generation,
    incumbent: { is: "ready", pid, generation, beatTimeout, since: at, beatBy: after(at, beatTimeout) },
    successor: VACANT,
    ...(roll ? { crashes: [], backoffs: 0 } : {}), // new code has no history
  };
  const old = place.incumbent.is === "ready" || place.incumbent.is === "examined" ? `: pid ${place.incumbent.pid} drains` : "";
  const told = sayOf("info", seated, seated.incumbent, `is ready and takes over${old}`);
  const next = put(master, seated);
  return [roll ? rolled(next, roll, seated) : dropRecycle(next, place.id), [told, ...actions]];
}

/** The successor, already out of its seat, failed: whoever it was to replace goes on serving. */
export function successorLost(master: Master, place: Place, why: string, when: { at: Instant; policy: Policy }): Decision {
  const { roll } = master;
  if (roll?.current === place.id) return setBack(master, { ...roll, current: undefined }, `${nameOf(place)}: ${why}`, when);
  const { crashes } = intensity(place.crashes, when.at, when.policy.crashLimit);
  const told = say("warn", `${place.id} is not recycled: ${why}`, { place: place.id });
  return steps(dropRecycle(master, place.id), (m) => [put(m, { ...place, crashes }), [told]]);
}

/** A child in its seat ended unasked. During a roll that counts against the new generation, if it was of it. */
export function seatedLost(master: Master, place: Place, why: string, when: { at: Instant; policy: Policy }): Decision {
  const { roll } = master;
  if (master.mode.is !== "running" || roll === undefined || roll.back !== undefined || place.generation !== roll.generation)
    return unchanged(master);
  return setBack(master, roll, why, when);
}

/** Whether a successor is expected in this place now. */
export const succeeding = (master: Master, place: Place): boolean =>
  master.roll === undefined ? master.recycles[0]?.place === place.id : master.roll.current === place.id;
