/** What the kinds of batchUpdate have in common. */
import { type Book, type Sheet, sheetById } from "../book.ts";
import type { Dimension } from "../axis.ts";
import { invalid } from "../errors.ts";
import type { Ids } from "../ids.ts";
import { intAt, type JsonObject, optionalObject, stringAt } from "../json.ts";
import { gridTarget, type Target } from "../ranges.ts";
import { sizeOf } from "../structure.ts";

export interface Context {
  readonly book: Book;
  readonly ids: Ids;
}

/** Carries out one request, given the message under its kind. @returns the message under the same kind in the reply */
export type Handler = (context: Context, request: JsonObject) => JsonObject | undefined;

export type Handlers = Readonly<Record<string, Handler>>;

/** @throws Refusal "No sheet with id: …" */
export function sheetWith(book: Book, id: number | undefined): Sheet {
  const sheet = sheetById(book, id ?? 0);
  if (sheet === undefined) throw invalid(`No sheet with id: ${id ?? 0}`);
  return sheet;
}

/** @throws Refusal "No grid with id: …" */
export function gridWith(book: Book, id: number | undefined): Sheet {
  const sheet = sheetById(book, id ?? 0);
  if (sheet === undefined) throw invalid(`No grid with id: ${id ?? 0}`);
  return sheet;
}

/** The GridRange under `key`. @throws Refusal when it is absent or its sheet is */
export function targetAt(book: Book, request: JsonObject, key: string): Target {
  const range = optionalObject(request, key);
  if (range === undefined) throw invalid(`Must specify ${key}.`);
  return gridTarget(book, range);
}

export interface Stretch {
  readonly sheet: Sheet;
  readonly dimension: Dimension;
  readonly start: number;
  readonly end: number;
}

export function dimensionOf(value: string | undefined): Dimension {
  if (value === "ROWS" || value === "COLUMNS") return value;
  throw invalid("Must specify a dimension: ROWS or COLUMNS.");
}

/** A DimensionRange; open ends are the grid's. @throws Refusal for a range that is none */
export function stretchAt(book: Book, request: JsonObject, key: string): Stretch {
  const range = optionalObject(request, key);
  if (range === undefined) throw invalid(`Must specify ${key}.`);
  const sheet = gridWith(book, intAt(range, "sheetId"));
  const dimension = dimensionOf(stringAt(range, "dimension"));
  const start = intAt(range, "startIndex") ?? 0;
  const end = intAt(range, "endIndex") ?? Math.max(start, sizeOf(sheet, dimension));
  if (start < 0) throw invalid(`${key}.startIndex (${start}) must not be negative.`);
  if (end < start || (end === start && range["endIndex"] !== undefined))
    throw invalid(`${key}.endIndex (${end}) must be after ${key}.startIndex (${start}).`);
  return { sheet, dimension, start, end };
}
