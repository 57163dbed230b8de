/** Why a batch was refused, which is found out by looking and never from the refusal's text, and what follows. */
import { after, ms } from "../../../base/units.ts";
import { voidOf } from "./fence.ts";
import { doubtGuards } from "./guards.ts";
import { land, MOST_ODD, proven, stood } from "./landing.ts";
import type { Flight, HandlerOf, State, World } from "./model.ts";
import { cut, lost } from "./rows.ts";
import { VOID_FIELDS, voidBody } from "./seal.ts";
import {
  failed,
  fenceStands,
  forgetPlaces,
  hold,
  jitter,
  latest,
  parkedWith,
  randomId,
  settle,
  settlement,
  soon,
  worked,
} from "./steps.ts";

/** Not even an empty fence is taken. By chance, perhaps: it is tried some times before it is believed. */
function unfenced(flight: Flight, state: State, world: World): void {
  if (flight.guards.length > 0) {
    doubtGuards(flight, state, world); // or it is these that are not taken: the next proof goes without
    return settle(state, flight, settlement(world, {}));
  }
  flight.odd += 1;
  if (flight.odd >= MOST_ODD) return proven(flight, false, state, world);
  failed({ is: "malformed" }, state, world);
  state.job = { is: "sending", flight };
}

export const looking: HandlerOf<"looking"> = {
  go: ({ flight }, state, world) => hold(world.mayRead, state, world) ?? { do: "look", id: flight.batch.fence.id },
  on({ flight, after: from }, event, state, world) {
    if (event.type !== "looked") return;
    if (event.outcome.is !== "ok") return failed(event.outcome, state, world);
    worked(state);
    const ours = flight.batch.fence.value;
    const found = event.outcome.value;
    if (found === ours && flight.proof !== "no") return proven(flight, true, state, world);
    if (found === ours) return landedUnseen(flight, state, world);
    if (found === voidOf(ours)) return refuse(flight, state, world);
    if (found !== undefined) return stranger(flight, state, world);
    forgetPlaces(state);
    state.job = { is: "confirming", flight, after: from };
  },
};

/** A 404 is the metadata's own only while the spreadsheet can be seen; and tabs may have changed, which is the commonest reason of a refusal. */
export const confirming: HandlerOf<"confirming"> = {
  go: (_, state, world) => hold(world.mayRead, state, world) ?? { do: "tabs" },
  on({ flight, after: from }, event, state, world) {
    if (event.type !== "named") return;
    if (event.outcome.is !== "ok") return failed(event.outcome, state, world);
    worked(state);
    state.ids = event.outcome.value;
    if (flight.proof !== "no") return unfenced(flight, state, world);
    state.job = { is: "voiding", flight };
    if (from === "voiding") failed({ is: "denied" }, state, world); // not even an empty batch is taken: no write is to blame
  },
};

/** It had landed, and its answer was lost: which rows its tags are on was not seen. */
function landedUnseen(flight: Flight, state: State, world: World): void {
  stood(flight, state);
  for (const { id } of flight.pins) state.drops.add(id);
  land(flight, state, world);
}

/** The number is taken by somebody else's metadata: nothing of the batch has landed, and nothing will. */
function stranger(flight: Flight, state: State, world: World): void {
  state.nextId = Math.max(state.nextId, randomId(world.random));
  settle(state, flight, settlement(world, { again: flight.batch.lsns }));
}

const hasRiders = ({ pins, removed }: Flight): boolean => pins.length + removed.length > 0;

/**
 * Google refuses the batch itself. What may be at fault is left out: first all that only goes along, then one half of its rows, until
 * one write stands alone; that is parked. The void fence stands in its place.
 */
export function refuse(flight: Flight, state: State, world: World): void {
  const { lsns, fence } = flight.batch;
  if (flight.fenced) fenceStands(state, fence.id, world);
  const again = (): void => settle(state, flight, settlement(world, { again: lsns }));
  if (flight.moved) return again();
  doubtGuards(flight, state, world);
  if (flight.guards.length > 0 && !flight.checked) return again(); // a column may have moved: the header rows are read before the next attempt
  if (hasRiders(flight)) {
    state.riderFailures += 1;
    state.ridersFrom = latest(soon(world), after(world.now, ms(jitter(state.riderFailures, world.random))));
    for (const { table, key } of flight.pins) lost({ table, key }, state, world);
    state.next.unshift({ is: "opening", held: false });
    return again();
  }
  if (flight.shows) {
    state.pieces = cut(state.pieces, lsns); // a piece goes without a look at header rows
    return again();
  }
  const [unit = []] = flight.units;
  const parts = flight.units.length > 1 ? flight.units : [unit.slice(0, 1), unit.slice(1)].filter((part) => part.length > 0);
  if (parts.length > 1) {
    const half = flight.units.length > 1 ? parts.length >> 1 : 1;
    state.pieces = cut(state.pieces, parts.slice(0, half).flat(), parts.slice(half).flat());
    return again();
  }
  const parked = parkedWith(state, unit[0] ?? -1, flight.refusal);
  settle(state, flight, settlement(world, { parked }));
}

export const voiding: HandlerOf<"voiding"> = {
  go: ({ flight }, state, world) => hold(world.mayWrite, state, world) ?? { do: "send", body: voidBody(flight.batch), fields: VOID_FIELDS },
  on({ flight }, event, state, world) {
    if (event.type !== "answered") return;
    const { outcome } = event;
    if (outcome.is === "ok") return refuse(flight, state, world);
    if (outcome.is === "refused") state.job = { is: "looking", flight, after: "voiding" };
    else failed(outcome, state, world);
  },
};
