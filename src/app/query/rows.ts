/** What the query core needs of a table's snapshot. */
import { firstId } from "../../sheets/rowids.ts";
import type { Snapshot } from "../../sheets/snapshot.ts";
import type { Cell } from "./model.ts";

export interface Rows {
  /** The visible content's hash: equal for equal content. */
  readonly hash: string;
  readonly rowCount: number;
  /** The bytes of rows `from` to `to` (exclusive) as JSON objects joined by commas; no brackets. */
  rowSlice(from: number, to: number): Uint8Array;
  /** The key of one row, which is parsed alone. */
  key(row: number): Cell;
  /** The keys of all rows. */
  keys(): readonly Cell[];
  /** One cell a row. */
  cells(column: string): readonly Cell[];
}

/** @param hash of the head that came with the snapshot. */
export function rowsOf(snapshot: Snapshot, hash: string): Rows {
  const cells = (column: string): readonly Cell[] => snapshot.columnValues(column) ?? [];
  const { key } = snapshot;
  return {
    hash,
    rowCount: snapshot.rowCount,
    rowSlice: (from, to) => snapshot.rowSlice(from, to),
    key: (row) => (key === undefined ? snapshot.firstIdOf(row) : (snapshot.row(row)?.[key] ?? null)),
    keys: () => (key === undefined ? snapshot.keys().map(firstId) : cells(key)),
    cells,
  };
}

/**
 * What tells one row from others across versions: its key as a 32-bit number. Two keys of one number cost at most a page
 * that begins at the wrong one of them.
 */
export function identityOf(key: Cell): number {
  return fnv1a(typeof key === "string" ? key : `${typeof key} ${String(key)}`);
}

/** FNV-1a (Fowler, Noll, Vo) over UTF-16 code units, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}
