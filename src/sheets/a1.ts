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

/** A range's tab as it is written, quotes included ("": it names none), and its cells ("": all of the tab). */
function split(range: string): { readonly tab: string; readonly cells: string } {
  const quotedTab = /^'(?:[^']|'')*'/.exec(range)?.[0];
  const bang = quotedTab === undefined ? range.lastIndexOf("!") : range[quotedTab.length] === "!" ? quotedTab.length : -1;
  if (bang !== -1) return { tab: range.slice(0, bang), cells: range.slice(bang + 1) };
  return CELLS.test(range) ? { tab: "", cells: range } : { tab: range, cells: "" };
}

/** Where a range begins, counted from 0; the top left when it does not say. */
export function origin(range: string): { readonly tab: string; readonly row: number; readonly column: number } {
  const { tab, cells } = split(range);
  const start = /^\$?([A-Za-z]{0,3})\$?(\d*)/.exec(cells);
  const column = (start?.[1] ?? "")
    .toUpperCase()
    .split("")
    .reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0);
  return { tab, row: Math.max(1, Number(start?.[2] ?? "") || 1) - 1, column: Math.max(1, column) - 1 };
}

/** The title of the tab that a range is of ("": it names none), and the range's last row, counted from 0; undefined: it has no end. */
export function extent(range: string): { readonly tab: string; readonly lastRow: number | undefined } {
  const { tab, cells } = split(range);
  const title = /^'.*'$/s.test(tab) ? tab.slice(1, -1).replaceAll("''", "'") : tab;
  const row = Number(/\d+$/.exec(cells.slice(cells.indexOf(":") + 1))?.[0] ?? ""); // a single cell is its own end
  return { tab: title, lastRow: row > 0 ? row - 1 : undefined };
}
