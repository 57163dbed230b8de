/** A sealed batch on its way, and what its answers mean. */
import type { WriteOutcome } from "../port.ts";
import { tabsIn } from "./answer.ts";
import { land, MOST_ODD, proven, stood } from "./landing.ts";
import type { Flight, HandlerOf, State, World } from "./model.ts";
import { confirm, mayGo } from "./headers.ts";
import { standGuards } from "./guards.ts";
import { awaitEnd } from "./readback.ts";
import { pinned } from "./pins.ts";
import { failed, hold, worked } from "./steps.ts";
import { refuse } from "./verdict.ts";

export const sealing: HandlerOf<"sealing"> = {
  go: ({ flight }, state, world) => hold(world.now, state, world) ?? { do: "seal", batch: flight.batch, nextId: state.nextId },
  on({ flight }, event, state, world) {
    if (event.type === "failed") return failed({ is: "unavailable" }, state, world);
    worked(state);
    state.job = { is: "sending", flight };
  },
};

export const sending: HandlerOf<"sending"> = {
  go({ flight }, state, world) {
    const sleep = hold(world.mayWrite, state, world);
    if (sleep !== undefined) return sleep;
    if (!mayGo(flight, state, world)) return undefined;
    const { nr, lsns, sentAt, body } = flight.batch;
    if (sentAt === undefined) return { do: "mark", nr, lsns };
    flight.triedAt = world.now;
    return { do: "send", body, fields: flight.fields };
  },
  on({ flight }, event, state, world) {
    if (event.type === "failed") return failed({ is: "unavailable" }, state, world);
    if (event.type === "kept") flight.batch = { ...flight.batch, sentAt: world.wall };
    if (event.type === "answered") answered(flight, event.outcome, state, world);
  },
};

function answered(flight: Flight, outcome: WriteOutcome<unknown>, state: State, world: World): void {
  switch (outcome.is) {
    case "ok":
      worked(state);
      return accepted(flight, outcome.value, state, world);
    case "refused":
      worked(state);
      flight.refusal = outcome.message;
      if (flight.guards.length > 0 && flight.proof === "no" && !flight.unsure && !flight.checked) askHeaders(flight, state);
      else if (flight.fenced) state.job = { is: "looking", flight, after: "sending" };
      else if (flight.unsure) awaitEnd(flight, state);
      else refuse(flight, state, world);
      return;
    case "locked":
    case "denied":
      return failed(outcome, state, world); // nothing was done
    default:
      flight.unsure = true;
      flight.odd += outcome.is === "malformed" ? 1 : 0;
      // A refusal in another form than 400 can't be told from chance later: such a fence is not relied on.
      if (flight.proof === "second" && flight.odd >= MOST_ODD) return proven(flight, false, state, world);
      failed(outcome, state, world);
      if (!flight.fenced) awaitEnd(flight, state);
  }
}

/** A guard is the likeliest reason of a refusal: a column has moved, and nothing has landed. */
function askHeaders(flight: Flight, state: State): void {
  flight.checked = true;
  for (const { table } of flight.guards) state.headers.delete(table);
  state.job = { is: "heading", layouts: flight.guards, flight, refused: true };
}

/** Google has done it, and says so. */
function accepted(flight: Flight, answer: unknown, state: State, world: World): void {
  if (flight.proof === "first") {
    standGuards(flight, confirm(answer, flight, state, world), state);
    flight.proof = "second";
    return;
  }
  if (flight.proof === "second") return proven(flight, false, state, world);
  const tabs = tabsIn(answer);
  if (flight.pins.length === 0 && flight.layouts.length === 0 && tabs.size > 0) state.ids = tabs;
  const moved = confirm(answer, flight, state, world);
  standGuards(flight, moved, state);
  for (const { entry } of moved.size === 0 ? [] : state.queue.of(flight.batch.lsns)) if (moved.has(entry.table)) state.stats.misplaced += 1;
  stood(flight, state);
  state.riderFailures = 0;
  pinned(flight, answer, state, world);
  land(flight, state, world);
}
