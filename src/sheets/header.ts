/** The header row of a range → the table's columns: what they are called, and which are hidden and why. */
import { letters, origin, rangeOf } from "./a1.ts";
import type { Column, Table } from "./types.ts";
import { secretWord } from "./words.ts";

export type Raw = string | number | boolean | null;
export type Grid = readonly (readonly Raw[])[];

export const isRaw = (v: unknown): v is Raw => v === null || typeof v === "string" || typeof v === "number" || typeof v === "boolean";
export const isEmpty = (v: Raw | undefined): boolean => v === undefined || v === null || (typeof v === "string" && v.trim() === "");

/** A column of the header row: where it is, and its final name. */
export interface Placed extends Column {
  readonly at: number;
}

/** A column that is hidden because of its name, and the word in it. */
export interface HiddenColumn {
  readonly name: string;
  readonly word: string;
}

const baseOf = (cell: unknown): string =>
  isRaw(cell)
    ? String(cell ?? "")
        .trim()
        .normalize("NFC")
    : "";

/** What the columns of a header row are called: names are trimmed, a second `name` is `name_2`; undefined: a column without a name. */
export function columnNames(header: readonly unknown[]): readonly (string | undefined)[] {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return header.map((cell) => {
    const base = baseOf(cell);
    if (base === "") return undefined;
    let name = base;
    let nr = counts.get(base) ?? 0;
    do name = (nr += 1) === 1 ? base : `${base}_${nr}`;
    while (taken.has(name));
    counts.set(base, nr);
    taken.add(name);
    return name;
  });
}

/** The header row's columns. A second `name` is as hidden as the first; columns without a name are left out. */
export function placeColumns(header: readonly Raw[], table: Table): readonly Placed[] {
  const given = new Map(table.columns.map((column) => [column.name, column]));
  const names = columnNames(header);
  return header.flatMap((cell, at): Placed[] => {
    const [base, name] = [baseOf(cell), names[at]];
    if (name === undefined) return [];
    if (name === table.deleted) return [{ name, at, hidden: true, type: "boolean" }];
    const said = [given.get(name), given.get(base)].filter((column) => column !== undefined);
    const type = said[0]?.type ?? "auto";
    const listed = table.hidden?.includes(name) === true || table.hidden?.includes(base) === true;
    if (listed || said.some(({ hidden, guessed }) => hidden && guessed === undefined)) return [{ name, at, hidden: true, type }];
    const guess = said.length > 0 ? said.some(({ guessed }) => guessed) : table.hidden === undefined && wordOf(name, base) !== undefined;
    return [guess ? { name, at, hidden: true, guessed: true, type } : { name, at, hidden: false, type }];
  });
}

const wordOf = (name: string, base = name): string | undefined => secretWord(name) ?? secretWord(base);

/** The columns that are hidden although the tables file does not say so. */
export const hiddenByName = (placed: readonly Placed[]): readonly HiddenColumn[] =>
  placed.flatMap(({ name, guessed }) => (guessed === true ? [{ name, word: wordOf(name) ?? "" }] : []));

/** "Code postal" is hidden because its name contains "code" */
export const hiddenText = ({ name, word }: HiddenColumn): string =>
  `${JSON.stringify(name)} is hidden because its name contains ${JSON.stringify(word)}`;

/** How many rows below the first one may be the header row. */
const DEEPEST = 4;
/** Longer texts are no column names. */
const LONGEST_NAME = 100;

/**
 * Finds the header row below a title or below empty rows: the first row has at most one text, and the next one that is
 * not empty has at least two texts, perhaps numbers, and nothing else.
 * @returns how far below the first row it is; undefined: the first row may be the header row.
 */
export function headerBelow(grid: Grid): number | undefined {
  const filled = (row: readonly Raw[] | undefined): readonly Raw[] => (row ?? []).filter((cell) => !isEmpty(cell));
  if (filled(grid[0]).length > 1) return undefined;
  const at = grid.findIndex((row, i) => i > 0 && filled(row).length > 0);
  const names = filled(grid[at]);
  // Numbers (years) and names that occur twice are headers, too. In doubt the table is refused: served below a title, its first column's
  // name would be the title, and no rule that hides a column by its name would see it.
  const areNames = names.every((cell) => typeof cell === "number" || (typeof cell === "string" && cell.length <= LONGEST_NAME));
  return at > 0 && at <= DEEPEST && areNames && names.filter((cell) => typeof cell === "string").length > 1 ? at : undefined;
}

/** What to write into the tables file when the header row is further down. */
export function headerHint(grid: Grid, range: string): string | undefined {
  const below = headerBelow(grid);
  if (below === undefined) return undefined;
  const { tab, row, column } = origin(range);
  const header = grid[below] ?? [];
  const first = header.findIndex((cell) => !isEmpty(cell));
  const last = header.findLastIndex((cell) => !isEmpty(cell));
  const nr = row + below + 1;
  const use = rangeOf({ tab, cells: `${letters(column + first)}${nr}:${letters(column + last)}` });
  return `row ${nr} like the header row: set "range": ${JSON.stringify(use)}`;
}
