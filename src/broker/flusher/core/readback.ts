/** Where no fence tells whether a batch has landed: its rows are looked for, when no attempt can land any more. */
import { after } from "../../../base/units.ts";
import { headsKeys, rowsOfKeys } from "./cells.ts";
import { keepHeader } from "./headers.ts";
import { GOOGLE_WORKS } from "./limits.ts";
import { keyRange } from "./look.ts";
import type { Flight, HandlerOf, State } from "./model.ts";
import { failed, hold, locatedIn, settle, settlement, soon, worked } from "./steps.ts";

/** Nothing more is sent until no attempt of it can land. */
export function awaitEnd(flight: Flight, state: State): void {
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
    if (event.outcome.is !== "ok" || table === undefined || layout === undefined) return failed(event.outcome, state, world);
    if (!headsKeys(event.outcome.value[0], layout)) {
      keepHeader(layout, false, state, world);
      return failed({ is: "malformed" }, state, world);
    }
    worked(state);
    const here = job.entries.filter((entry) => entry.table === table);
    const found = rowsOfKeys(event.outcome.value[0], layout.row, new Set(here.map(({ key }) => key)));
    for (const [key, row] of found) locatedIn(state, table).rows.set(key, row);
    const landed = here.filter(({ key }) => found.has(key)).map(({ lsn }) => lsn);
    state.job = { ...job, tables, landed: [...job.landed, ...landed] };
  },
};
