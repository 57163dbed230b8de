/** Looking things up: the tabs' ids, and the rows of keys. */
import { a1, letters } from "../../../sheets/a1.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { headsKeys, keyColumn } from "./cells.ts";
import { keepHeader } from "./headers.ts";
import { LOST_TAB } from "./limits.ts";
import type { HandlerOf, State, World } from "./model.ts";
import { rowName } from "./queue.ts";
import { failed, finish, hold, locatedIn, settle, settlement, trouble, worked } from "./steps.ts";
import { placesOf } from "./undo.ts";
import { after } from "../../../base/units.ts";

/** A row whose key may have been written over is looked for so often. */
const MOST_LOOKS = 8;

export const naming: HandlerOf<"naming"> = {
  go: (_, state, world) => hold(world.mayRead, state, world) ?? { do: "tabs" },
  on(_, event, state, world) {
    if (event.type !== "named") return;
    if (event.outcome.is !== "ok") return failed(event.outcome, state, world);
    worked(state);
    state.ids = event.outcome.value;
    finish(state);
  },
};

/** The key column of a table, from its header row down. */
export function keyRange(layout: Layout): string {
  const column = letters(keyColumn(layout));
  return `${a1(layout.tab)}!${column}${layout.row + 1}:${column}`;
}

export const locating: HandlerOf<"locating"> = {
  go(job, state, world) {
    const layout = world.layout(job.table);
    if (layout === undefined) {
      finish(state);
      return undefined;
    }
    return hold(world.mayRead, state, world) ?? { do: "locate", range: keyRange(layout) };
  },
  on(job, event, state, world) {
    if (event.type !== "located") return;
    const located = locatedIn(state, job.table);
    located.at = world.now;
    const layout = world.layout(job.table);
    if (event.outcome.is !== "ok" || layout === undefined) {
      if (event.outcome.is === "noRange") state.lostTabs.set(layout?.tab ?? "", after(world.now, LOST_TAB));
      else failed(event.outcome, state, world);
      return finish(state);
    }
    worked(state);
    if (!headsKeys(event.outcome.value[0], layout)) {
      keepHeader(layout, false, state, world);
      return finish(state);
    }
    const column = event.outcome.value[0];
    const found = placesOf(Array.isArray(column) ? column : [], layout, job.keys, state);
    if (located.rows.size > 5_000) located.rows.clear();
    for (const [key, row] of found) located.rows.set(key, row);
    const gone = [...job.keys].filter((key) => !found.has(key) && !mayBeHidden(job.table, key, state, world));
    absent(state, job.table, new Set(gone), world);
  },
};

/** Its key may have been written over, and what stands there is not known yet: it is looked for some times more. */
function mayBeHidden(table: string, key: string, state: State, world: World): boolean {
  const name = rowName({ table, key });
  if (!state.strays.has(name) || (state.troubles.get(name)?.count ?? 0) >= MOST_LOOKS) return false;
  trouble(state, name, { lost: true }, world);
  return true;
}

/** Rows that are not in the sheet: deleting them is done, and what was to be changed before that; only changing them is not possible. */
function absent(state: State, table: string, keys: ReadonlySet<string>, world: World): void {
  const runs = new Map([...keys].map((key) => [rowName({ table, key }), { lsns: [] as number[], over: false }]));
  const [landed, parked]: [number[], { lsn: number; reason: string }[]] = [[], []];
  for (const { entry } of runs.size === 0 ? [] : state.queue.all()) {
    const run = runs.get(rowName(entry));
    if (run === undefined || run.over) continue;
    run.over = entry.op !== "update";
    if (entry.op === "append") continue;
    run.lsns.push(entry.lsn);
    if (entry.op === "delete") landed.push(...run.lsns.splice(0));
  }
  for (const [name, { lsns }] of runs) {
    const reason = state.parkedRows.get(name) ?? "no row of the sheet has this key any more";
    parked.push(...lsns.map((lsn) => ({ lsn, reason })));
  }
  if (landed.length + parked.length > 0) settle(state, undefined, settlement(world, { landed, parked }));
  else finish(state);
}
