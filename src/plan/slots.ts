/** Slots as a loss system: a login is refused while all of them are taken (Erlang B). */
import { erlangB, timeAbove } from "./erlang.ts";
import type { PlanInput } from "./input.ts";
import type { Load } from "./load.ts";

export interface SlotsForecast {
  readonly max: number;
  readonly comfort: number;
  /** Mean number of slots that are wanted at once, in erlangs. */
  readonly offered: number;
  /** Part of the users that is refused. */
  readonly refused: number;
  /** Part of the time in which more than the comfortable number are in. */
  readonly aboveComfort: number;
  /** The refused part when 80, 90 and 100 % of the slots are wanted. */
  readonly at: readonly { readonly offered: number; readonly refused: number }[];
}

const MARKS = [0.8, 0.9, 1];

export function slotsForecast({ signedIn }: Load, { place: { slots } }: PlanInput): SlotsForecast | undefined {
  if (slots === undefined || signedIn <= 0) return undefined;
  const [max, comfort] = [slots.max.value, Math.min(slots.comfort.value, slots.max.value)];
  return {
    max,
    comfort,
    offered: signedIn,
    refused: erlangB(max, signedIn),
    aboveComfort: timeAbove(comfort, max, signedIn),
    at: MARKS.map((mark) => ({ offered: Math.round(max * mark), refused: erlangB(max, Math.round(max * mark)) })),
  };
}
