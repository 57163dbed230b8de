/** What has changed between two readings of a table, row by row. Pure. */
import type { RowChange } from "../../sheets/events.ts";
import type { Snapshot } from "../../sheets/snapshot.ts";
import { firstId, numbered } from "../../sheets/rowids.ts";
import { alike, type Alike } from "./alike.ts";
import { firstsOf, type Firsts } from "./firsts.ts";

/** A table's rows, found by key. Of several rows with one key the first counts, as it does in look-ups. */
export interface KeyedRows {
  /** Where the first row of each key stands. */
  readonly first: Firsts;
  /** Each row's key. */
  readonly keys: readonly string[];
  /** A row's JSON text. */
  bytes(row: number): Uint8Array;
  /** The texts of several rows, with commas between; not where they are kept apart. */
  readonly slice?: (from: number, to: number) => Uint8Array;
}

function alikeRows(before: KeyedRows | undefined, after: Pick<KeyedRows, "slice">, count: number): Alike {
  if (before?.slice === undefined || after.slice === undefined) return { head: 0, tail: 0 };
  return alike({ count: before.keys.length, slice: before.slice }, { count, slice: after.slice });
}

/**
 * Rows are compared as bytes with those that stood in their place before: only what is new there is parsed for its key, and
 * the key says where to go on comparing.
 * @param before an earlier reading of the same table with the same columns.
 */
export function keyedRows(snapshot: Snapshot, before?: KeyedRows): KeyedRows {
  const slice = (from: number, to: number): Uint8Array => snapshot.rowSlice(from, to);
  const bytes = (row: number): Uint8Array => slice(row, row + 1);
  const { head, tail } = alikeRows(before, { slice }, snapshot.rowCount);
  const hasIds = snapshot.key === undefined;
  const keyOf = (i: number): string => (hasIds ? snapshot.firstIdOf(i) : String(snapshot.row(i)?.[snapshot.key ?? ""] ?? ""));
  let keys = before?.keys.slice(0, head) ?? [];
  let next = head;
  let inPlace = before?.keys.length === snapshot.rowCount;
  for (let i = head; i < snapshot.rowCount - tail; i += 1) {
    const same = before !== undefined && next < before.keys.length && Buffer.compare(bytes(i), before.bytes(next)) === 0;
    const key = same ? (before.keys[next] as string) : keyOf(i);
    keys.push(key);
    inPlace &&= same || before?.keys[i] === key;
    const was = same ? next : before?.first.get(key);
    if (was !== undefined) next = was + 1;
  }
  if (before !== undefined && tail > 0) for (const key of before.keys.slice(-tail)) keys.push(key);
  if (hasIds) keys = numbered(keys.map(firstId));
  return { first: inPlace && before !== undefined ? before.first : firstsOf(keys, before?.first, head), keys, bytes, slice };
}

/** Rows that were kept as texts by key. */
export function rowsFromTexts(texts: ReadonlyMap<string, string>): KeyedRows {
  const keys = [...texts.keys()];
  const rows = [...texts.values()].map((text) => Buffer.from(text));
  return { first: firstsOf(keys), keys, bytes: (row) => rows[row] as Uint8Array };
}

/** The texts of each key's first row. */
export function textsOf(rows: KeyedRows): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, row] of firstsFrom(rows, 0)) texts.set(key, Buffer.from(rows.bytes(row)).toString());
  return texts;
}

/** The first rows of keys from a row on. A key that stands before it has its first row there, in both readings. */
function* firstsFrom({ keys, first }: KeyedRows, from: number): Generator<readonly [key: string, row: number]> {
  for (let row = from; row < keys.length; row += 1) {
    const key = keys[row] as string;
    if (first.get(key) === row) yield [key, row];
  }
}

/**
 * @returns what makes the rows of `before`, by key, those of `after`: first what has gone, then the rest in the order of the rows.
 * A row that has only moved has not changed.
 */
export function diffRows(before: KeyedRows, after: KeyedRows): readonly RowChange[] {
  const changes: RowChange[] = [];
  const { head, tail } = alikeRows(before, after, after.keys.length);
  for (const [key] of firstsFrom(before, head)) if (!after.first.has(key)) changes.push({ kind: "row.deleted", key });
  const moved = after.keys.length - before.keys.length;
  for (const [key, row] of firstsFrom(after, head)) {
    const was = before.first.get(key);
    if (was !== undefined && was + moved === row && row >= after.keys.length - tail) continue;
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
