/** What has changed between two readings of a table, row by row. Pure. */
import type { RowChange } from "../../sheets/events.ts";
import type { Snapshot } from "../../sheets/snapshot.ts";

/** A table's rows, found by key. Of several rows with one key the first counts, as it does in look-ups. */
export interface KeyedRows {
  /** Where the first row of each key stands. */
  readonly first: ReadonlyMap<string, number>;
  /** Each row's key. */
  readonly keys: readonly string[];
  /** A row's JSON text. */
  bytes(row: number): Uint8Array;
}

const firsts = (keys: readonly string[]): ReadonlyMap<string, number> => {
  const first = new Map<string, number>();
  for (const [i, key] of keys.entries()) if (!first.has(key)) first.set(key, i);
  return first;
};

/**
 * Rows are compared as bytes with those that stood in their place before: only what is new there is parsed for its key, and
 * the key says where to go on comparing.
 * @param before an earlier reading of the same table with the same columns.
 */
export function keyedRows(snapshot: Snapshot, before?: KeyedRows): KeyedRows {
  const bytes = (row: number): Uint8Array => snapshot.rowSlice(row, row + 1);
  const keys: string[] = [];
  let next = 0;
  let inPlace = before?.keys.length === snapshot.rowCount;
  for (let i = 0; i < snapshot.rowCount; i += 1) {
    const same = before !== undefined && next < before.keys.length && Buffer.compare(bytes(i), before.bytes(next)) === 0;
    const key = same ? (before.keys[next] as string) : String(snapshot.row(i)?.[snapshot.key] ?? "");
    keys.push(key);
    inPlace &&= same || before?.keys[i] === key;
    const was = same ? next : before?.first.get(key);
    if (was !== undefined) next = was + 1;
  }
  return inPlace && before !== undefined ? { ...before, bytes } : { first: firsts(keys), keys, bytes };
}

/** Rows that were kept as texts by key. */
export function rowsFromTexts(texts: ReadonlyMap<string, string>): KeyedRows {
  const keys = [...texts.keys()];
  const rows = [...texts.values()].map((text) => Buffer.from(text));
  return { first: firsts(keys), keys, bytes: (row) => rows[row] as Uint8Array };
}

/** The texts of each key's first row. */
export function textsOf({ first, bytes }: KeyedRows): Map<string, string> {
  return new Map([...first].map(([key, row]) => [key, Buffer.from(bytes(row)).toString()]));
}

/**
 * @returns what makes the rows of `before`, by key, those of `after`: first what has gone, then the rest in the order of the rows.
 * A row that has only moved has not changed.
 */
export function diffRows(before: KeyedRows, after: KeyedRows): readonly RowChange[] {
  const changes: RowChange[] = [];
  for (const key of before.first.keys()) if (!after.first.has(key)) changes.push({ kind: "row.deleted", key });
  for (const [key, row] of after.first) {
    const was = before.first.get(key);
    const now = after.bytes(row);
    if (was !== undefined && Buffer.compare(before.bytes(was), now) === 0) continue;
    changes.push({ kind: was === undefined ? "row.created" : "row.updated", key, row: Buffer.from(now).toString() });
  }
  return changes;
}

/** Makes the changes: the inverse of `diffRows`. */
export function applyChanges(changes: Iterable<RowChange>, rows: Map<string, string>): void {
  for (const change of changes) {
    if (change.kind === "row.deleted") rows.delete(change.key);
    else rows.set(change.key, change.row);
  }
}
