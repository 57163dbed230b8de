/** A cell, immutable. Most cells are bare values: 50,000 rows of them must stay cheap. */
import type { JsonObject } from "./json.ts";

export type Scalar = string | number | boolean;

/** A cell with more than a literal value. Without `value` and `formula` it is empty, but formatted or annotated. */
export interface Rich {
  readonly value?: Scalar;
  /** With its leading "=". */
  readonly formula?: string;
  /** The NumberFormat that came with what was typed: 2020-01-01 makes a date. */
  readonly numberFormat?: JsonObject;
  readonly note?: string;
}

export type Cell = Scalar | Rich;

export const isRich = (cell: Cell | undefined): cell is Rich => typeof cell === "object";

/** Nothing to read: no cell, or one that is only formatted or annotated. */
export const isBlank = (cell: Cell | undefined): boolean =>
  cell === undefined ||
  (typeof cell === "object" && cell.value === undefined && cell.formula === undefined);

/** The cheapest cell that says the same; undefined when it says nothing. */
export function slim({ value, formula, numberFormat, note }: Rich): Cell | undefined {
  const noted = note !== undefined && note !== "";
  if (formula === undefined && numberFormat === undefined && !noted) return value;
  return {
    ...(value === undefined ? {} : { value }),
    ...(formula === undefined ? {} : { formula }),
    ...(numberFormat === undefined ? {} : { numberFormat }),
    ...(noted ? { note } : {}),
  };
}

/** Every cell as a record. */
export const toRich = (cell: Cell | undefined): Rich =>
  cell === undefined ? {} : typeof cell === "object" ? cell : { value: cell };

/** What is entered: without a note. */
export type Content = Omit<Rich, "note">;

/** The cell after `content` was entered into it: note and format stay, unless the content brings a format along. */
export function enter(cell: Cell | undefined, content: Content): Cell | undefined {
  const { note, numberFormat } = toRich(cell);
  return slim({
    ...(note === undefined ? {} : { note }),
    ...(numberFormat === undefined ? {} : { numberFormat }),
    ...content,
  });
}
