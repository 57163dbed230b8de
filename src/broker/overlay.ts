/**
 * What was accepted, laid over what Google last said. By key, and so that it does no harm where the sheet has it already:
 * an append puts its values into the row with its key, or adds one; an update puts its values into its row, if it is there;
 * a delete takes the row away. Of several rows with one key (people make them) the upper one is meant, as everywhere.
 */
import { impossible } from "../base/never.ts";
import { readCell } from "../sheets/cell.ts";
import { NO_KEY, numbered, rowId } from "../sheets/rowids.ts";
import type { Cell, Content } from "../sheets/snapshot.ts";
import type { Entry } from "./journal/journal.ts";

/** What an entry does to a table. */
export type Laid = Pick<Entry, "op" | "key" | "values">;
export type CellRow = readonly Cell[];

/** Rows are kept from one version to the next: each is hashed once. */
const known = new WeakMap<CellRow, string>();

function firstIdOf(row: CellRow): string {
  const id = known.get(row) ?? rowId(row);
  known.set(row, id);
  return id;
}

/** @returns each row's key, or its id where the table has no key column. */
export const keysOf = ({ rows, key }: Content): readonly string[] =>
  key === NO_KEY ? numbered(rows.map(firstIdOf)) : rows.map((row) => String(row[key]));

/** @returns where the first row with each key stands. */
export function indexKeys(content: Content): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  for (const [at, key] of keysOf(content).entries()) if (!index.has(key)) index.set(key, at);
  return index;
}

/** @returns a row as it is after an entry; undefined: there is none. @param row as it was before; undefined: there was none. */
export function layRow(columns: Content["columns"], row: CellRow | undefined, entry: Laid): CellRow | undefined {
  const { op, values } = entry;
  switch (op) {
    case "delete":
      return undefined;
    case "update":
      return row === undefined ? undefined : merged(columns, row, values);
    case "append":
      return merged(columns, row ?? columns.map(() => null), values);
    default:
      return impossible(op);
  }
}

/** Cells as they would be read again. Columns that are hidden, or no more, have no place in a row. */
const merged = (columns: Content["columns"], row: CellRow, values: Laid["values"]): CellRow =>
  columns.map(({ name, type }, at) => (Object.hasOwn(values, name) ? (readCell(values[name] ?? null, type) ?? null) : (row[at] ?? null)));

/**
 * @param index of the base (see `indexKeys`). @param entries in the order of acceptance. @param lay `layRow`, or one that remembers.
 * @returns the base with the entries laid over it; rows that no entry touches are the base's own.
 */
export function overlay(base: Content, index: ReadonlyMap<string, number>, entries: readonly Laid[], lay = layRow): Content {
  if (entries.length === 0) return base;
  const rows: (CellRow | undefined)[] = [...base.rows];
  const added = new Map<string, number>();
  for (const entry of entries) {
    const at = added.get(entry.key) ?? index.get(entry.key);
    const before = at === undefined ? undefined : rows[at];
    const row = lay(base.columns, before, entry);
    if (before !== undefined) rows[at as number] = row;
    else if (row !== undefined) {
      added.set(entry.key, rows.length);
      rows.push(row);
    }
  }
  return { ...base, rows: rows.filter((row) => row !== undefined) };
}
