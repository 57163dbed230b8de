/** Rows and columns: insert, delete, move, append, resize. */
import type { sheets_v4 } from "@googleapis/sheets";
import { invalid } from "./errors.ts";
import {
  type Cell,
  type Dimension,
  grownTo,
  richCell,
  type Row,
  rowOf,
  type Sheet,
  sheetWith,
  type Spreadsheet,
  withoutTrailingNulls,
  withSheet,
} from "./spreadsheet.ts";

export const sizeOf = (sheet: Sheet, dimension: Dimension): number =>
  dimension === "ROWS" ? sheet.rowCount : sheet.columns.length;

const nounOf = (dimension: Dimension): string => (dimension === "ROWS" ? "row" : "column");

export interface DimensionRange {
  readonly sheet: Sheet;
  readonly dimension: Dimension;
  readonly start: number;
  readonly end: number;
}

export function dimensionOf(value: string | null | undefined): Dimension {
  if (value === "ROWS" || value === "COLUMNS") return value;
  throw invalid("Must specify a dimension: ROWS or COLUMNS.");
}

/**
 * A DimensionRange of the API; open ends are the grid's.
 * @param name the request's field that holds it
 * @throws GoogleError for a range that is none
 */
export function dimensionRange(
  spreadsheet: Spreadsheet,
  range: sheets_v4.Schema$DimensionRange | undefined,
  name: string,
): DimensionRange {
  if (!range) throw invalid(`Must specify ${name}.`);
  const sheet = sheetWith(spreadsheet, range.sheetId);
  const dimension = dimensionOf(range.dimension);
  const start = range.startIndex ?? 0;
  const end = range.endIndex ?? Math.max(start, sizeOf(sheet, dimension));
  if (start < 0) throw invalid(`${name}.startIndex (${start}) must not be negative.`);
  if (end < start || (end === start && typeof range.endIndex === "number"))
    throw invalid(`${name}.endIndex (${end}) must be after ${name}.startIndex (${start}).`);
  return { sheet, dimension, start, end };
}

/**
 * Changes a list of rows, of columns or of a row's cells; a list may end before the grid does.
 * @param like an empty item with the format of another
 */
type Edit = <T>(list: readonly T[], blank: T, like: (item: T) => T) => readonly T[];

function formatOf(cell: Cell | null): Cell | null {
  const { format } = richCell(cell);
  return format === undefined ? null : { format };
}

const likeRow = (row: Row | null): Row | null => row && rowOf(0, row.cells.map(formatOf));

function edited(sheet: Sheet, dimension: Dimension, edit: Edit): Sheet {
  if (dimension === "ROWS")
    return { ...sheet, rows: withoutTrailingNulls(edit(sheet.rows, null, likeRow)) };
  const rows = sheet.rows.map((row) => row && rowOf(row.id, edit(row.cells, null, formatOf)));
  const columns = edit(sheet.columns, 0, () => 0);
  return { ...sheet, columns, rows: withoutTrailingNulls(rows) };
}

const repeated = <T>(item: T, count: number): T[] => Array.from({ length: count }, () => item);

/** Adds rows or columns at the end. */
export function append(
  spreadsheet: Spreadsheet,
  sheet: Sheet,
  dimension: Dimension,
  count: number,
): Spreadsheet {
  const [rows, columns] = dimension === "ROWS" ? [count, 0] : [0, count];
  const grown = grownTo(sheet, sheet.rowCount + rows, sheet.columns.length + columns);
  return withSheet(spreadsheet, grown);
}

/** @param source the row or column whose formats the new ones take over */
export function insert(
  spreadsheet: Spreadsheet,
  { sheet, dimension, start, end }: DimensionRange,
  source: number,
): Spreadsheet {
  const count = end - start;
  append(spreadsheet, sheet, dimension, count); // throws when there is no room
  const next = edited(sheet, dimension, (list, blank, like) => {
    if (list.length < start) return list;
    const added = repeated(like(list[source] ?? blank), count);
    return [...list.slice(0, start), ...added, ...list.slice(start)];
  });
  const rowCount = sheet.rowCount + (dimension === "ROWS" ? count : 0);
  return withSheet(spreadsheet, { ...next, rowCount });
}

/** Deletes rows or columns, with the metadata that is on them. */
export function remove(
  spreadsheet: Spreadsheet,
  { sheet, dimension, start, end }: DimensionRange,
): Spreadsheet {
  const size = sizeOf(sheet, dimension);
  const noun = nounOf(dimension);
  if (start >= size || end > size)
    throw invalid(
      `Cannot delete a ${noun} that doesn't exist. Tried to delete ${noun} index ${Math.max(start, size)} but there are only ${size} ${noun}s.`,
    );
  if (start === 0 && end === size) throw invalid(`You can't delete all the ${noun}s on the sheet.`);
  const ids = dimension === "ROWS" ? sheet.rows.map((row) => row?.id ?? 0) : sheet.columns;
  const gone = new Set(ids.slice(start, end));
  const left = edited(sheet, dimension, (list) => [...list.slice(0, start), ...list.slice(end)]);
  const rowCount = dimension === "ROWS" ? size - (end - start) : sheet.rowCount;
  const metadata = spreadsheet.metadata.filter(({ place }) => !gone.has(place.lineId ?? NaN));
  return withSheet({ ...spreadsheet, metadata }, { ...left, rowCount });
}

/** Moves rows or columns to before the index `to`, which counts as before the move. */
export function move(
  spreadsheet: Spreadsheet,
  { sheet, dimension, start, end }: DimensionRange,
  to: number,
): Spreadsheet {
  const size = sizeOf(sheet, dimension);
  if (start >= size) throw invalid(`source.startIndex is larger than current grid size (${size})`);
  if (end > size) throw invalid(`source.endIndex is larger than current grid size (${size})`);
  if (to < 0 || to > size)
    throw invalid(`destinationIndex (${to}) must be within the grid (${size})`);
  if (to > start && to < end)
    throw invalid(`destinationIndex (${to}) can't be within the source [${start}, ${end}).`);
  const moved = edited(sheet, dimension, (list, blank) => {
    const whole = [...list, ...repeated(blank, Math.max(0, Math.max(end, to) - list.length))];
    const block = whole.splice(start, end - start);
    const at = to > start ? to - block.length : to;
    return [...whole.slice(0, at), ...block, ...whole.slice(at)];
  });
  return withSheet(spreadsheet, moved);
}

/** Cuts or grows a sheet to a new size; what was beyond is gone. */
export function resize(
  spreadsheet: Spreadsheet,
  sheetId: number,
  rows: number,
  columns: number,
): Spreadsheet {
  let next = spreadsheet;
  for (const dimension of ["ROWS", "COLUMNS"] as const) {
    const sheet = sheetWith(next, sheetId);
    const [start, end] = [dimension === "ROWS" ? rows : columns, sizeOf(sheet, dimension)];
    if (start < 1) throw invalid(`You can't delete all the ${nounOf(dimension)}s on the sheet.`);
    if (start < end) next = remove(next, { sheet, dimension, start, end });
  }
  return withSheet(next, grownTo(sheetWith(next, sheetId), rows, columns));
}
