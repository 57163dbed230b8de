/** What Google answers for one range → the table's visible rows, and what was wrong with them. */
import { letters, origin } from "./a1.ts";
import { readCell } from "./cell.ts";
import { layoutOf, type Layout } from "./layout.ts";
import { hasRowIds, NO_KEY } from "./rowids.ts";
import type { Cell, Content } from "./snapshot.ts";
import {
  headerBelow,
  headerHint,
  hiddenByName,
  hiddenText,
  isEmpty,
  isRaw,
  placeColumns,
  type Grid,
  type HiddenColumn,
  type Placed,
} from "./header.ts";
import type { Table } from "./types.ts";

/** What a table's owner should hear of. Cells are named by address, never by what they hold. */
export interface Findings {
  readonly rows: number;
  /** Rows with something in them but no key: left out. */
  readonly withoutKey: number;
  /** Rows whose key stands further up already: kept in lists, but a look-up by key finds the first. */
  readonly duplicateKeys: number;
  /** Values that do not fit their column's type: null in the table. */
  readonly misfits: number;
  /** Columns that are hidden because of their names. */
  readonly hidden: readonly HiddenColumn[];
  /** The first few of all these, as sentences. */
  readonly warnings: readonly string[];
}

/** `places`: how far below the header row each row stands. */
export type Reading =
  | {
      readonly is: "ok";
      readonly content: Content;
      readonly layout: Layout;
      readonly places: readonly number[];
      readonly findings: Findings;
    }
  /** The answer can't be this table: it must not replace what is known. */
  | { readonly is: "malformed"; readonly why: string };

const MOST_WARNINGS = 20;
/** A column that the tables file names must be there: a renamed `code` must not come out under its new name. */
function wrongShape(placed: readonly Placed[], grid: Grid, table: Table): string | undefined {
  const { range } = table;
  const hint = headerHint(grid, range);
  if (placed.length === 0)
    return `the range ${range} has no header row${hint === undefined ? "" : `, and ${hint.replace(" like ", " looks like ")}`}`;
  const names = new Set(placed.map((column) => column.name));
  const named = namedColumns(table);
  const missing = named.find((name) => !names.has(name));
  if (missing !== undefined)
    return `the header row of ${range} has no column ${JSON.stringify(missing)}, which the tables file names${hint === undefined ? "" : ` (${titled(range, hint)})`}`;
  if (named.length === 0 && headerBelow(grid) !== undefined)
    return `${titled(range, hint ?? "")} (if row ${origin(range).row + 1} is the header row, name its column as the table's "key")`;
  if (table.key === undefined && placed[0]?.hidden === true) return hiddenKey(placed[0], placed, table);
  return placed.every((column) => column.hidden) ? `every column of ${range} is hidden` : undefined;
}

const titled = (range: string, hint: string): string => `row ${origin(range).row + 1} of ${range} looks like a title, and ${hint}`;

/** The columns that the tables file names, without doubles: all of them must be there. */
const namedColumns = ({ columns, hidden = [], key, deleted, owner }: Table): readonly string[] => [
  ...new Set([key, owner, ...columns.map(({ name }) => name), ...hidden, deleted].filter((name) => name !== undefined)),
];

/** The first column is the key when none is named; the second one must not silently become it. */
function hiddenKey(first: Placed, placed: readonly Placed[], { range, deleted }: Table): string {
  const guess = hiddenByName([first])[0];
  const why =
    guess !== undefined
      ? `its name contains ${JSON.stringify(guess.word)}`
      : first.name === deleted
        ? "it marks deleted rows"
        : "the tables file says so";
  const other = placed.find((column) => !column.hidden)?.name ?? "id";
  const open = guess === undefined ? "" : ', or show it: "hidden": []';
  const what = `the first column of ${range}, ${JSON.stringify(first.name)}, is hidden because ${why}, so it can't be the key`;
  return `${what}: name another one in the tables file ("key": ${JSON.stringify(other)})${open}`;
}

/** A tab without a header row and without rows: it has the columns that the tables file names. */
function emptyTable(table: Table): Reading {
  const { range, columns, hidden = [], deleted } = table;
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const unseen = new Set([...columns.filter((column) => column.hidden).map(({ name }) => name), ...hidden, deleted]);
  const visible = namedColumns(table).filter((name) => !unseen.has(name));
  const warnings = [`the range ${range} is empty: it has no header row`];
  return {
    is: "ok",
    content: { columns: visible.map((name) => ({ name, type: types.get(name) ?? "auto" })), key: 0, rows: [] },
    layout: layoutOf(table, [], visible[0] ?? ""),
    places: [],
    findings: { rows: 0, withoutKey: 0, duplicateKeys: 0, misfits: 0, hidden: [], warnings },
  };
}

