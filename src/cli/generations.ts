/** Which plan each generation of children runs with, and what a reload may change. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Master } from "../master/core/model.ts";
import type { Resolved } from "../settings/resolve.ts";
import type { Settings } from "../settings/table.ts";
import { makePlan, type Plan } from "./plan.ts";
import { SESSION_KEY } from "./session-key.ts";

export interface Generations {
  /** The settings in force for the master: live rows are the newest, the others as each generation has them. */
  resolved(): Resolved;
  settings(): Settings;
  /**
   * What the next generation to begin will run with.
   * @throws DroverError when none could (the application is gone …); then nothing has changed.
   */
  adopt(resolved: Resolved): void;
  /** Why the last reload was refused before anything rolled; undefined when it was not. */
  refusal: string | undefined;
  /** @throws DroverError when the generation can't begin (the application is gone …). */
  plan(generation: number): Plan;
  /** Drops the plans of past generations that nothing can run any more. In a demo the emulator stays with the first one. */
  forget(state: Master): void;
}

export function createGenerations(first: Resolved, demo: boolean, emulatorUrl: string | undefined): Generations {
  const planFor = (generation: number, { settings }: Resolved): Plan => {
    const plan = makePlan({ generation, settings, demo, emulatorUrl });
    // Fails here, and not in every child. An application may never need the keys: they are not made for it.
    if (plan.app === undefined || existsSync(join(settings.data_dir, SESSION_KEY))) plan.sessionKeys();
    return plan;
  };
  const plans = new Map<number, Plan>();
  /** What the last reload was judged by: the next generation begins with these very files, whatever becomes of them meanwhile. */
  let judged: Plan | undefined;
  let current = first;
  return {
    resolved: () => current,
    settings: () => current.settings,
    refusal: undefined,
    adopt(resolved) {
      judged = planFor(0, resolved);
      current = resolved;
    },
    plan(generation) {
      const known = plans.get(generation);
      if (known !== undefined) return known;
      const fresh = judged === undefined ? planFor(generation, current) : { ...judged, generation };
      judged = undefined;
      plans.set(generation, fresh);
      return fresh;
    },
    forget(state) {
      const used = generationsInUse(state);
      for (const generation of plans.keys()) if (generation < state.generation && !used.has(generation)) plans.delete(generation);
    },
  };
}

/** Generations that a child runs, that a place will start next, or that a roll may lead back to. */
function generationsInUse({ places, roll }: Master): ReadonlySet<number> {
  const used = new Set(roll === undefined ? [] : [roll.from]);
  for (const place of places.values()) {
    used.add(place.generation);
    for (const slot of [place.incumbent, place.successor, ...place.leaving]) if ("generation" in slot) used.add(slot.generation);
  }
  return used;
}
