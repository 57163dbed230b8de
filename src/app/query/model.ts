/** The words of a query: what a client asked of one table, checked and typed. */
import type { ColumnType } from "../../sheets/types.ts";

/** A cell as JSON carries it; null is an empty cell. */
export type Cell = string | number | boolean | null;

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
export const MAX_FILTERS = 16;
export const MAX_SORT_KEYS = 4;
/** Values in one `in` list. */
export const MAX_LIST = 100;
/** Characters of one filter value. */
export const MAX_VALUE = 256;
/** Characters of the raw query string. */
export const MAX_QUERY = 8_192;

export const OPERATORS = ["eq", "ne", "gt", "gte", "lt", "lte", "in"] as const;
export type Operator = (typeof OPERATORS)[number];

/** One value of a filter, as each kind of cell may be compared with it; undefined: no cell of that kind can match. */
export interface Wanted {
  /** Empty text matches empty cells. */
  readonly text: string;
  readonly number: number | undefined;
  readonly boolean: boolean | undefined;
}

export interface Filter {
  readonly column: string;
  readonly operator: Operator;
  /** One value; for `in` one or more. */
  readonly wanted: readonly Wanted[];
}

export interface SortKey {
  readonly column: string;
  readonly descending: boolean;
}

export interface Query {
  readonly limit: number;
  readonly cursor: Cursor | undefined;
  /** Rows of the selection before the page, where there is no cursor. */
  readonly skip?: number;
  readonly filters: readonly Filter[];
  readonly sort: readonly SortKey[];
  /** Tells this selection (table, filters, sort) from others: a cursor belongs to one. */
  readonly selection: string;
}

/** What the client may name: the visible columns of one table. */
export interface QueryColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** Where the next page begins, and how to find that place again once the rows have changed. */
export interface Cursor {
  /** The content's hash (16 hex digits): as long as it is the same, `offset` is exact. */
  readonly hash: string;
  readonly selection: string;
  /** Place of the next row in the result. */
  readonly offset: number;
  /** Place in the table of the last row given. */
  readonly row: number;
  /** Identities of the last rows before the cursor, the nearest first: the first that still exists is continued after. */
  readonly anchors: readonly number[];
  /** The last row's sort values (long texts cut), and how many rows given share them. Empty without a sort. */
  readonly values: readonly Cell[];
  readonly ties: number;
}

/** A mistake of the client: answered as 400 with the parameter's name. */
export interface BadParameter {
  readonly parameter: string;
  /** What came and what was expected, in one sentence. */
  readonly detail: string;
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly bad: BadParameter };
export const good = <T>(value: T): Checked<T> => ({ ok: true, value });
export const bad = (parameter: string, detail: string): { readonly ok: false; readonly bad: BadParameter } => ({
  ok: false,
  bad: { parameter, detail },
});

/** A client's text for a message: cut, so that a long one does not fill the answer. */
export function quoted(text: string, most = 60): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return `“${cut.toWellFormed()}”`;
}
