/**
 * A1 notation, both ways. Indices are zero-based and half-open, as in GridRange; an absent bound is open.
 * https://developers.google.com/workspace/sheets/api/guides/concepts#cell
 */

/** A rectangle with possibly open sides. */
export interface Area {
  readonly startRow?: number | undefined;
  readonly endRow?: number | undefined;
  readonly startColumn?: number | undefined;
  readonly endColumn?: number | undefined;
}

/** A bounded rectangle. */
export interface Rect {
  readonly startRow: number;
  readonly endRow: number;
  readonly startColumn: number;
  readonly endColumn: number;
}

/** A range as written: a title (quoted or not), an area, or a bare name that may be a title. */
export type Reference =
  | { readonly is: "area"; readonly title?: string; readonly area: Area; readonly single: boolean }
  | { readonly is: "sheet"; readonly title: string }
  | { readonly is: "name"; readonly name: string; readonly title?: string };

/** 0 → A, 25 → Z, 26 → AA. */
export function columnName(index: number): string {
  let name = "";
  for (let n = index + 1; n > 0; n = Math.floor((n - 1) / 26))
    name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  return name;
}

/** A → 0; letters of any case. */
export function columnIndex(name: string): number {
  let n = 0;
  for (const letter of name.toUpperCase()) n = n * 26 + letter.charCodeAt(0) - 64;
  return n - 1;
}

const cellName = (row: number, column: number): string => `${columnName(column)}${row + 1}`;

/** A1:B2; a single cell has no colon. */
export function rectName(rect: Rect): string {
  const first = cellName(rect.startRow, rect.startColumn);
  const last = cellName(rect.endRow - 1, rect.endColumn - 1);
  return first === last ? first : `${first}:${last}`;
}

const ENDPOINT = /^\$?([A-Za-z]{1,3})?\$?([1-9]\d{0,7})?$/;
const LOOKS_LIKE_CELL = /^([A-Za-z]{1,3}\d+|[Rr]\d*([Cc]\d*)?|[Cc]\d*)$/;
const PLAIN_TITLE = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/** A sheet's title as answers and formulas show it. */
export function quoteTitle(title: string): string {
  return PLAIN_TITLE.test(title) && !LOOKS_LIKE_CELL.test(title)
    ? title
    : `'${title.replaceAll("'", "''")}'`;
}

export const rangeName = (title: string, rect: Rect): string =>
  `${quoteTitle(title)}!${rectName(rect)}`;

interface Endpoint {
  readonly row?: number;
  readonly column?: number;
}

function endpoint(text: string): Endpoint | undefined {
  const match = ENDPOINT.exec(text);
  if (match === null || text === "" || text === "$") return undefined;
  const [, letters, digits] = match;
  return {
    ...(letters === undefined ? {} : { column: columnIndex(letters) }),
    ...(digits === undefined ? {} : { row: Number(digits) - 1 }),
  };
}

const sorted = (
  a: number | undefined,
  b: number | undefined,
): [number | undefined, number | undefined] =>
  a !== undefined && b !== undefined && a > b ? [b, a] : [a, b];

const after = (n: number | undefined): number | undefined => (n === undefined ? undefined : n + 1);

/** The area that the part after the "!" names, or undefined when it is none. */
export function parseArea(text: string): { area: Area; single: boolean } | undefined {
  const parts = text.split(":").map(endpoint);
  const [first, last] = parts;
  if (parts.length > 2 || first === undefined || (parts.length === 2 && last === undefined))
    return undefined;
  if (last === undefined) {
    if (first.row === undefined || first.column === undefined) return undefined;
    return {
      area: {
        startRow: first.row,
        endRow: first.row + 1,
        startColumn: first.column,
        endColumn: first.column + 1,
      },
      single: true,
    };
  }
  const rows = sorted(first.row, last.row);
  const columns = sorted(first.column, last.column);
  return {
    area: {
      startRow: rows[0],
      endRow: after(rows[1]),
      startColumn: columns[0],
      endColumn: after(columns[1]),
    },
    single: false,
  };
}

/** Splits off a quoted title ('' stands for '); undefined when the text doesn't start with one. */
function quoted(text: string): { title: string; rest: string } | undefined {
  const match = /^'((?:[^']|'')*)'(?=$|!)/.exec(text);
  return match === null
    ? undefined
    : { title: (match[1] ?? "").replaceAll("''", "'"), rest: text.slice(match[0].length) };
}

/** Reads a range as written. @returns undefined when it is no range in any notation. */
export function parseReference(text: string): Reference | undefined {
  const quote = quoted(text);
  if (quote !== undefined && quote.rest === "")
    return quote.title === "" ? undefined : { is: "sheet", title: quote.title };
  if (quote === undefined && text.startsWith("'")) return undefined;
  const bang = quote === undefined ? text.lastIndexOf("!") : text.length - quote.rest.length;
  const title = quote?.title ?? (bang < 0 ? undefined : text.slice(0, bang));
  const rest = bang < 0 ? text : text.slice(bang + 1);
  if (title === "" || rest === "") return undefined;
  const found = parseArea(rest);
  const named = title === undefined ? {} : { title };
  if (found !== undefined) return { is: "area", ...named, ...found };
  return { is: "name", name: rest, ...named };
}
