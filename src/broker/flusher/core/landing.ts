/** What a batch that has ended leaves behind. */
import { after } from "../../../base/units.ts";
import { PROVE_AGAIN } from "./limits.ts";
import type { Event, Flight, HandlerOf, State, World } from "./model.ts";
import { applySettled, failed, fenceStands, finish, hold, settle, settlement, worked } from "./steps.ts";

/** Answers to a proof that are none, before it counts as failed. */
export const MOST_ODD = 3;

/** What it removed is gone. */
export function stood(flight: Flight, state: State): void {
  for (const id of flight.removed) state.drops.delete(id);
}

export function land(flight: Flight, state: State, world: World): void {
  fenceStands(state, flight.batch.fence.id, world);
  const gone = flight.removed.filter((id) => state.fences.delete(id));
  settle(state, flight, settlement(world, { landed: flight.batch.lsns }), gone);
}

/** Whether a second batch with the same fence is refused as it must be. */
export function proven(flight: Flight, asExpected: boolean, state: State, world: World): void {
  state.delivery = asExpected ? "exactly-once" : "at-least-once";
  state.proveAt = after(world.now, PROVE_AGAIN);
  if (asExpected) fenceStands(state, flight.batch.fence.id, world);
  settle(state, flight, settlement(world, {}));
}

export const settling: HandlerOf<"settling"> = {
  go: ({ flight, how, gone }, state, world) => hold(world.now, state, world) ?? { do: "settle", nr: flight?.batch.nr, how, gone },
  on({ how }, event: Event, state, world) {
    if (event.type === "failed") return failed({ is: "unavailable" }, state, world);
    worked(state);
    applySettled(state, how);
    finish(state);
  },
};