/** Where the cells of one range stand in the sheet, for people. */
function addresses(range: string): (row: number, column: number) => string {
  const from = origin(range);
  return (row, column) => `${from.tab}!${letters(from.column + column)}${from.row + row + 1}`;
}

/** Which columns are looked at, and how. */
interface Cut {
  readonly visible: readonly Placed[];
  /** Index of the key among them; NO_KEY: none is needed. */
  readonly key: number;
  /** Where the column stands that marks deleted rows. */
  readonly deletedAt: number | undefined;
  readonly range: string;
  readonly hidden: readonly HiddenColumn[];
}

function readRows(grid: Grid, { visible, key, deletedAt, range, hidden }: Cut): { rows: Cell[][]; places: number[]; findings: Findings } {
  const address = addresses(range);
  const rows: Cell[][] = [];
  const places: number[] = [];
  const seen = new Set<string>();
  const warnings: string[] = [];
  let [withoutKey, duplicateKeys, misfits] = [0, 0, 0];
  const warn = (text: string): void => void (warnings.length < MOST_WARNINGS && warnings.push(text));
  for (const column of hidden) warn(`the column ${hiddenText(column)}: "hidden" in the tables file says whether it is`);
  for (const [nr, raw] of grid.entries()) {
    if (nr === 0 || raw.every(isEmpty)) continue;
    if (deletedAt !== undefined && readCell(raw[deletedAt] ?? null, "boolean") === true) continue;
    const row = visible.map((column): Cell => {
      const cell = readCell(raw[column.at] ?? null, column.type);
      if (cell !== undefined) return cell;
      misfits += 1;
      warn(`${address(nr, column.at)} is no ${column.type}`);
      return null;
    });
    const keyColumn = visible[key];
    if (keyColumn === undefined) {
      if (raw.every((cell) => isEmpty(cell) || cell === false)) continue; // checkboxes that were prepared and not ticked
    } else if (isEmpty(row[key])) {
      withoutKey += 1;
      warn(`${address(nr, keyColumn.at)} has no key: the row is left out`);
      continue;
    } else {
      const text = String(row[key]);
      if (seen.has(text)) {
        duplicateKeys += 1;
        warn(`${address(nr, keyColumn.at)} has a key that stands further up already`);
      }
      seen.add(text);
    }
    rows.push(row);
    places.push(nr);
  }
  return { rows, places, findings: { rows: rows.length, withoutKey, duplicateKeys, misfits, hidden, warnings } };
}

/**
 * Reads `values` of one value range. Of hidden columns only the names are looked at, and whether a row is marked as deleted.
 * @param values as Google gives it: rows of cells, trailing empty ones left out, absent when the range is empty.
 */
export function readTable(values: unknown, table: Table): Reading {
  if (values === undefined || values === null) return emptyTable(table);
  if (!Array.isArray(values) || !values.every((row) => Array.isArray(row) && row.every(isRaw)))
    return { is: "malformed", why: `the values of ${table.range} are not rows of cells` };
  const grid: Grid = values;
  if (grid.every((row) => row.every(isEmpty))) return emptyTable(table);
  const placed = placeColumns(grid[0] ?? [], table);
  const wrong = wrongShape(placed, grid, table);
  if (wrong !== undefined) return { is: "malformed", why: wrong };
  const visible = placed.filter((column) => !column.hidden);
  const key = table.key === undefined ? 0 : visible.findIndex((column) => column.name === table.key);
  if (key === -1) return { is: "malformed", why: `the key column ${JSON.stringify(table.key)} of ${table.range} is hidden` };
  const deletedAt = placed.find((column) => column.name === table.deleted)?.at;
  const cut = { visible, key: hasRowIds(table) ? NO_KEY : key, deletedAt, range: table.range, hidden: hiddenByName(placed) };
  const { rows, places, findings } = readRows(grid, cut);
  const names = Array.from({ length: grid[0]?.length ?? 0 }, (_, at) => placed.find((column) => column.at === at)?.name);
  const layout = layoutOf(table, names, (visible[key] as Placed).name);
  return {
    is: "ok",
    content: { columns: visible.map(({ name, type }) => ({ name, type })), key: cut.key, rows },
    layout,
    places,
    findings,
  };
}
