/**
 * A spreadsheet as an immutable value: a change makes another spreadsheet, and the old one stays as it was. All of it is
 * plain JSON. Rows and columns that developer metadata is on have an id, which moves with them.
 */
import type { Rect } from "./a1.ts";
import { invalid } from "./errors.ts";

export type Scalar = string | number | boolean;

export interface NumberFormat {
  readonly type: string;
  readonly pattern: string;
}

/** A cell with more than a literal value. Without `value` and `formula` it is blank. */
export interface RichCell {
  readonly value?: Scalar | undefined;
  /** With its leading "=". */
  readonly formula?: string | undefined;
  /** Comes with what is typed: 2020-01-01 makes a date. */
  readonly format?: NumberFormat | undefined;
  readonly note?: string | undefined;
}

/** Most cells are bare values: 50,000 rows of them must stay cheap. */
export type Cell = Scalar | RichCell;

/** Cells without trailing nulls. */
export type Cells = readonly (Cell | null)[];

export interface Row {
  /** 0: none, as long as nothing refers to the row. */
  readonly id: number;
  readonly cells: Cells;
}

export interface Sheet {
  readonly sheetId: number;
  readonly title: string;
  readonly hidden: boolean;
  readonly rowCount: number;
  /** Up to the last row with a cell or an id; null is an empty row. */
  readonly rows: readonly (Row | null)[];
  /** Ids, 0 for none; the length is the number of columns. */
  readonly columns: readonly number[];
}

/** Where metadata is attached: without a sheet for the spreadsheet, with the id of a row or column for these. */
export interface Place {
  readonly on: "SPREADSHEET" | "SHEET" | "ROW" | "COLUMN";
  readonly sheetId?: number;
  readonly lineId?: number;
}

export interface Metadata {
  readonly id: number;
  readonly key: string;
  readonly value?: string;
  readonly visibility: string;
  readonly place: Place;
}

export interface Spreadsheet {
  readonly id: string;
  /** Title, locale, autoRecalc and timeZone. */
  readonly properties: Readonly<Record<string, string>>;
  /** In tab order. */
  readonly sheets: readonly Sheet[];
  readonly metadata: readonly Metadata[];
  /** Grows with each id that is given or invented. */
  readonly nextId: number;
}

/** A spreadsheet after a change, and what else the change gave. */
export interface Change<T> {
  readonly next: Spreadsheet;
  readonly result: T;
}

/** Makes a change for each item, one after the other. */
export function inTurn<I, T>(
  spreadsheet: Spreadsheet,
  items: readonly I[],
  change: (spreadsheet: Spreadsheet, item: I, i: number) => Change<T>,
): Change<readonly T[]> {
  let next = spreadsheet;
  const result = items.map((item, i) => {
    const done = change(next, item, i);
    ({ next } = done);
    return done.result;
  });
  return { next, result };
}

export type Dimension = "ROWS" | "COLUMNS";

/** Google's limits: cells of all sheets together, and columns of one sheet (A to ZZZ). */
const MOST_CELLS = 10_000_000;
const MOST_COLUMNS = 18_278;

export function newSheet(sheetId: number, title: string, rowCount = 1000, columns = 26): Sheet {
  if (columns > MOST_COLUMNS) throw tooWide();
  return {
    sheetId,
    title,
    hidden: false,
    rowCount,
    rows: [],
    columns: Array.from({ length: columns }, () => 0),
  };
}

const tooWide = (): Error =>
  invalid(
    `This action would increase the number of columns in the sheet above the limit of ${MOST_COLUMNS}.`,
  );

/**
 * Puts the next state of a sheet into its spreadsheet.
 * @throws GoogleError when the sheet would be too wide, or the spreadsheet too large
 */
export function withSheet(spreadsheet: Spreadsheet, sheet: Sheet): Spreadsheet {
  const sheets = spreadsheet.sheets.map((old) => (old.sheetId === sheet.sheetId ? sheet : old));
  return checkedSize({ ...spreadsheet, sheets });
}

export function checkedSize(spreadsheet: Spreadsheet): Spreadsheet {
  if (spreadsheet.sheets.some(({ columns }) => columns.length > MOST_COLUMNS)) throw tooWide();
  const cells = spreadsheet.sheets.reduce((sum, s) => sum + s.rowCount * s.columns.length, 0);
  if (cells <= MOST_CELLS) return spreadsheet;
  throw invalid(
    `This action would increase the number of cells in the workbook above the limit of ${MOST_CELLS} cells.`,
  );
}

