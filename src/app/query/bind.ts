/** Checks a parsed query against the columns of the table: every name must exist, every value must fit its column's type. */
import type { ColumnType } from "../../sheets/types.ts";
import { selectionOf } from "./canonical.ts";
import { readCursor } from "./cursor.ts";
import { bad, good, quoted, type Checked, type Filter, type Query, type QueryColumn, type Wanted } from "./model.ts";
import type { RawFilter, RawQuery } from "./parse.ts";

/**
 * @param columns the table's visible columns: any other name, hidden ones included, is unknown.
 * @param also a filter that the client did not ask for: it gets no more than what that lets through.
 */
export function bindQuery(table: string, raw: RawQuery, columns: readonly QueryColumn[], also?: Filter): Checked<Query> {
  const types = new Map(columns.map((column) => [column.name, column.type]));
  for (const key of raw.sort) if (!types.has(key.column)) return unknownColumn("sort", key.column, columns);
  const filters: Filter[] = also === undefined ? [] : [also];
  for (const filter of raw.filters) {
    const type = types.get(filter.column);
    if (type === undefined) return unknownColumn(filter.parameter, filter.column, columns);
    const bound = bindFilter(filter, type);
    if (!bound.ok) return bound;
    filters.push(bound.value);
  }
  const selection = selectionOf(table, filters, raw.sort);
  const cursor = raw.cursor === undefined ? undefined : readCursor(raw.cursor, selection, raw.sort.length);
  if (cursor?.ok === false) return cursor;
  const skip = raw.page === undefined ? {} : { skip: (raw.page - 1) * raw.limit };
  return good({ limit: raw.limit, cursor: cursor?.value, ...skip, filters, sort: raw.sort, selection });
}

function unknownColumn(parameter: string, column: string, columns: readonly QueryColumn[]): Checked<never> {
  const names = columns.slice(0, 40).map((known) => known.name);
  return bad(parameter, `names no column ${quoted(column)}: the table has ${names.join(", ")}${columns.length > 40 ? ", …" : ""}`);
}

function bindFilter(filter: RawFilter, type: ColumnType): Checked<Filter> {
  const ordering = filter.operator !== "eq" && filter.operator !== "ne" && filter.operator !== "in";
  if (ordering && type === "boolean") return bad(filter.parameter, "compares a true/false column by order: expected no operator, ne or in");
  const wanted: Wanted[] = [];
  for (const text of filter.texts) {
    if (ordering && text === "") return bad(filter.parameter, "has no value: expected one to compare with");
    const value = readWanted(text, type);
    if (value === undefined) return bad(filter.parameter, `is ${quoted(text)}: expected ${EXPECTED[type]}`);
    wanted.push(value);
  }
  return good({ column: filter.column, operator: filter.operator, wanted });
}

const EXPECTED: { readonly [T in ColumnType]: string } = {
  auto: "a text, a number, true or false",
  string: "a text",
  number: "a number, such as -12.5",
  integer: "a whole number",
  boolean: "true or false",
  date: "a date, such as 2026-07-28 or 2026-07-28T18:30:00Z",
};
const NUMBER = /^-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?$/;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** @returns undefined when the text is no value of the column's type. Empty text stands for an empty cell in every type. */
function readWanted(text: string, type: ColumnType): Wanted | undefined {
  const none = { text, number: undefined, boolean: undefined };
  if (text === "" || type === "string") return none;
  const number = NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
  const boolean = text === "true" ? true : text === "false" ? false : undefined;
  switch (type) {
    case "auto":
      return { text, number, boolean };
    case "number":
      return number === undefined ? undefined : { ...none, number };
    case "integer":
      return Number.isSafeInteger(number) ? { ...none, number } : undefined;
    case "boolean":
      return boolean === undefined ? undefined : { ...none, boolean };
    default:
      return DATE.test(text) && !Number.isNaN(Date.parse(text)) ? { ...none, text: text.replace(" ", "T") } : undefined;
  }
}
