/** A sealed batch, from its sealing to its end. */
import { after } from "../../../base/units.ts";
import type { Outcome } from "../../upstream.ts";
import type { WriteOutcome } from "../port.ts";
import { pinHolds, tabsIn } from "./answer.ts";
import { rowsOfKeys } from "./cells.ts";
import { voidOf } from "./fence.ts";
import { GOOGLE_WORKS, PROVE_AGAIN } from "./limits.ts";
import { keyRange } from "./look.ts";
import type { Event, Flight, HandlerOf, State, World } from "./model.ts";
import { cut, lost } from "./rows.ts";
import { VOID_FIELDS, voidBody } from "./seal.ts";
import {
  applySettled,
  failed,
  finish,
  forgetPlaces,
  hold,
  jitter,
  keepTag,
  locatedIn,
  latest,
  parkedWith,
  randomId,
  settle,
  settlement,
  soon,
  worked,
} from "./steps.ts";
import { ms } from "../../../base/units.ts";

const MOST_ODD = 3;

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
      if (flight.fenced) state.job = { is: "looking", flight, after: "sending" };
      else if (flight.unsure) awaitEnd(flight, state);
      else refuse(flight, state, world, false);
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

/** Google has done it, and says so. */
function accepted(flight: Flight, answer: unknown, state: State, world: World): void {
  if (flight.proof === "first") {
    flight.proof = "second";
    return;
  }
  if (flight.proof === "second") return proven(flight, false, state, world);
  const tabs = tabsIn(answer);
  if (flight.pins.length === 0 && tabs.size > 0) state.ids = tabs;
  stood(flight, state);
  state.riderFailures = 0;
  for (const pin of flight.pins)
    if (pinHolds(answer, pin)) keepTag(state, { ...pin, seenAt: world.now });
    else {
      state.drops.add(pin.id);
      lost(pin, state, world);
    }
  land(flight, state, world);
}

/** What it removed is gone. */
function stood(flight: Flight, state: State): void {
  for (const id of flight.removed) state.drops.delete(id);
}

function land(flight: Flight, state: State, world: World): void {
  state.fences.set(flight.batch.fence.id, world.wall);
  const gone = flight.removed.filter((id) => state.fences.delete(id));
  settle(state, flight, settlement(world, { landed: flight.batch.lsns }), gone);
}

/** Whether a second batch with the same fence is refused as it must be. */
function proven(flight: Flight, asExpected: boolean, state: State, world: World): void {
  state.delivery = asExpected ? "exactly-once" : "at-least-once";
  state.proveAt = after(world.now, PROVE_AGAIN);
  if (asExpected) state.fences.set(flight.batch.fence.id, world.wall);
  settle(state, flight, settlement(world, {}));
}

/** Not even an empty fence is taken. By chance, perhaps: it is tried some times before it is believed. */
function unfenced(flight: Flight, state: State, world: World): void {
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
    if (found === voidOf(ours)) return refuse(flight, state, world, true);
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
    const alone = flight.units.length === 1 && flight.units[0]?.length === 1 && !hasRiders(flight);
    if (from === "sending" && !flight.unsure && !alone) return refuse(flight, state, world, false);
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
 * one write stands alone; that is parked. @param voided whether a fence stands in its place.
 */
function refuse(flight: Flight, state: State, world: World, voided: boolean): void {
  const { lsns, fence } = flight.batch;
  if (voided) state.fences.set(fence.id, world.wall);
  const again = (): void => settle(state, flight, settlement(world, { again: lsns }));
  if (hasRiders(flight)) {
    state.riderFailures += 1;
    state.ridersFrom = latest(soon(world), after(world.now, ms(jitter(state.riderFailures, world.random))));
    for (const { table, key } of flight.pins) lost({ table, key }, state, world);
    state.next.unshift({ is: "opening", held: false });
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
    if (outcome.is === "ok") return refuse(flight, state, world, true);
    if (outcome.is === "refused") state.job = { is: "looking", flight, after: "voiding" };
    else failed(outcome, state, world);
  },
};

/** Without a fence that holds: whether it has landed is only known once no attempt can land any more. */
function awaitEnd(flight: Flight, state: State): void {
  state.job = { is: "waiting", flight, until: after(flight.triedAt, GOOGLE_WORKS) };
}

export const waiting: HandlerOf<"waiting"> = {
  go({ flight, until }, state, world) {
    const sleep = hold(until, state, world);
    if (sleep !== undefined) return sleep;
    const entries = state.queue.of(flight.batch.lsns).map(({ entry }) => entry);
    const tables = [...new Set(entries.map(({ table }) => table))];
    state.job = { is: "readingBack", flight, tables, entries, landed: [] };
    return undefined;
  },
  on() {},
};

export const readingBack: HandlerOf<"readingBack"> = {
  go(job, state, world) {
    const [table] = job.tables;
    if (table === undefined) {
      const landed = new Set(job.landed);
      const again = job.flight?.batch.lsns.filter((lsn) => !landed.has(lsn)) ?? [];
      for (const { id } of job.flight?.pins ?? []) state.drops.add(id);
      settle(state, job.flight, settlement(world, { landed: job.landed, again }));
      return undefined;
    }
    const layout = world.layout(table);
    if (layout === undefined) return { do: "sleep", until: soon(world) };
    return hold(world.mayRead, state, world) ?? { do: "locate", range: keyRange(layout) };
  },
  on(job, event, state, world) {
    if (event.type !== "located") return;
    const [table, ...tables] = job.tables;
    const layout = table === undefined ? undefined : world.layout(table);
    if (event.outcome.is !== "ok" || table === undefined || layout === undefined)
      return failed(event.outcome as Outcome<unknown>, state, world);
    worked(state);
    const here = job.entries.filter((entry) => entry.table === table);
    const found = rowsOfKeys(event.outcome.value[0], layout.row, new Set(here.map(({ key }) => key)));
    for (const [key, row] of found) locatedIn(state, table).rows.set(key, row);
    const landed = here.filter(({ key }) => found.has(key)).map(({ lsn }) => lsn);
    state.job = { ...job, tables, landed: [...job.landed, ...landed] };
  },
};

export const settling: HandlerOf<"settling"> = {
  go: ({ flight, how, gone }, state, world) => hold(world.now, state, world) ?? { do: "settle", nr: flight?.batch.nr, how, gone },
  on({ how }, event: Event, state, world) {
    if (event.type === "failed") return failed({ is: "unavailable" }, state, world);
    worked(state);
    applySettled(state, how);
    finish(state);
  },
};
