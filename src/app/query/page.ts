/**
 * One page of a selection. The plain list is a slice of the snapshot's bytes: nothing is parsed but the few rows that the
 * next cursor remembers.
 *
 * A cursor of other content continues where its reader was:
 *   without a sort  behind the last row given, found by its key; if it is gone, behind the nearest row before it that
 *                   still exists (8 are remembered); if all are gone, at the same place by number, less those
 *   with a sort     at the first row that sorts behind the last one given, whatever has become of it
 * So rows that were neither moved nor edited are met at most once, whatever was added, removed or edited around them.
 */
import { ANCHORS, writeCursor } from "./cursor.ts";
import { filterRows } from "./filter.ts";
import type { Cursor, Query } from "./model.ts";
import { identityOf, type Rows } from "./rows.ts";
import { compareToCursor, cursorValues, sortRows } from "./sort.ts";

export interface Page {
  /** JSON objects joined by commas. */
  readonly rows: Uint8Array;
  /** Rows of the whole selection. */
  readonly total: number;
  readonly next: string | null;
}

/** Bytes of one page's rows: with cells of 50,000 characters a thousand rows would be too much for one answer. */
export const MAX_PAGE = 4 * 1_048_576;

/** True when the answer is a slice: no filter, no sort, and no cursor that must be looked up in other content. */
export function isSlice(query: Query, rows: Rows): boolean {
  return query.filters.length === 0 && query.sort.length === 0 && (query.cursor === undefined || query.cursor.hash === rows.hash);
}

/** Pure; linear in the rows when filtered, n log n when sorted. */
export function selectPage(rows: Rows, query: Query): Page {
  return isSlice(query, rows) ? slicePage(rows, query) : searchPage(rows, query);
}

function slicePage(rows: Rows, query: Query): Page {
  const total = rows.rowCount;
  const start = Math.min(query.cursor?.offset ?? query.skip ?? 0, total);
  const end = fit(rows, start, Math.min(start + query.limit, total), (i) => i);
  const next = end < total ? writeCursor(cursorAt(rows, query, { end, at: (i) => i })) : null;
  return { rows: rows.rowSlice(start, end), total, next };
}

/** @returns the places of all rows of the selection in its order, and which of them the page begins with. */
export function selectRows(rows: Rows, query: Query): { readonly order: Uint32Array; readonly start: number } {
  const columns = (name: string) => rows.cells(name);
  const order = sortRows(filterRows(rows.rowCount, columns, query.filters), columns, query.sort);
  const start = query.cursor === undefined ? (query.skip ?? 0) : startOf(rows, query, query.cursor, order);
  return { order, start: Math.min(start, order.length) };
}

function searchPage(rows: Rows, query: Query): Page {
  const { order, start } = selectRows(rows, query);
  const total = order.length;
  const at = (i: number) => order[i] as number;
  const end = fit(rows, start, Math.min(start + query.limit, total), at);
  const next = end < total ? writeCursor(cursorAt(rows, query, { end, at })) : null;
  return { rows: joinRows(rows, order.subarray(start, end)), total, next };
}

/** The end of a page whose rows are at most MAX_PAGE together; the first row always fits. */
function fit(rows: Rows, start: number, end: number, at: (i: number) => number): number {
  if (rows.rowSlice(0, rows.rowCount).byteLength <= MAX_PAGE) return end;
  let size = 0;
  for (let i = start; i < end; i += 1) {
    size += rows.rowSlice(at(i), at(i) + 1).byteLength + 1;
    if (size > MAX_PAGE && i > start) return i;
  }
  return end;
}

/** A cursor behind the first `end` rows of the selection; `at` gives a row's place in the table. */
function cursorAt(rows: Rows, query: Query, { end, at }: { end: number; at: (i: number) => number }): Cursor {
  const columns = (name: string) => rows.cells(name);
  const row = at(end - 1);
  const values = cursorValues(row, columns, query.sort);
  // Without a sort the neighbours that matter are those in the table, whether the filter gave them or not.
  const before = query.sort.length === 0 ? (j: number) => row - j : (j: number) => (end - 1 - j < 0 ? -1 : at(end - 1 - j));
  const anchors: number[] = [];
  for (let j = 0; j < ANCHORS && before(j) >= 0; j += 1) anchors.push(identityOf(rows.key(before(j))));
  let ties = 0;
  if (query.sort.length > 0) while (ties < end && compareToCursor(at(end - 1 - ties), values, columns, query.sort) === 0) ties += 1;
  return { hash: rows.hash, selection: query.selection, offset: end, row, anchors, values, ties };
}

function startOf(rows: Rows, query: Query, cursor: Cursor, order: Uint32Array): number {
  if (cursor.hash === rows.hash) return cursor.offset;
  if (query.sort.length > 0) return startInSorted(rows, query, cursor, order);
  const after = rowAfter(rows, cursor);
  return lowerBound(order, (row) => row >= after);
}

/** The place in the table behind the nearest remembered row. */
function rowAfter(rows: Rows, cursor: Cursor): number {
  const keys = rows.keys();
  for (const [j, anchor] of cursor.anchors.entries()) {
    const found = nearest(rows.rowCount, cursor.row - j, (row) => identityOf(keys[row] ?? null) === anchor);
    if (found !== undefined) return found + 1;
  }
  return Math.max(0, cursor.row + 1 - cursor.anchors.length); // all of those are gone: so many fewer rows stand before
}

function startInSorted(rows: Rows, query: Query, cursor: Cursor, order: Uint32Array): number {
  const columns = (name: string) => rows.cells(name);
  const place = (row: number) => compareToCursor(row, cursor.values, columns, query.sort);
  const first = lowerBound(order, (row) => place(row) >= 0);
  const behind = lowerBound(order, (row) => place(row) > 0);
  const keys = rows.keys();
  for (const anchor of cursor.anchors.slice(0, cursor.ties)) {
    const found = nearest(behind - first, cursor.ties - 1, (i) => identityOf(keys[order[first + i] as number] ?? null) === anchor);
    if (found !== undefined) return first + found + 1;
  }
  return Math.min(first + Math.max(0, cursor.ties - cursor.anchors.length), behind);
}

/** The place nearest to `near` in 0…length−1 that passes: keys may come twice in a sheet, and edits are mostly small. */
function nearest(length: number, near: number, passes: (i: number) => boolean): number | undefined {
  const guess = Math.max(0, Math.min(near, length - 1)); // a cursor's numbers are the client's: never a bound of a loop
  for (let distance = 0; distance <= Math.max(guess, length - 1 - guess); distance += 1) {
    const below = guess - distance;
    const above = guess + distance;
    if (below >= 0 && below < length && passes(below)) return below;
    if (distance > 0 && above >= 0 && above < length && passes(above)) return above;
  }
  return undefined;
}

/** The first place whose row passes; `passes` must stay true from there on. */
function lowerBound(order: Uint32Array, passes: (row: number) => boolean): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(order[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Runs of neighbouring rows are copied in one piece. */
function joinRows(rows: Rows, places: Uint32Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < places.length;) {
    const from = places[i] as number;
    let to = from + 1;
    while (places[i + (to - from)] === to) to += 1;
    parts.push(...(i === 0 ? [] : [COMMA]), rows.rowSlice(from, to));
    i += to - from;
  }
  return Buffer.concat(parts);
}
const COMMA = Buffer.from(",");
