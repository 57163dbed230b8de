/**
 * How large writes may make a table. Rows and bytes are those of the sheet as it was last read and of all accepted writes on top, whether
 * the sheet has them yet or not. Bytes are those of Google's answer in JSON: hidden columns, rows marked as deleted and empty rows count.
 */
import { mebibytes, type Bytes } from "../base/units.ts";
import type { Cell } from "./snapshot.ts";
import type { Table } from "./types.ts";

export interface Growth {
  readonly rows: number;
  readonly bytes: number;
}

export const DEFAULT_MAX_ROWS = 20_000;
export const MOST_ROWS = 100_000;
/** An answer of Google's over 32 MiB is not read. */
export const DEFAULT_MAX_BYTES: Bytes = mebibytes(16);
export const MOST_BYTES: Bytes = mebibytes(24);

type Limited = Pick<Table, "maxRows" | "maxBytes">;
type CellRow = readonly Cell[];

const limitsOf = ({ maxRows = DEFAULT_MAX_ROWS, maxBytes = DEFAULT_MAX_BYTES }: Limited): Growth => ({ rows: maxRows, bytes: maxBytes });

/** Characters that Google's JSON escapes: those of RFC 8259, and these, with six bytes each. */
// oxlint-disable-next-line no-control-regex
const ESCAPED = /["\\\u0000-\u001f<>\u2028\u2029]/;
const ESCAPED_BY_GOOGLE = /[<>\u2028\u2029]/g;
const EMPTY_CELL = 3;

const textBytes = (text: string): number =>
  Buffer.byteLength(ESCAPED.test(text) ? JSON.stringify(text).replace(ESCAPED_BY_GOOGLE, "\\u003c").slice(1, -1) : text);

/** Of a cell and its comma. */
function cellBytes(cell: unknown): number {
  if (typeof cell === "string") return textBytes(cell) + EMPTY_CELL;
  return cell === null ? EMPTY_CELL : JSON.stringify(cell).length + 1;
}

const rowBytes = (row: readonly unknown[]): number => row.reduce<number>((sum, cell) => sum + cellBytes(cell), 3);

/** The bytes of an answer with these values, without its head. */
export const valuesBytes = (values: unknown): number =>
  Array.isArray(values) ? (values as unknown[]).reduce<number>((sum, row) => sum + (Array.isArray(row) ? rowBytes(row) : 3), 0) : 0;

/** What a row becoming another adds; undefined: no row. */
export const rowGrowth = (before: CellRow | undefined, after: CellRow | undefined): Growth => ({
  rows: Number(after !== undefined) - Number(before !== undefined),
  bytes: (after === undefined ? 0 : rowBytes(after)) - (before === undefined ? 0 : rowBytes(before)),
});

/** What values add in columns that no row shows. */
export const hiddenBytes = (values: Readonly<Record<string, unknown>>, shown: ReadonlySet<string>): number =>
  Object.entries(values).reduce((sum, [name, value]) => sum + (shown.has(name) ? 0 : cellBytes(value)), 0);

export const sum = (one: Growth, other: Growth): Growth => ({ rows: one.rows + other.rows, bytes: one.bytes + other.bytes });

/** @returns why a table may not grow like that; undefined: it may. What adds nothing is never too much. */
export function tooMuch(table: Limited, before: Growth, added: Growth): string | undefined {
  const most = limitsOf(table);
  const after = sum(before, added);
  if (added.rows > 0 && after.rows > most.rows) return `the table would have ${after.rows} rows: its maxRows is ${most.rows}`;
  if (added.bytes > 0 && after.bytes > most.bytes) return `the table would have ${after.bytes} bytes: its maxBytes is ${most.bytes}`;
  return undefined;
}

/** How much of its nearer limit a table has, in percent. */
export function fillOf(table: Limited, { rows, bytes }: Growth): number {
  const most = limitsOf(table);
  return Math.round(Math.max(rows / most.rows, bytes / most.bytes) * 1_000) / 10;
}
