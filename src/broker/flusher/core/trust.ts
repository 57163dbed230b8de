/** Whether a reading of a table may be shown: values of ours that stand in wrong columns must reach no reader. */
import type { Instant } from "../../../base/units.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { rowsOfKeys } from "./cells.ts";
import { sameColumns } from "./headers.ts";
import type { State } from "./model.ts";
import type { Stray } from "./tagged.ts";
import { strayCells } from "./undo.ts";

/** A table as Google gave it. */
export interface TableReading {
  readonly layout: Layout;
  /** The header row first, each row from the table's first column on. */
  readonly values: unknown;
  /** When Google was asked. */
  readonly askedAt: Instant;
}

export function mayShow({ layout, values, askedAt }: TableReading, { strays, cleared, wrote }: State): boolean {
  const { table } = layout;
  const clearedAt = cleared.get(table);
  if (clearedAt !== undefined && askedAt <= clearedAt) return false;
  const last = wrote.get(table);
  if (last !== undefined && askedAt <= last.at && !sameColumns(last.layout, layout)) return false; // it may stand in other columns than it was made for
  const here = [...strays].filter(([, stray]) => stray.layout.table === table);
  if (here.length === 0) return true;
  if (here.some(([, stray]) => stray.seen || !sameColumns(stray.layout, layout))) return false;
  return showsNone(layout, rowsOf(values), new Map(here.map(([name, stray]) => [name.slice(table.length + 1), stray])));
}

const rowsOf = (values: unknown): readonly (readonly unknown[])[] =>
  (Array.isArray(values) ? (values as unknown[]) : []).map((row): readonly unknown[] => (Array.isArray(row) ? row : []));

/** The columns are those that the rows were written by; but a column may have moved away and back meanwhile. */
function showsNone(layout: Layout, values: readonly (readonly unknown[])[], strays: ReadonlyMap<string, Stray>): boolean {
  const key = layout.columns.indexOf(layout.key);
  const keys = values.map((row) => [row[key]]);
  const found = rowsOfKeys(keys, 0, new Set(strays.keys()));
  const flush = { ...layout, column: 0 };
  return [...strays].every(([name, stray]) => {
    const row = values[found.get(name) ?? -1];
    return row !== undefined && strayCells(flush, values[0] ?? [], row, stray).size === 0;
  });
}
