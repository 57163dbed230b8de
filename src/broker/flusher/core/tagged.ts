/** The words for rows that stand in the sheet: where they are, what they held, and what is on its way to them. */
import type { Instant } from "../../../base/units.ts";
import type { Layout } from "../../../sheets/layout.ts";
import type { Value, Values } from "./cells.ts";

/** A row's cells as they were seen, in the table's columns. */
export interface Image {
  readonly columns: Layout["columns"];
  readonly cells: readonly Value[];
}

/** A row that is pinned, and whose key cell was seen. */
export interface Tag {
  readonly id: number;
  readonly table: string;
  readonly key: string;
  /** Where it was pinned. */
  readonly row: number;
  readonly seenAt: Instant;
  /** Undefined: it is not known, or too long to be kept. */
  readonly image?: Image | undefined;
}

/** A row with values that stand in wrong columns, or may. */
export interface Stray {
  /** That the values were written by. */
  readonly layout: Layout;
  readonly sheetId: number;
  /** It is known that they do. */
  readonly seen: boolean;
  /** The row as it was before. */
  readonly image: Image | undefined;
  readonly values: Values;
  /** Every value that was written to it since. */
  readonly wrote: ReadonlySet<Value>;
}

/** Changes of one row that are written at once. */
export interface RowChange {
  readonly tag: Tag;
  readonly layout: Layout;
  readonly sheetId: number;
  readonly lsns: readonly number[];
  readonly values: Readonly<Record<string, string | number | boolean | null>>;
}

/** What is put back into a row, by position from the tab's first column. */
export interface Undo {
  readonly tag: Tag;
  readonly cells: ReadonlyMap<number, Value>;
}

/** Trouble that a row's writes have had. */
export interface Trouble {
  readonly count: number;
  readonly notBefore: Instant;
  /** Where its row stands must be read anew. */
  readonly lost: boolean;
  /** Its values were refused, once. */
  readonly refused: boolean;
}

/** Where rows of a table stand, as our own readings showed it. */
export interface Located {
  at: Instant | undefined;
  readonly rows: Map<string, number>;
}
