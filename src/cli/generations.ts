/** Which plan each generation of children runs with, and what a reload may change. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Master } from "../master/core/model.ts";
import type { Resolved } from "../settings/resolve.ts";
import type { Settings } from "../settings/table.ts";
import { makePlan, type Plan } from "./plan.ts";
import { SESSION_KEY } from "./session-key.ts";

export interface Generations {
  /** The settings in force for the master: those of the newest generation that has not failed. */
  resolved(): Resolved;
  settings(): Settings;
  /**
   * What the next generation to begin will run with.
   * @throws DroverError when none could (the application is gone …); then nothing has changed.
   */
  adopt(resolved: Resolved): void;
  /**
   * A reload that is rolled back takes its settings with it; call it after each event.
   * @returns what they were and what they are again; undefined when nothing went back.
   */
  follow(state: Master): { readonly refused: Resolved; readonly again: Resolved } | undefined;
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
  const known = new Map<number, { readonly plan: Plan; readonly resolved: Resolved }>();
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
      const old = known.get(generation);
      if (old !== undefined) return old.plan;
      const plan = judged === undefined ? planFor(generation, current) : { ...judged, generation };
      judged = undefined;
      known.set(generation, { plan, resolved: current });
      return plan;
    },
    follow({ roll, lastRoll, generation }) {
      const failed = roll?.back !== undefined ? roll.generation : lastRoll?.is === "rolledBack" ? lastRoll.generation : undefined;
      const again = known.get(generation)?.resolved;
      const refused = failed === undefined ? undefined : known.get(failed)?.resolved;
      if (refused !== current || again === undefined) return undefined; // also when other settings were read since then: the next generation's
      current = again;
      return { refused, again };
    },
    forget(state) {
      const used = generationsInUse(state);
      for (const generation of known.keys()) if (generation < state.generation && !used.has(generation)) known.delete(generation);
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
