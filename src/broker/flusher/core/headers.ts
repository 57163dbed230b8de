/**
 * Whether the columns still stand where a table's last reading showed them. Cells are written by position, and people rename, insert
 * and drag columns: so the header row is looked at before values go to a table, unless that was done in the last moments, and every batch
 * shows it once more in its own answer. While it is another one the table's writes wait, and the table is read anew.
 */
import { a1, foldTitle, letters } from "../../../sheets/a1.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { columnNames } from "../../../sheets/header.ts";
import { headerIn } from "./answer.ts";
import { HEADER_AGAIN, HEADER_TRUST } from "./limits.ts";
import type { Flight, HandlerOf, State, World } from "./model.ts";
import { failed, finish, hold, settle, settlement, worked } from "./steps.ts";

/** The header row of a table, as far as its columns are known. */
export function headerRange({ tab, row, column, columns }: Layout): string {
  return `${a1(tab)}!${letters(column)}${row + 1}:${letters(column + Math.max(1, columns.length) - 1)}${row + 1}`;
}

/** Further columns to the right move no other. */
export function standsAsKnown({ columns }: Layout, header: readonly unknown[]): boolean {
  const names = columnNames(header);
  return columns.every((name, at) => names[at] === name);
}

export const sameColumns = (a: Layout, b: Layout): boolean =>
  a === b || (a.tab === b.tab && a.row === b.row && a.column === b.column && JSON.stringify(a.columns) === JSON.stringify(b.columns));

/** The header row was another one than in this reading; until a later reading, or another look. */
export function isAstray(layout: Layout, { headers }: State, { now }: World): boolean {
  const seen = headers.get(layout.table);
  return seen?.holds === false && seen.layout === layout && now - seen.at < HEADER_AGAIN;
}

/** @returns those whose header row must be looked at before anything is written by it. */
export function unseen(layouts: Iterable<Layout>, { headers }: State, { now }: World): readonly Layout[] {
  const apart = new Map(Array.from(layouts, (layout) => [layout.table, layout]));
  return [...apart.values()].filter((layout) => {
    const seen = headers.get(layout.table);
    return !(seen?.holds === true && sameColumns(seen.layout, layout) && now - seen.at < HEADER_TRUST);
  });
}

/** A header row was read. @returns `holds` */
export function keepHeader(layout: Layout, holds: boolean, state: State, world: World): boolean {
  state.found.add(layout.table);
  return noteHeader(layout, holds, state, world);
}

function noteHeader(layout: Layout, holds: boolean, state: State, world: World): boolean {
  state.headers.set(layout.table, { layout, holds, at: world.now });
  if (!holds) state.moved.add(layout.table);
  return holds;
}

/** What a batch's own answer shows of the header rows that it was made by. @returns the tables whose row was another one. */
export function confirm(answer: unknown, { layouts, guards }: Flight, state: State, world: World): ReadonlySet<string> {
  return new Set(
    [...new Set([...layouts, ...guards])].flatMap((layout) => {
      const header = headerIn(answer, layout);
      return header === undefined || keepHeader(layout, standsAsKnown(layout, header), state, world) ? [] : [layout.table];
    }),
  );
}

export const heading: HandlerOf<"heading"> = {
  go: (job, state, world) => hold(world.mayRead, state, world) ?? { do: "headers", ranges: job.layouts.map(headerRange) },
  on(job, event, state, world) {
    if (event.type !== "headed") return;
    const { layouts, flight } = job;
    const { outcome } = event;
    const next = (): void => {
      if (flight === undefined) return finish(state);
      const moved = job.refused !== true || [...flight.layouts, ...flight.guards].some((layout) => isAstray(layout, state, world));
      state.job = moved ? { is: "sending", flight } : { is: "looking", flight, after: "sending" };
    };
    if (outcome.is === "noRange") {
      const named = layouts.filter((layout) => bare(headerRange(layout)) === bare(outcome.range));
      if (named.length === 0 && layouts.length > 1) return void (state.job = { ...job, layouts: layouts.slice(0, layouts.length >> 1) });
      for (const layout of named.length > 0 ? named : layouts) noteHeader(layout, false, state, world);
      return next();
    }
    if (outcome.is !== "ok") return failed(outcome, state, world);
    worked(state);
    for (const [i, layout] of layouts.entries()) {
      const [header] = Array.isArray(outcome.value[i]) ? (outcome.value[i] as unknown[]) : [];
      keepHeader(layout, standsAsKnown(layout, Array.isArray(header) ? header : []), state, world);
    }
    next();
  },
};

const bare = (range: string): string => foldTitle(range.replaceAll("'", ""));

/**
 * Before a batch is sent, for the first time or again.
 * @returns whether it may be: else the state has another job.
 */
export function mayGo(flight: Flight, state: State, world: World): boolean {
  if ([...flight.layouts, ...flight.guards].some((layout) => isAstray(layout, state, world))) {
    flight.moved = true;
    if (flight.unsure) state.job = { is: "voiding", flight };
    else settle(state, flight, settlement(world, { again: flight.batch.lsns }));
    return false;
  }
  const layouts = unseen(flight.layouts, state, world);
  if (layouts.length > 0) state.job = { is: "heading", layouts, flight };
  return layouts.length === 0;
}
