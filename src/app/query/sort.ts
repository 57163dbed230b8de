/** The one order of rows: the same on every machine, whatever its locale. */
import type { ColumnReader } from "./filter.ts";
import type { Cell, SortKey } from "./model.ts";

/** Texts in a cursor are cut to this many characters: rows that differ only behind it count as equal there. */
export const CURSOR_TEXT = 64;

/**
 * Numbers before texts before true/false; empty cells last, upwards and downwards. Texts by UTF-16 code units: no
 * locale has a say, so every worker and machine gives the same pages.
 */
export function compareCells(a: Cell, b: Cell, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const ranks = rank(a) - rank(b);
  const order = ranks !== 0 ? ranks : a < b ? -1 : a > b ? 1 : 0;
  return descending ? -order : order;
}

function rank(cell: string | number | boolean): number {
  return typeof cell === "number" ? 0 : typeof cell === "string" ? 1 : 2;
}

/** Sorts in place by the keys, then by place in the table: equal rows keep the spreadsheet's order. */
export function sortRows(rows: Uint32Array, columns: ColumnReader, keys: readonly SortKey[]): Uint32Array {
  const orders = keys.map((key) => ({ cells: columns(key.column), descending: key.descending }));
  return rows.sort((a, b) => {
    for (const { cells, descending } of orders) {
      const order = compareCells(cells[a] ?? null, cells[b] ?? null, descending);
      if (order !== 0) return order;
    }
    return a - b;
  });
}

/** A row's sort values as a cursor carries them. */
export function cursorValues(row: number, columns: ColumnReader, keys: readonly SortKey[]): Cell[] {
  return keys.map((key) => cut(columns(key.column)[row] ?? null));
}

/**
 * Where a row stands against a cursor's values: negative before, positive behind, 0 the same. Monotone over rows in
 * sorted order, because it stops at the first text that was cut: behind it nothing is known.
 */
export function compareToCursor(row: number, values: readonly Cell[], columns: ColumnReader, keys: readonly SortKey[]): number {
  for (const [i, key] of keys.entries()) {
    const wanted = values[i] ?? null;
    const order = compareCells(cut(columns(key.column)[row] ?? null), wanted, key.descending);
    if (order !== 0) return order;
    if (typeof wanted === "string" && wanted.length >= CURSOR_TEXT) return 0;
  }
  return 0;
}

function cut(cell: Cell): Cell {
  return typeof cell === "string" ? cell.slice(0, CURSOR_TEXT) : cell;
}
