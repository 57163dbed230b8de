/** What Google answers for one range → the table's visible rows, and what was wrong with them. */
import { letters, origin } from "./a1.ts";
import { readCell } from "./cell.ts";
import { layoutOf, type Layout } from "./layout.ts";
import { hasRowIds, NO_KEY } from "./rowids.ts";
import type { Cell, Content } from "./snapshot.ts";
import type { Column, Table } from "./types.ts";
import { namesSecret } from "./words.ts";

type Raw = string | number | boolean | null;

/** What a table's owner should hear of. Cells are named by address, never by what they hold. */
export interface Findings {
  readonly rows: number;
  /** Rows with something in them but no key: left out. */
  readonly withoutKey: number;
  /** Rows whose key stands further up already: kept in lists, but a look-up by key finds the first. */
  readonly duplicateKeys: number;
  /** Values that do not fit their column's type: null in the table. */
  readonly misfits: number;
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

/** A column of the answer: where it stands, what it is called and whether it may be seen. */
interface Placed extends Column {
  readonly at: number;
}

const MOST_WARNINGS = 20;
const isRaw = (v: unknown): v is Raw => v === null || typeof v === "string" || typeof v === "number" || typeof v === "boolean";
const isEmpty = (v: Raw | undefined): boolean => v === undefined || v === null || (typeof v === "string" && v.trim() === "");

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
function placeColumns(header: readonly Raw[], table: Table): readonly Placed[] {
  const given = new Map(table.columns.map((column) => [column.name, column]));
  const names = columnNames(header);
  return header.flatMap((cell, at): Placed[] => {
    const [base, name] = [baseOf(cell), names[at]];
    if (name === undefined) return [];
    const said = given.get(name) ?? given.get(base);
    const hidden = said?.hidden ?? (namesSecret(name) || namesSecret(base));
    if (name === table.deleted) return [{ name, at, hidden: true, type: "boolean" }];
    return [{ name, at, hidden: hidden || (given.get(base)?.hidden ?? false), type: said?.type ?? "auto" }];
  });
}

/** A column that the tables file names must be there: a renamed `code` must not come out under its new name. */
function wrongShape(placed: readonly Placed[], table: Table): string | undefined {
  if (placed.length === 0) return `the range ${table.range} has no header row`;
  const names = new Set(placed.map((column) => column.name));
  const named = [
    ...table.columns.map((column) => column.name),
    ...[table.key, table.deleted, table.owner].filter((name) => name !== undefined),
  ];
  const missing = named.find((name) => !names.has(name));
  if (missing !== undefined)
    return `the header row of ${table.range} has no column ${JSON.stringify(missing)}, which the tables file names`;
  return placed.every((column) => column.hidden) ? `every column of ${table.range} is hidden` : undefined;
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
}

function readRows(
  grid: readonly (readonly Raw[])[],
  { visible, key, deletedAt, range }: Cut,
): { rows: Cell[][]; places: number[]; findings: Findings } {
  const address = addresses(range);
  const rows: Cell[][] = [];
  const places: number[] = [];
  const seen = new Set<string>();
  const warnings: string[] = [];
  let [withoutKey, duplicateKeys, misfits] = [0, 0, 0];
  const warn = (text: string): void => void (warnings.length < MOST_WARNINGS && warnings.push(text));
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
  return { rows, places, findings: { rows: rows.length, withoutKey, duplicateKeys, misfits, warnings } };
}

/**
 * Reads `values` of one value range. Of hidden columns only the names are looked at, and whether a row is marked as deleted.
 * @param values as Google gives it: rows of cells, trailing empty ones left out, absent when the range is empty.
 */
export function readTable(values: unknown, table: Table): Reading {
  if (values === undefined || values === null) return { is: "malformed", why: `the range ${table.range} is empty: it has no header row` };
  if (!Array.isArray(values) || !values.every((row) => Array.isArray(row) && row.every(isRaw)))
    return { is: "malformed", why: `the values of ${table.range} are not rows of cells` };
  const grid: readonly (readonly Raw[])[] = values;
  const placed = placeColumns(grid[0] ?? [], table);
  const wrong = wrongShape(placed, table);
  if (wrong !== undefined) return { is: "malformed", why: wrong };
  const visible = placed.filter((column) => !column.hidden);
  const key = table.key === undefined ? 0 : visible.findIndex((column) => column.name === table.key);
  if (key === -1) return { is: "malformed", why: `the key column ${JSON.stringify(table.key)} of ${table.range} is hidden` };
  const deletedAt = placed.find((column) => column.name === table.deleted)?.at;
  const cut = { visible, key: hasRowIds(table) ? NO_KEY : key, deletedAt, range: table.range };
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
