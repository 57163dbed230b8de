/**
 * Ids of rows whose table has no key column. An id is made of what its row shows: it is the same in every process and wherever
 * the row stands, and changes with the row. Equal rows are numbered from above: `ID`, `ID.2`, `ID.3`.
 */
import { hash } from "node:crypto";
import type { Cell } from "./snapshot.ts";
import type { Table } from "./types.ts";

/** In place of the key column's index. */
export const NO_KEY = -1;
const LENGTH = 16;

/**
 * Whether rows of this table have ids instead of keys: no key is named, rows may be added, and none is changed by its key.
 * Where rows are changed, or nobody adds any, the first visible column is the key.
 */
export const hasRowIds = ({ key, append, update }: Pick<Table, "key" | "append" | "update">): boolean =>
  key === undefined && append !== "nobody" && update === "nobody";

/** The id of a row, were it the first of its kind. Empty cells at its end do not count: a new column changes no id. */
export function rowId(cells: readonly Cell[]): string {
  const last = cells.findLastIndex((cell) => cell !== null);
  return hash("sha256", JSON.stringify(cells.slice(0, last + 1)), "base64url").slice(0, LENGTH);
}

/** @param nr of equal rows, from 1. */
export const nthId = (id: string, nr: number): string => (nr === 1 ? id : `${id}.${nr}`);

/** The id that a row would have as the first of its kind. */
export const firstId = (id: string): string => id.slice(0, LENGTH);

/** @param ids of the rows as if each were the first of its kind. */
export function numbered(ids: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  return Array.from(ids, (id) => {
    const nr = (counts.get(id) ?? 0) + 1;
    counts.set(id, nr);
    return nthId(id, nr);
  });
}
