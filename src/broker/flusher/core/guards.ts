/**
 * Guards. An append places values by position, so its batch must not land after a column has moved. Each named column of a table carries
 * a developer metadata, its guard. A batch removes each guard *at the column where it belongs* and creates it there again, with the same
 * id. If the column has moved, its guard moved with it: nothing is removed, the id is taken, and Google refuses the whole batch.
 *
 *   absent ─ a batch without rows creates them, and its answer shows the expected header row ─→ standing
 *   standing ─ the batch was refused, or its answer shows another header row ─→ absent (the ids are dropped)
 *
 * The check is part of the sealed bytes, so it also holds when an answer is lost, for each attempt, and after a crash.
 */
import { after, seconds } from "../../../base/units.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { guardId } from "./fence.ts";
import type { Flight, State, World } from "./model.ts";

/** A table's first so many named columns are guarded: each takes two requests of a batch. */
const MOST_GUARDED = 64;
/** Appends go without guards for so long after Google refused a batch of guards alone. */
const WITHOUT = seconds(60);

/** A table whose columns a batch checks, and the tab's id. */
export interface Guarded {
  readonly layout: Layout;
  readonly sheetId: number;
}

const named = ({ column, columns }: Layout): readonly (readonly [name: string, at: number])[] =>
  columns.flatMap((name, at) => (name === undefined ? [] : [[name, column + at] as const])).slice(0, MOST_GUARDED);

/** Whether a batch may carry rows of the table: every guard of its columns was seen at its place. */
export function isGuarded({ layout, sheetId }: Guarded, { guards }: State): boolean {
  const guard = guards.get(layout.table);
  return guard?.stands === true && guard.sheetId === sheetId && named(layout).every(([name]) => guard.ids.has(name));
}

/** Requests that fail, all of them, unless each column that has a guard is where the layout has it. @param create one of the batch's requests. */
export function guardRequests(
  guarded: readonly Guarded[],
  create: (id: number, location: object) => object,
  state: State,
): readonly object[] {
  return guarded.flatMap(({ layout, sheetId }) => {
    const ids = idsOf({ layout, sheetId }, state);
    return named(layout).flatMap(([name, at]) => {
      const location = { dimensionRange: { sheetId, dimension: "COLUMNS", startIndex: at, endIndex: at + 1 } };
      const metadataId = ids.get(name) ?? 0;
      const lookup = { metadataId, metadataLocation: location, locationMatchingStrategy: "EXACT_LOCATION" };
      return [{ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: lookup } } }, create(metadataId, location)];
    });
  });
}

function idsOf({ layout, sheetId }: Guarded, state: State): ReadonlyMap<string, number> {
  if (state.guards.get(layout.table)?.sheetId !== sheetId) dropGuards([layout], state);
  const ids = new Map(state.guards.get(layout.table)?.ids);
  for (const [name] of named(layout)) if (!ids.has(name)) ids.set(name, guardId(state.mark, layout.table, name, String(state.nextId)));
  state.guards.set(layout.table, { sheetId, ids, stands: isGuarded({ layout, sheetId }, state) });
  return ids;
}

/** A batch has landed whose answer shows these tables' header rows as expected. */
export function standGuards({ guards: layouts }: Flight, moved: ReadonlySet<string>, state: State): void {
  for (const { table } of layouts) {
    const guard = state.guards.get(table);
    if (guard !== undefined && !moved.has(table)) state.guards.set(table, { ...guard, stands: true });
  }
  dropGuards(
    layouts.filter(({ table }) => moved.has(table)),
    state,
  );
}

/** The tables' guards are not where they belong: they are removed, and created under new ids. */
export function dropGuards(layouts: readonly Layout[], state: State): void {
  for (const { table } of layouts) {
    for (const id of state.guards.get(table)?.ids.values() ?? []) state.drops.add(id);
    state.guards.delete(table);
  }
}

/** Google refused a batch whose header rows are as expected: its guards may be the reason. */
export function doubtGuards({ guards, units }: Flight, state: State, world: World): void {
  dropGuards(guards, state);
  if (guards.length > 0 && units.length === 0) state.guardsFrom = after(world.now, WITHOUT);
}
