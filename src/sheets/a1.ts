/**
 * The little of A1 notation that reading needs. A range always names its tab: Google takes an unquoted `Q1` or `a:b` for cells of the
 * first tab, and an unquoted name for a named range, before it looks for a tab of that title.
 */

/** A tab's title in quotes, which is never taken for cells or for a named range. */
export const a1 = (title: string): string => `'${title.replaceAll("'", "''")}'`;

const CORNER = /(?:\$?[A-Za-z]{1,3}(?:\$?[1-9]\d*)?|\$?[1-9]\d*)/.source;
const AREA = new RegExp(`^${CORNER}:${CORNER}$`);
const CELL = /^\$?[A-Za-z]{1,3}\$?[1-9]\d*$/;
const areCells = (text: string): boolean => AREA.test(text) || CELL.test(text);

/** A tab's title, and cells of it in A1 notation ("": all). */
export interface TabRange {
  readonly tab: string;
  readonly cells: string;
}

/**
 * Reads a range as people and Google write it: `Tab`, `Tab!A1:F`, `'My tab'!B3`. A text that names no cells behind a `!` is a title as a
 * whole, so a title needs quotes only if it ends like `!A1`, or begins with a quote.
 * @returns undefined for an opening quote without its end.
 */
export function parseRange(range: string): TabRange | undefined {
  if (range.startsWith("'")) {
    const quotes = /^'((?:[^']|'')+)'(?:!(.+))?$/s.exec(range);
    const [, title = "", cells = ""] = quotes ?? [];
    return quotes === null || (cells !== "" && !areCells(cells)) ? undefined : { tab: title.replaceAll("''", "'"), cells };
  }
  const bang = range.lastIndexOf("!");
  const cells = range.slice(bang + 1);
  return bang > 0 && areCells(cells) ? { tab: range.slice(0, bang), cells } : { tab: range, cells: "" };
}

const read = (range: string): TabRange => parseRange(range) ?? { tab: range, cells: "" };

/** Whether a range without a tab looks like cells, and is the title of a tab all the same. */
export const looksLikeCells = (range: string): boolean => areCells(range);

export const rangeOf = ({ tab, cells }: TabRange): string => (cells === "" ? a1(tab) : `${a1(tab)}!${cells}`);

/** A range as it is sent. */
export const quoted = (range: string): string => rangeOf(read(range));

/** A title as titles are compared: Google ignores case, and people can't see which of its forms an accent has. */
export const foldTitle = (title: string): string => title.normalize("NFC").toLowerCase();

/** Whether two ranges are of the same tab. */
export const sameTab = (one: string, other: string): boolean => foldTitle(read(one).tab) === foldTitle(read(other).tab);

/** A column's letters: 0 is A, 26 is AA. */
export function letters(column: number): string {
  let text = "";
  for (let n = column + 1; n > 0; n = Math.floor((n - 1) / 26)) text = String.fromCharCode(65 + ((n - 1) % 26)) + text;
  return text;
}

/** The title of a range's tab, and where the range begins, counted from 0; the top left when it does not say. */
export function origin(range: string): { readonly tab: string; readonly row: number; readonly column: number } {
  const { tab, cells } = read(range);
  const start = /^\$?([A-Za-z]{0,3})\$?(\d*)/.exec(cells);
  const column = (start?.[1] ?? "")
    .toUpperCase()
    .split("")
    .reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0);
  return { tab, row: Math.max(1, Number(start?.[2] ?? "") || 1) - 1, column: Math.max(1, column) - 1 };
}

/** A range's last row, counted from 0; undefined: it has no end. */
export function lastRow(range: string): number | undefined {
  const { cells } = read(range);
  const row = Number(/\d+$/.exec(cells.slice(cells.indexOf(":") + 1))?.[0] ?? ""); // a single cell is its own end
  return row > 0 ? row - 1 : undefined;
}
