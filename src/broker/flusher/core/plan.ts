/** Which of what waits may go now, and how. Rows are independent of each other; the writes of one row go in their order. */
import type { Entry } from "../../journal/journal.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { deletion, missingColumn, type Values } from "./cells.ts";
import { isAstray } from "./headers.ts";
import { MOST_BYTES, MOST_ROWS, TRUST } from "./limits.ts";
import type { State, World } from "./model.ts";
import type { RowChange } from "./tagged.ts";
import { rowName } from "./queue.ts";

/** A row to append, with the updates that came for it meanwhile. */
export interface Unit {
  readonly layout: Layout;
  readonly sheetId: number;
  readonly lsns: readonly number[];
  readonly values: Values;
}

/** A row to pin: where it was last seen. */
export interface PinWish {
  readonly layout: Layout;
  readonly sheetId: number;
  readonly key: string;
  readonly row: number;
}

export interface Plan {
  readonly units: readonly Unit[];
  readonly pins: readonly PinWish[];
  readonly rows: readonly RowChange[];
  /** Tables with keys that stand nobody knows where. */
  readonly unlocated: ReadonlyMap<string, ReadonlySet<string>>;
  readonly parked: readonly { readonly lsn: number; readonly reason: string }[];
  /** Updates of nothing: done as they are. */
  readonly empty: readonly number[];
  /** Tables whose tab the spreadsheet does not have, as far as is known: its title. */
  readonly unnamed: ReadonlyMap<string, string>;
}

interface Run {
  readonly kind: "append" | "change";
  readonly layout: Layout;
  readonly sheetId: number;
  readonly entries: Entry[];
}

interface Draft {
  readonly runs: Map<string, Run>;
  readonly blocked: Set<string>;
  readonly parked: { lsn: number; reason: string }[];
  readonly unnamed: Map<string, string>;
  bytes: number;
  count: number;
}

/** @param piece only these; undefined: all that no piece names. */
export function plan(state: State, world: World, piece: readonly number[] | undefined): Plan {
  const draft: Draft = { runs: new Map(), blocked: new Set(), parked: [], unnamed: new Map(), bytes: 0, count: 0 };
  const apart = new Set(piece === undefined ? state.pieces.flat() : []);
  for (const { entry, bytes } of piece === undefined ? state.queue.all() : state.queue.of(piece)) {
    const name = rowName(entry);
    if (apart.has(entry.lsn)) draft.blocked.add(name);
    if (draft.blocked.has(name)) continue;
    if (draft.count >= MOST_ROWS || (draft.count > 0 && draft.bytes + bytes > MOST_BYTES)) break;
    if (!take(draft, entry, state, world)) continue;
    draft.bytes += bytes;
    draft.count += 1;
  }
  return sort(draft, state, world);
}

/** @returns whether the entry is in the draft; if not, the row's later ones are not either. */
function take(draft: Draft, entry: Entry, state: State, world: World): boolean {
  const name = rowName(entry);
  const run = draft.runs.get(name);
  const layout = run?.layout ?? world.layout(entry.table);
  const sheetId = layout === undefined ? undefined : state.ids?.get(layout.tab);
  if (layout !== undefined && sheetId === undefined) draft.unnamed.set(layout.table, layout.tab);
  const fits = run === undefined || (run.kind === "append" ? entry.op === "update" : entry.op !== "append");
  const held = (state.troubles.get(name)?.notBefore ?? world.now) > world.now;
  const waits = layout === undefined || !layout.columns.includes(layout.key) || isAstray(layout, state, world);
  if (waits || sheetId === undefined || !fits || held) {
    draft.blocked.add(name);
    return false;
  }
  const missing = missingColumn(layout, entry.values);
  if (missing !== undefined) {
    draft.parked.push({ lsn: entry.lsn, reason: `the table has no column ${JSON.stringify(missing)} any more` });
    if (entry.op === "append") draft.blocked.add(name);
    return false;
  }
  if (run === undefined) draft.runs.set(name, { kind: entry.op === "append" ? "append" : "change", layout, sheetId, entries: [entry] });
  else run.entries.push(entry);
  return true;
}

const merged = (run: Run): Values =>
  Object.fromEntries(
    run.entries.flatMap((entry) => [
      ...(run.kind === "append" && entry.op === "append" && run.layout.rowIds !== true ? [[run.layout.key, entry.key] as const] : []),
      ...Object.entries(entry.op === "delete" ? deletion(run.layout) : entry.values),
    ]),
  );

function sort(draft: Draft, state: State, world: World): Plan {
  const [units, pins, rows, empty]: [Unit[], PinWish[], RowChange[], number[]] = [[], [], [], []];
  const parked = draft.parked;
  const unlocated = new Map<string, Set<string>>();
  for (const [name, run] of draft.runs) {
    const { layout, sheetId } = run;
    const [lsns, values, key] = [run.entries.map(({ lsn }) => lsn), merged(run), run.entries[0]?.key ?? ""];
    if (run.kind === "append") {
      units.push({ layout, sheetId, lsns, values });
      continue;
    }
    const reason = state.parkedRows.get(name);
    if (reason !== undefined) parked.push(...lsns.map((lsn) => ({ lsn, reason })));
    else if (Object.keys(values).length === 0) empty.push(...lsns);
    else place(name, { layout, sheetId, lsns, values, key });
  }
  return { units, pins, rows, empty, unlocated, parked, unnamed: draft.unnamed };

  function place(name: string, { key, ...change }: Unit & { readonly key: string }): void {
    const { layout, sheetId } = change;
    const tag = state.tags.get(name);
    if (tag !== undefined && world.now - tag.seenAt < TRUST) return void rows.push({ tag, ...change });
    const row = tag?.row ?? rowOf(state, world, layout.table, key);
    if (row !== undefined) return void pins.push({ layout, sheetId, key, row });
    unlocated.set(layout.table, (unlocated.get(layout.table) ?? new Set()).add(key));
  }
}

/** Our own reading first; that of the broker unless it has proven wrong. */
function rowOf(state: State, world: World, table: string, key: string): number | undefined {
  const own = state.located.get(table)?.rows.get(key);
  if (own !== undefined) return own;
  return state.troubles.get(rowName({ table, key }))?.lost === true ? undefined : world.rowOf(table, key);
}
