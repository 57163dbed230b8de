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

/** A range as written: a title in quotes, an area with or without a title, or a name that may be a title. */
export type Reference =
  | { readonly is: "sheet"; readonly title: string }
  | { readonly is: "area"; readonly title?: string; readonly area: Area; readonly single: boolean }
  | { readonly is: "name"; readonly title?: string; readonly name: string };

/** 0 → A, 25 → Z, 26 → AA. */
export function columnName(index: number): string {
  let name = "";
  for (let n = index + 1; n > 0; n = Math.floor((n - 1) / 26))
    name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  return name;
}

/** A → 0; letters of any case. */
export const columnIndex = (name: string): number =>
  Array.from(name.toUpperCase()).reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1;

const PLAIN_TITLE = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const LOOKS_LIKE_CELL = /^([A-Za-z]{1,3}\d+|[Rr]\d*([Cc]\d*)?|[Cc]\d*)$/;

/** A sheet's title as answers and formulas show it. */
export const quoteTitle = (title: string): string =>
  PLAIN_TITLE.test(title) && !LOOKS_LIKE_CELL.test(title)
    ? title
    : `'${title.replaceAll("'", "''")}'`;

/** Sheet1!A1:B2; a single cell has no colon. */
export function rangeName(title: string, rect: Rect): string {
  const first = `${columnName(rect.startColumn)}${rect.startRow + 1}`;
  const last = `${columnName(rect.endColumn - 1)}${rect.endRow}`;
  return `${quoteTitle(title)}!${first === last ? first : `${first}:${last}`}`;
}

interface Corner {
  readonly row?: number | undefined;
  readonly column?: number | undefined;
}

function corner(text: string): Corner | undefined {
  const match = /^\$?([A-Za-z]{1,3})?\$?([1-9]\d{0,7})?$/.exec(text);
  const [, letters, digits] = match ?? [];
  if (letters === undefined && digits === undefined) return undefined;
  return {
    column: letters === undefined ? undefined : columnIndex(letters),
    row: digits === undefined ? undefined : Number(digits) - 1,
  };
}

/** A half-open span between two bounds in any order; an open bound comes last. */
function span(a: number | undefined, b: number | undefined): (number | undefined)[] {
  const [start, last] = a !== undefined && b !== undefined && a > b ? [b, a] : [a, b];
  return [start, last === undefined ? undefined : last + 1];
}

/** The area that the part after the "!" names, or undefined when it names none. */
function areaNamed(text: string): { area: Area; single: boolean } | undefined {
  const corners = text.split(":").map(corner);
  const single = corners.length === 1;
  const [first, last = single ? first : undefined] = corners;
  if (corners.length > 2 || first === undefined || last === undefined) return undefined;
  if (single && (first.row === undefined || first.column === undefined)) return undefined;
  const [startRow, endRow] = span(first.row, last.row);
  const [startColumn, endColumn] = span(first.column, last.column);
  return { area: { startRow, endRow, startColumn, endColumn }, single };
}

/** Reads a range as written. @returns undefined when it is no range */
export function parseReference(text: string): Reference | undefined {
  const quoted = /^'((?:[^']|'')+)'(?:!|$)/.exec(text);
  if (quoted === null && text.startsWith("'")) return undefined;
  const bang = quoted === null ? text.lastIndexOf("!") : quoted[0].length - 1;
  const title = quoted?.[1]?.replaceAll("''", "'") ?? (bang < 0 ? undefined : text.slice(0, bang));
  if (quoted !== null && title !== undefined && quoted[0] === text && !text.endsWith("!"))
    return { is: "sheet", title };
  const rest = text.slice(bang + 1);
  if (title === "" || rest === "") return undefined;
  const named = title === undefined ? {} : { title };
  const found = areaNamed(rest);
  return found === undefined
    ? { is: "name", ...named, name: rest }
    : { is: "area", ...named, ...found };
}
