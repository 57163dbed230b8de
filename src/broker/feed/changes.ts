/** What is told of a table when its rows are others than before: each row that changed, or that it is to be read again. Pure. */
import type { ResetReason, RowChange, TableChange } from "../../sheets/events.ts";
import { Snapshot } from "../../sheets/snapshot.ts";
import { applyChanges, diffRows, keyedRows, rowsFromTexts, textsOf, type KeyedRows } from "./diff.ts";

/** Rows that can be compared with others of the same shape. */
export interface Shaped {
  readonly keyed: KeyedRows;
  /** Columns and key. */
  readonly shape: string;
}

/** A change of more rows, or of more bytes, is told as one: reading the table again costs everyone less. */
const MOST_CHANGES = 1_000;
const MOST_WEIGHT = 262_144;

/** Bytes that have a buffer of their own are read where they are. */
const snapshotOf = (bytes: Uint8Array): Snapshot =>
  new Snapshot(bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : new Uint8Array(bytes).buffer);
const shapeOf = ({ key, columns }: Snapshot): string => JSON.stringify([key, columns]);

/** @param bytes a snapshot's. @param before spares most of the work. @throws RangeError when they are no snapshot. */
export function shapedRows(bytes: Uint8Array, before: Shaped | undefined): Shaped {
  const snapshot = snapshotOf(bytes);
  const shape = shapeOf(snapshot);
  return { keyed: keyedRows(snapshot, before?.shape === shape ? before.keyed : undefined), shape };
}

/** Rows as they were once, and what has changed since. @throws RangeError when the bytes are no snapshot. */
export function changedRows(bytes: Uint8Array, changes: readonly RowChange[]): Shaped {
  const { keyed, shape } = shapedRows(bytes, undefined);
  const texts = textsOf(keyed);
  applyChanges(changes, texts);
  return { keyed: rowsFromTexts(texts), shape };
}

/** @param before undefined: what was told last is not known any more. */
export function changesOf(before: Shaped | undefined, after: Shaped): readonly TableChange[] {
  const reset = (reason: ResetReason): readonly TableChange[] => [{ kind: "reset", reason }];
  if (before === undefined) return reset("history");
  if (before.shape !== after.shape) return reset("columns");
  const changes = diffRows(before.keyed, after.keyed);
  const weight = changes.reduce((sum, change) => sum + change.key.length + ("row" in change ? change.row.length : 0), 0);
  return changes.length > MOST_CHANGES || weight > MOST_WEIGHT ? reset("many") : changes;
}
