/** A cell, immutable. Most cells are bare values: 50,000 rows of them must stay cheap. */
import type { JsonObject } from "./json.ts";

export type Scalar = string | number | boolean;

/** A cell with more than a literal value. Without `value` and `formula` it is empty, but formatted or annotated. */
export interface Rich {
  readonly value?: Scalar;
  /** With its leading "=". */
  readonly formula?: string;
  /** userEnteredFormat, in both colour spellings. */
  readonly format?: JsonObject;
  readonly note?: string;
  readonly validation?: JsonObject;
  /** textFormatRuns, kept as sent. */
  readonly runs?: JsonObject[];
}

export type Cell = Scalar | Rich;

export const isRich = (cell: Cell | undefined): cell is Rich => typeof cell === "object";

/** Nothing to read: no cell, or one that is only formatted or annotated. */
export const isBlank = (cell: Cell | undefined): boolean =>
  cell === undefined || (typeof cell === "object" && cell.value === undefined && cell.formula === undefined);

/** The cheapest cell that says the same; undefined when it says nothing. */
export function slim(rich: Rich): Cell | undefined {
  const { value, formula, format, note, validation, runs } = rich;
  const dressed =
    formula !== undefined || hasKeys(format) || (note !== undefined && note !== "") || validation !== undefined || runs !== undefined;
  if (!dressed) return value;
  return {
    ...(value === undefined ? {} : { value }),
    ...(formula === undefined ? {} : { formula }),
    ...(hasKeys(format) ? { format } : {}),
    ...(note === undefined || note === "" ? {} : { note }),
    ...(validation === undefined ? {} : { validation }),
    ...(runs === undefined ? {} : { runs }),
  };
}

const hasKeys = (o: JsonObject | undefined): o is JsonObject => o !== undefined && Object.keys(o).length > 0;

/** Every cell as a record. */
export const toRich = (cell: Cell | undefined): Rich => (cell === undefined ? {} : typeof cell === "object" ? cell : { value: cell });

/** What is entered, without what dresses it. */
export interface Content {
  readonly value?: Scalar;
  readonly formula?: string;
  /** A numberFormat that the entry brings along: typing 2020-01-01 makes a date. */
  readonly numberFormat?: JsonObject;
}

/** The cell after `content` was entered into it: format, note and validation stay. */
export function enter(cell: Cell | undefined, content: Content): Cell | undefined {
  const { value, formula, numberFormat } = content;
  if (!isRich(cell) && formula === undefined && numberFormat === undefined) return value;
  const { value: _value, formula: _formula, runs: _runs, ...dress } = toRich(cell);
  return slim({
    ...dress,
    ...(value === undefined ? {} : { value }),
    ...(formula === undefined ? {} : { formula }),
    ...(numberFormat === undefined ? {} : { format: { ...dress.format, numberFormat } }),
  });
}
