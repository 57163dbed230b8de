/**
 * Values of a change that came to stand in other columns, because a column moved in the moment of the write. They go by position, and
 * nothing can make Google refuse them (a batch of `values` knows no guard). So each answer shows the header row too, and what was
 * overwritten is put back at once, from the row as it was when it was pinned. The change itself stays in the journal and is written
 * again once the table has been read.
 *
 *   seen:     the answer shows other columns than the write was made by: the next call puts the cells back
 *   unknown:  no answer came: the row is pinned under a new tag, and what that shows is compared
 */
import { a1, letters } from "../../../sheets/a1.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { columnNames } from "../../../sheets/header.ts";
import { rowsOfKeys, type Value, type Values } from "./cells.ts";
import type { State, World } from "./model.ts";
import type { Image, RowChange, Stray } from "./tagged.ts";
import { rowName } from "./queue.ts";

/** Rows of more characters are not remembered, and can't be put back. */
const MOST_REMEMBERED = 20_000;

/** The cells of one row that the table's columns are. */
export const rowRange = ({ tab, column, columns }: Layout, row: number): string =>
  `${a1(tab)}!${letters(column)}${row + 1}:${letters(column + Math.max(1, columns.length) - 1)}${row + 1}`;

const asValue = (cell: unknown): Value => (typeof cell === "string" || typeof cell === "number" || typeof cell === "boolean" ? cell : "");

/** @returns undefined for a row that is too long to be kept. */
export function imageOf(columns: Layout["columns"], cells: readonly unknown[]): Image | undefined {
  const values = columns.map((_, at) => asValue(cells[at]));
  const length = values.reduce<number>((sum, cell) => sum + String(cell).length, 0);
  return length > MOST_REMEMBERED ? undefined : { columns, cells: values };
}

/** The image after values were written to the row. */
export function withValues(image: Image | undefined, values: Values): Image | undefined {
  if (image === undefined) return undefined;
  return imageOf(
    image.columns,
    image.cells.map((cell, at) => {
      const name = image.columns[at];
      return name !== undefined && Object.hasOwn(values, name) ? (values[name] ?? "") : cell;
    }),
  );
}

/** What a cell held before; an unnamed column is taken for empty, unless the row held something in one. */
function before(image: Image, name: string | undefined): Value | undefined {
  if (name !== undefined) return image.cells[image.columns.indexOf(name)] ?? "";
  return image.cells.every((cell, at) => image.columns[at] !== undefined || cell === "") ? "" : undefined;
}

/**
 * @param header the whole header row, from the tab's first column. @param row the same of the row.
 * @returns what is to be put back, by position from the tab's first column.
 */
export function strayCells(layout: Layout, header: readonly unknown[], row: readonly unknown[], stray: Stray): ReadonlyMap<number, Value> {
  const { image, values, wrote } = stray;
  const names = columnNames(header.slice(layout.column));
  const found = new Map<number, Value>();
  if (image === undefined) return found;
  for (let at = 0; at < Math.max(names.length, row.length - layout.column); at += 1) {
    const [name, cell] = [names[at], asValue(row[layout.column + at])];
    const was = before(image, name);
    const isRight = name !== undefined && Object.hasOwn(values, name) && (values[name] ?? "") === cell;
    if (!isRight && was !== undefined && cell !== was && wrote.has(cell)) found.set(layout.column + at, was);
  }
  return found;
}

/**
 * Whether a row is the one that was remembered, although its key may have been written over.
 * @param cells of the table's columns, with what is to be put back in place.
 */
export function isSameRow(layout: Layout, cells: readonly unknown[], { image, values }: Stray): boolean {
  return (
    image !== undefined &&
    layout.columns.every((name, at) => {
      const cell = asValue(cells[at]);
      return name === undefined || cell === before(image, name) || (Object.hasOwn(values, name) && cell === (values[name] ?? ""));
    })
  );
}

/**
 * Rows of a key column as read, the header first → where each wanted key stands. A key that is not there may have been written over: then
 * the row that has one of these values in its place.
 */
export function placesOf(column: readonly unknown[], layout: Layout, wanted: ReadonlySet<string>, state: State): Map<string, number> {
  const found = rowsOfKeys(column, layout.row, wanted);
  for (const key of wanted) {
    const stray = found.has(key) ? undefined : state.strays.get(rowName({ table: layout.table, key }));
    if (stray === undefined) continue;
    const over = new Set([...stray.wrote].filter((value) => value !== null && value !== "").map(String));
    const [row] = rowsOfKeys(column, layout.row, over).values();
    if (row !== undefined) found.set(key, row);
  }
  return found;
}

/** The row's change may stand in wrong columns. @returns the stray, which holds readings back until it is settled. */
export function suspect({ tag, layout, sheetId, values }: RowChange, state: State, seen: boolean): Stray {
  const known = state.strays.get(rowName(tag));
  const wrote = new Set([...(known?.wrote ?? []), ...Object.values(values).map((value) => value ?? "")]);
  const stray: Stray = {
    layout,
    sheetId,
    seen: seen || known?.seen === true,
    image: known?.image ?? tag.image,
    values: { ...known?.values, ...values },
    wrote,
  };
  state.strays.set(rowName(tag), stray);
  return stray;
}

/** The row is as it should be. */
export function clearStray(name: string, state: State, world: World): void {
  const stray = state.strays.get(name);
  if (stray === undefined) return;
  state.strays.delete(name);
  if (stray.seen) state.cleared.set(stray.layout.table, world.now);
}
