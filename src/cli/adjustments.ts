/** What operators changed while it runs, and the settings do not know: it outlasts a reload unless the setting itself was changed. */
import { slotsOf } from "../settings/rows/limits.ts";
import type { Settings } from "../settings/table.ts";
import type { Plan } from "./plan.ts";
import type { ControlAnswer } from "../master/shell/control.ts";
import type { SlotKeeper } from "./slots/keeper.ts";

export interface Adjustments {
  adjusted(plan: Plan): Plan;
  /** @param settings in force. @returns what the launch schedule says to it; undefined: there is none. */
  setMaxSlots(max: number, settings: Settings): ControlAnswer | undefined;
  /** How many slots there are to be. */
  maxSlots(settings: Settings): number;
}

/** @param keeper of the launch schedule; while there is one it keeps an operator's maximum. */
export function createAdjustments(keeper: Pick<SlotKeeper, "maximum" | "order">): Adjustments {
  /** `against`: what the setting said when it was overruled. */
  let slots: { readonly max: number; readonly against: number } | undefined;
  const wanted = (settings: Settings): number => slotsOf(settings.max_slots, settings.memory);
  const maxSlots = (settings: Settings): number => {
    const own = wanted(settings);
    const scheduled = keeper.maximum(settings);
    if (scheduled !== undefined) return scheduled;
    return slots?.against === own ? slots.max : own;
  };
  return {
    maxSlots,
    setMaxSlots(max, settings) {
      if (keeper.maximum(settings) !== undefined) return keeper.order({ do: "max", max });
      slots = { max, against: wanted(settings) };
      return undefined;
    },
    adjusted: (plan) => {
      const max = maxSlots(plan.settings);
      return max === wanted(plan.settings) ? plan : { ...plan, settings: { ...plan.settings, max_slots: max } };
    },
  };
}
