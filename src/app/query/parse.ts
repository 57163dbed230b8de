/**
 * The raw query string, read strictly: nothing unknown, nothing repeated, nothing guessed. Knows no columns, so that a
 * malformed request is refused before any table is asked for; `bind.ts` checks the rest against the table.
 */
import {
  bad,
  DEFAULT_LIMIT,
  good,
  MAX_FILTERS,
  MAX_LIMIT,
  MAX_LIST,
  MAX_SORT_KEYS,
  MAX_VALUE,
  OPERATORS,
  quoted,
  type Checked,
  type Operator,
  type SortKey,
} from "./model.ts";

/** A filter whose column and value have not been compared with the table yet. */
export interface RawFilter {
  /** The parameter's name as the client wrote it, decoded. */
  readonly parameter: string;
  readonly column: string;
  readonly operator: Operator;
  /** One text; for `in` the list's items. */
  readonly texts: readonly string[];
}

export interface RawQuery {
  readonly limit: number;
  readonly cursor: string | undefined;
  /** From 1; undefined: by the cursor, or the first. */
  readonly page?: number;
  readonly sort: readonly SortKey[];
  readonly filters: readonly RawFilter[];
}

/** The parameters a list takes, for messages and OpenAPI. */
export const PARAMETERS = ["limit", "cursor", "sort", "filter[column]", "filter[column][operator]"] as const;

/** What differs between the routes that take these parameters. */
export interface Bounds {
  /** Rows, where no limit is given. */
  readonly standard: number;
  readonly most: number;
  /** It has pages by number. */
  readonly paged?: true;
  /** The route and its parameters, for messages. */
  readonly takes: string;
}
const LIST: Bounds = { standard: DEFAULT_LIMIT, most: MAX_LIMIT, paged: true, takes: `a list takes page, ${PARAMETERS.join(", ")}` };
/** Of a table whose every page has one row, the last. */
const MAX_PAGES = 10_000_000;

/**
 * @param raw the part of the target after `?`, not decoded; empty when there is none.
 * Empty parts (`a=1&&b=2`, a trailing `&`) are ignored, as the URL standard's parser does; a name without `=` has an empty value.
 */
export function parseQuery(raw: string): Checked<RawQuery> {
  const pairs = splitPairs(raw);
  return pairs.ok ? readQuery(pairs.value, LIST) : pairs;
}

/** @param pairs names and values, decoded. */
export function readQuery(pairs: ReadonlyMap<string, string>, bounds: Bounds): Checked<RawQuery> {
  let limit = bounds.standard;
  let cursor: string | undefined;
  let page: number | undefined;
  let sort: readonly SortKey[] = [];
  const filters: RawFilter[] = [];
  for (const [name, value] of pairs) {
    const read = readParameter(name, value, bounds);
    if (!read.ok) return read;
    const { value: part } = read;
    if ("limit" in part) limit = part.limit;
    else if ("cursor" in part) cursor = part.cursor;
    else if ("page" in part) page = part.page;
    else if ("sort" in part) sort = part.sort;
    else if (filters.push(part) > MAX_FILTERS) return bad(name, `more than ${MAX_FILTERS} filters: at most ${MAX_FILTERS} are allowed`);
  }
  if (page === undefined) return good({ limit, cursor, sort, filters });
  if (cursor !== undefined) return bad("page", "does not go with a cursor: leave one of them out");
  return good({ limit, cursor, page, sort, filters });
}

type Part =
  | { readonly limit: number }
  | { readonly cursor: string }
  | { readonly page: number }
  | { readonly sort: readonly SortKey[] }
  | RawFilter;

function readParameter(name: string, value: string, { most, paged, takes }: Bounds): Checked<Part> {
  switch (name) {
    case "page":
      return paged === true ? readPage(value) : bad(name, `is unknown: ${takes}`);
    case "limit":
      return readLimit(value, most);
    case "cursor":
      return value === ""
        ? bad("cursor", "is empty: pass the value of `next` of an earlier answer, or leave it out")
        : good({ cursor: value });
    case "sort":
      return readSort(value);
    default:
      return name.startsWith("filter[") ? readFilter(name, value) : bad(name, `is unknown: ${takes}`);
  }
}

/** Splits and decodes `application/x-www-form-urlencoded` text; each name may come once. */
export function splitPairs(raw: string): Checked<ReadonlyMap<string, string>> {
  const pairs = new Map<string, string>();
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const rawName = equals === -1 ? part : part.slice(0, equals);
    const name = decode(rawName);
    if (name === undefined) return bad(rawName.slice(0, 60), "its name is not valid percent-encoded UTF-8");
    const value = equals === -1 ? "" : decode(part.slice(equals + 1));
    if (value === undefined) return bad(name, "its value is not valid percent-encoded UTF-8");
    if (pairs.has(name)) return bad(name, "is given twice: each parameter may come once");
    pairs.set(name, value);
  }
  return good(pairs);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined; // URIError: the caller names the parameter
  }
}

function readLimit(value: string, most: number): Checked<Part> {
  const limit = /^[1-9]\d{0,8}$/.test(value) ? Number(value) : 0;
  return limit >= 1 && limit <= most ? good({ limit }) : bad("limit", `is ${quoted(value)}: expected a whole number from 1 to ${most}`);
}

function readPage(value: string): Checked<Part> {
  const page = /^[1-9]\d{0,8}$/.test(value) ? Number(value) : 0;
  return page >= 1 && page <= MAX_PAGES
    ? good({ page })
    : bad("page", `is ${quoted(value)}: expected a whole number from 1 to ${MAX_PAGES}`);
}

function readSort(value: string): Checked<Part> {
  const items = value.split(",");
  if (items.length > MAX_SORT_KEYS) return bad("sort", `names ${items.length} columns: at most ${MAX_SORT_KEYS} are allowed`);
  const keys: SortKey[] = [];
  for (const item of items) {
    const descending = item.startsWith("-");
    const column = descending ? item.slice(1) : item;
    if (column === "")
      return bad("sort", `is ${quoted(value)}: expected column names separated by commas, each with a leading - to sort downwards`);
    if (keys.some((key) => key.column === column)) return bad("sort", `names the column ${quoted(column)} twice`);
    keys.push({ column, descending });
  }
  return good({ sort: keys });
}

/** `filter[c]` is equality; the last bracket pair, when there are two, is the operator. */
function readFilter(name: string, value: string): Checked<Part> {
  const match = /^filter\[(.+?)\](?:\[([^[\]]*)\])?$/su.exec(name);
  const column = match?.[1];
  if (column === undefined) return bad(name, "is malformed: expected filter[column] or filter[column][operator]");
  const word = match?.[2];
  const operator = word === undefined ? "eq" : OPERATORS.find((known) => known === word && known !== "eq");
  if (operator === undefined) return bad(name, `has the operator ${quoted(word ?? "")}: expected gt, gte, lt, lte, ne or in (none: equal)`);
  const texts = operator === "in" ? value.split(",") : [value];
  if (texts.length > MAX_LIST) return bad(name, `lists ${texts.length} values: at most ${MAX_LIST} are allowed`);
  if (texts.some((text) => text.length > MAX_VALUE)) return bad(name, `has a value over ${MAX_VALUE} characters`);
  return good({ parameter: name, column, operator, texts });
}
