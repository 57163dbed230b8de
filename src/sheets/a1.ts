/** The little of A1 notation that reading needs. */

/** A tab's title as A1 notation names it: always quoted, so that a title like `D3` or `My Tab!` is no range. */
export const a1 = (title: string): string => `'${title.replaceAll("'", "''")}'`;

/** `A1:F`, `B3:B`, `2:9`: a range of the first tab. */
const CELLS = /^\$?[A-Za-z]{0,3}\$?\d*:\$?[A-Za-z]{0,3}\$?\d*$/;

/** A range as it is sent: a title that needs quotes and has none gets them. */
export function quoted(range: string): string {
  if (range.startsWith("'") || CELLS.test(range) || /^[A-Za-z0-9_.]+(![A-Za-z0-9$:]+)?$/.test(range)) return range;
  const bang = range.lastIndexOf("!");
  return bang === -1 ? a1(range) : `${a1(range.slice(0, bang))}!${range.slice(bang + 1)}`;
}

/** A column's letters: 0 is A, 26 is AA. */
export function letters(column: number): string {
  let text = "";
  for (let n = column + 1; n > 0; n = Math.floor((n - 1) / 26)) text = String.fromCharCode(65 + ((n - 1) % 26)) + text;
  return text;
}

/** Where a range begins, counted from 0; the top left when it does not say. */
export function origin(range: string): { readonly tab: string; readonly row: number; readonly column: number } {
  const bang = range.lastIndexOf("!");
  const bare = bang === -1 && CELLS.test(range);
  const tab = bang === -1 ? (bare ? "" : range) : range.slice(0, bang);
  const start = bang === -1 && !bare ? null : /^\$?([A-Za-z]{0,3})\$?(\d*)/.exec(range.slice(bang + 1));
  const column = (start?.[1] ?? "")
    .toUpperCase()
    .split("")
    .reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0);
  return { tab, row: Math.max(1, Number(start?.[2] ?? "") || 1) - 1, column: Math.max(1, column) - 1 };
}
