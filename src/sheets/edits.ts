/** How rows of one version become those of the next: what the broker tells workers of a table that it has shown them before. Pure. */
import type { SnapshotHead } from "./types.ts";

/**
 * `gone` rows from row `at` on make place for the next `added` of the rows that come along. Rows are counted in the version before; the
 * edits of one step go upwards and overlap nowhere.
 */
export type Edit = readonly [at: number, gone: number, added: number];

/** What makes the rows of version `from` into those of `head`. */
export interface Step {
  readonly head: SnapshotHead;
  readonly from: number;
  readonly edits: readonly Edit[];
  /** A snapshot of the rows that are new. */
  readonly added: Uint8Array;
}

/** What differs between two lists of rows. */
export interface Edits<T> {
  readonly edits: readonly Edit[];
  /** The rows that are new, in their order. */
  readonly rows: readonly T[];
}

/** @returns what makes `before` into `after`. Rows are told apart by identity: one that is another object is another row, whatever it holds. */
export function editsBetween<T extends object>(before: readonly T[], after: readonly T[]): Edits<T> {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let tail = 0;
  while (tail < shorter - from && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  return walk({ rows: before, end: before.length - tail }, { rows: after, end: after.length - tail }, from);
}

/** A list up to where the rest of both is the same. */
interface Part<T> {
  readonly rows: readonly T[];
  readonly end: number;
}

function walk<T extends object>(before: Part<T>, after: Part<T>, from: number): Edits<T> {
  const stays = new Set(after.rows.slice(from, after.end));
  const edits: Edit[] = [];
  const rows: T[] = [];
  let [i, j] = [from, from];
  while (i < before.end || j < after.end) {
    const [at, first] = [i, j];
    while (i < before.end && (j >= after.end || !stays.has(before.rows[i] as T))) i += 1;
    while (j < after.end && (i >= before.end || before.rows[i] !== after.rows[j])) rows.push(after.rows[j++] as T);
    if (i > at || j > first) edits.push([at, i - at, j - first]);
    while (i < before.end && j < after.end && before.rows[i] === after.rows[j]) [i, j] = [i + 1, j + 1];
  }
  return { edits, rows };
}

/** A run of rows that one of the two lists gives: `from` up to but without `to`. */
export interface Run {
  readonly of: "before" | "new";
  readonly from: number;
  readonly to: number;
}

/**
 * @param before how many rows there were. @param added how many new ones come along.
 * @returns the runs that make up the next version, none of them empty. @throws RangeError when the edits do not fit those rows.
 */
export function runsOf(edits: readonly Edit[], before: number, added: number): readonly Run[] {
  const runs: Run[] = [];
  const put = (of: Run["of"], from: number, to: number): void => void (to > from && runs.push({ of, from, to }));
  let [at, nr] = [0, 0];
  for (const [place, gone, count] of edits) {
    if (place < at || place + gone > before || nr + count > added) throw new RangeError(`the edit ${place}/${gone}/${count} has no place`);
    put("before", at, place);
    put("new", nr, nr + count);
    [at, nr] = [place + gone, nr + count];
  }
  if (nr !== added) throw new RangeError(`${added} new rows, of which the edits place ${nr}`);
  put("before", at, before);
  return runs;
}
