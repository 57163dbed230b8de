/** Values of a write → cells as Google wants them. Text is text, whatever it begins with: nothing here can be a formula. */
import type { Layout } from "../../../sheets/layout.ts";

export type Value = string | number | boolean | null;
export type Values = Readonly<Record<string, Value>>;

/** What a cell of an answer reads; it can't be anything but text, a number or a boolean. */
const textOf = (cell: unknown): string =>
  typeof cell === "string" || typeof cell === "number" || typeof cell === "boolean" ? `${cell}` : "";

const isEmpty = (value: Value | undefined): boolean => value === undefined || value === null || value === "";

/** A CellData of an append. */
function cellData(value: Value | undefined): object {
  if (value === undefined || value === null || value === "") return {};
  const kind = { string: "stringValue", number: "numberValue", boolean: "boolValue" }[typeof value as "string" | "number" | "boolean"];
  return { userEnteredValue: { [kind]: value } };
}

/** @returns a name that the table has no column of. */
export const missingColumn = (layout: Layout, values: Values): string | undefined =>
  Object.keys(values).find((name) => !layout.columns.includes(name));

/** RowData of `appendCells`, which begins at the tab's first column. */
export function appendedRow(layout: Layout, values: Values): { readonly values: readonly object[] } {
  const given = layout.columns.map((name) => (name === undefined || !Object.hasOwn(values, name) ? null : (values[name] ?? null)));
  while (given.length > 0 && isEmpty(given.at(-1))) given.pop();
  return { values: [...Array.from({ length: layout.column }, () => ({})), ...given.map(cellData)] };
}

/** One row of `values.batchUpdateByDataFilter`, from the tab's first column: null leaves a cell as it is, "" empties it. */
export function writtenRow(layout: Layout, values: Values): readonly Value[] {
  const given = layout.columns.map((name) => (name === undefined || !Object.hasOwn(values, name) ? null : (values[name] ?? "")));
  while (given.length > 0 && given.at(-1) === null) given.pop();
  return [...Array.from({ length: layout.column }, () => null), ...given];
}

/** What a delete writes: the column that says so, or nothing into every column. */
export function deletion(layout: Layout): Values {
  if (layout.deleted !== undefined) return { [layout.deleted]: true };
  return Object.fromEntries(layout.columns.flatMap((name) => (name === undefined ? [] : [[name, null]])));
}

/** Counted from the tab's first column. */
export const keyColumn = (layout: Layout): number => layout.column + layout.columns.indexOf(layout.key);

/**
 * Whether a cell holds a key, however the table's column is typed: `5` and "5", TRUE and "true", " a".
 * @param shown the cell as people see it: a date's key is that
 */
export function holdsKey(cell: unknown, key: string, shown?: unknown): boolean {
  if (cell === undefined || cell === null) return key === "" && (shown === undefined || shown === "");
  if (textOf(cell) === key || shown === key) return true;
  if (typeof cell === "boolean") return String(cell).toUpperCase() === key.toUpperCase();
  if (typeof cell === "number") return key.trim() !== "" && Number(key) === cell;
  return (
    typeof cell === "string" && (cell.trim() === key.trim() || (cell.trim() !== "" && key.trim() !== "" && Number(cell) === Number(key)))
  );
}

/** Whether the first cell of a key column, as read, is the header that the key's column had. */
export function headsKeys(values: unknown, { key }: Layout): boolean {
  const [first] = Array.isArray(values) ? (values as unknown[]) : [];
  const name = textOf(Array.isArray(first) ? first[0] : undefined)
    .trim()
    .normalize("NFC");
  return name === key || (name !== "" && key.startsWith(`${name}_`)); // the second of its name
}

/** Rows of a key column as read, the header first → where each wanted key stands, counted from the tab's first row. The first of equals counts. */
export function rowsOfKeys(values: unknown, headerRow: number, wanted: ReadonlySet<string>): Map<string, number> {
  const cells = (Array.isArray(values) ? values : []).map((row: unknown): unknown => (Array.isArray(row) ? row[0] : undefined));
  const found = new Map<string, number>();
  for (const [i, cell] of cells.entries()) {
    const text = textOf(cell);
    if (i > 0 && wanted.has(text) && !found.has(text)) found.set(text, headerRow + i);
  }
  const left = [...wanted].filter((key) => !found.has(key));
  for (const [i, cell] of left.length === 0 ? [] : cells.entries())
    for (const key of i === 0 ? [] : left) if (!found.has(key) && holdsKey(cell, key)) found.set(key, headerRow + i);
  return found;
}
