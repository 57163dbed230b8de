/** Where a table stands in the spreadsheet, and what of it can be written. */
import { lastRow, origin } from "./a1.ts";
import { hasRowIds } from "./rowids.ts";
import type { Change } from "./writes.ts";
import type { Table } from "./types.ts";

/** Where a table stands, as its last reading showed it. */
export interface Layout {
  readonly table: string;
  /** The tab's title. */
  readonly tab: string;
  /** Of the header row and the first column, from 0. */
  readonly row: number;
  readonly column: number;
  /** Names of the header row in their order, as the table's columns are called; undefined: no column of the table. Hidden ones too. */
  readonly columns: readonly (string | undefined)[];
  readonly key: string;
  /** The key is only the first column, by which the header row is known again: rows have ids that are not in the sheet. */
  readonly rowIds?: boolean;
  /** Set to true instead of emptying the row. */
  readonly deleted: string | undefined;
}

const NAME = 1_000;
const isText = (v: unknown): v is string => typeof v === "string" && v.length <= NAME;
const isPlace = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;

/** @returns a layout that was kept on disk, or undefined when it is none. */
export function readLayout(raw: unknown, table: string): Layout | undefined {
  const { tab, row, column, columns, key, rowIds, deleted } = Object(raw) as Record<string, unknown>;
  if (!isText(tab) || !isPlace(row) || !isPlace(column) || !isText(key) || !Array.isArray(columns)) return undefined;
  if (!columns.every((name) => name === null || isText(name)) || !columns.includes(key)) return undefined;
  if (deleted !== undefined && !columns.includes(deleted)) return undefined;
  const names = (columns as (string | null)[]).map((name) => name ?? undefined);
  return { table, tab, row, column, columns: names, key, ...(rowIds === true ? { rowIds } : {}), deleted: deleted as string | undefined };
}

/** @returns where a table with these columns stands. */
export function layoutOf(table: Table, columns: readonly (string | undefined)[], key: string): Layout {
  const { name, range, deleted } = table;
  return { table: name, ...origin(range), columns, key, ...(hasRowIds(table) ? { rowIds: true } : {}), deleted };
}

/** Whether anybody may change this table at all. */
export const isWritable = ({ append, update }: Table): boolean => append !== "nobody" || update !== "nobody";

/** @returns why this kind of change can't be made in this table, whoever asks; undefined: it can. */
export function unwritable(table: Table, op: Change["op"]): string | undefined {
  const right = op === "append" ? "append" : "update";
  if (table[right] === "nobody") return `the tables file lets nobody ${right === "append" ? "add rows to" : "change"} "${table.name}"`;
  const end = lastRow(table.range);
  if (op === "append" && end !== undefined)
    return `the range ${table.range} ends with row ${end + 1}, and rows are added below: leave the row out of its end`;
  return undefined;
}