/** A sheet of at least this size. Its limits are checked when it is put into its spreadsheet. */
export function grownTo(sheet: Sheet, rows: number, columns: number): Sheet {
  if (rows <= sheet.rowCount && columns <= sheet.columns.length) return sheet;
  if (columns > MOST_COLUMNS) throw tooWide();
  const more = Array.from({ length: Math.max(0, columns - sheet.columns.length) }, () => 0);
  return {
    ...sheet,
    rowCount: Math.max(rows, sheet.rowCount),
    columns: [...sheet.columns, ...more],
  };
}

/** @throws GoogleError "No grid with id: …" */
export function sheetWith(
  { sheets }: Spreadsheet,
  sheetId: number | null | undefined,
  what = "grid",
): Sheet {
  const sheet = sheets.find((s) => s.sheetId === (sheetId ?? 0));
  if (sheet === undefined) throw invalid(`No ${what} with id: ${sheetId ?? 0}`);
  return sheet;
}

/** Titles are unique without regard to case; an exact match goes first. */
export function sheetTitled({ sheets }: Spreadsheet, title: string): Sheet | undefined {
  const folded = title.toLowerCase();
  return (
    sheets.find((s) => s.title === title) ?? sheets.find((s) => s.title.toLowerCase() === folded)
  );
}

/** A positive int32 that looks like Google's, other than those that are taken. */
export function inventedId({ nextId }: Spreadsheet, taken: (id: number) => boolean): number {
  for (let n = nextId; ; n++) {
    const id = Math.imul(n, 0x9e37_79b1) >>> 1;
    if (id > 0 && !taken(id)) return id;
  }
}

export const cellAt = ({ rows }: Sheet, row: number, column: number): Cell | null =>
  rows[row]?.cells[column] ?? null;

export const richCell = (cell: Cell | null): RichCell =>
  cell === null ? {} : typeof cell === "object" ? cell : { value: cell };

/** The cheapest cell that says the same; null when it says nothing. */
export function compactCell({ value, formula, format, note }: RichCell): Cell | null {
  if (formula === undefined && format === undefined && !note) return value ?? null;
  return { value, formula, format, note: note === "" ? undefined : note };
}

/** Nothing to read: no cell, or one with a format or a note only. */
export const isBlank = (cell: Cell | null | undefined): boolean =>
  cell === null ||
  cell === undefined ||
  (typeof cell === "object" && cell.value === undefined && cell.formula === undefined);

/** One more than the last row with a value in any column. */
export const filledRows = ({ rows }: Sheet): number =>
  rows.findLastIndex((row) => row?.cells.some((cell) => !isBlank(cell)) === true) + 1;

export interface CellChange {
  readonly row: number;
  readonly column: number;
  /** null removes the cell. */
  readonly cell: Cell | null;
}

/** Changes cells in order. Copies the list of rows once, and each changed row once. */
export function writeCells(sheet: Sheet, changes: Iterable<CellChange>): Sheet {
  const changed = new Map<number, (Cell | null)[]>();
  for (const { row, column, cell } of changes) {
    const cells = changed.get(row) ?? [...(sheet.rows[row]?.cells ?? [])];
    changed.set(row, cells);
    while (cells.length < column) cells.push(null);
    cells[column] = cell;
  }
  if (changed.size === 0) return sheet;
  const rows = sheet.rows.slice();
  for (const [row, cells] of changed) {
    while (rows.length < row) rows.push(null);
    rows[row] = rowOf(rows[row]?.id ?? 0, cells);
  }
  return { ...sheet, rows: withoutTrailingNulls(rows) };
}

/** The cells of a rectangle that are there. */
export const cellsIn = (sheet: Sheet, rect: Rect): CellChange[] =>
  sheet.rows
    .slice(rect.startRow, rect.endRow)
    .flatMap((row, i) =>
      (row?.cells ?? [])
        .slice(rect.startColumn, rect.endColumn)
        .flatMap((cell, j) =>
          cell === null ? [] : [{ row: rect.startRow + i, column: rect.startColumn + j, cell }],
        ),
    );

/** A row, without trailing nulls; null when nothing is in it. */
export function rowOf(id: number, cells: Cells): Row | null {
  const kept = withoutTrailingNulls(cells);
  return kept.length === 0 && id === 0 ? null : { id, cells: kept };
}

export function withoutTrailingNulls<T>(list: readonly (T | null)[]): readonly (T | null)[] {
  const last = list.findLastIndex((item) => item !== null);
  return last === list.length - 1 ? list : list.slice(0, last + 1);
}
