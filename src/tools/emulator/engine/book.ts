/** A spreadsheet in memory. All that is not cells is immutable data, replaced as a whole: a snapshot is a few references. */
import { invalid } from "./errors.ts";
import { Grid } from "./grid.ts";
import type { Ids } from "./ids.ts";
import type { JsonObject } from "./json.ts";

export interface SheetState {
  readonly id: number;
  readonly title: string;
  readonly rowCount: number;
  readonly columnCount: number;
  readonly hidden: boolean;
}

export interface Sheet {
  state: SheetState;
  readonly grid: Grid;
}

export interface BookState {
  /** SpreadsheetProperties. */
  readonly properties: JsonObject;
  /** DeveloperMetadata, in the API's form. */
  readonly metadata: readonly JsonObject[];
}

export interface Book {
  readonly id: string;
  state: BookState;
  /** In tab order. */
  sheets: readonly Sheet[];
}

/** Cells of all sheets of a spreadsheet together, and columns of one sheet: A to ZZZ. */
const MOST_CELLS = 10_000_000;
const MOST_COLUMNS = 18_278;

/**
 * Checks that a sheet may have this size next to the others.
 * @param sheet the sheet that gets the size; undefined for a new one
 * @throws Refusal when it would be too wide, or the spreadsheet too large
 */
export function checkSize(
  book: Book,
  sheet: Sheet | undefined,
  rows: number,
  columns: number,
): void {
  if (columns > MOST_COLUMNS)
    throw invalid(
      `This action would increase the number of columns in the sheet above the limit of ${MOST_COLUMNS}.`,
    );
  const others = book.sheets.reduce(
    (sum, other) => (other === sheet ? sum : sum + other.state.rowCount * other.state.columnCount),
    0,
  );
  if (others + rows * columns > MOST_CELLS)
    throw invalid(
      `This action would increase the number of cells in the workbook above the limit of ${MOST_CELLS} cells.`,
    );
}

/** Grows a sheet to at least this size. */
export function growTo(book: Book, sheet: Sheet, rows: number, columns: number): void {
  const { rowCount, columnCount } = sheet.state;
  if (rows <= rowCount && columns <= columnCount) return;
  const grown = { rowCount: Math.max(rows, rowCount), columnCount: Math.max(columns, columnCount) };
  checkSize(book, sheet, grown.rowCount, grown.columnCount);
  sheet.state = { ...sheet.state, ...grown };
}

export const sheetById = (book: Book, id: number): Sheet | undefined =>
  book.sheets.find((s) => s.state.id === id);

/** Titles are unique without regard to case; an exact match goes first. */
export function sheetByTitle(book: Book, title: string): Sheet | undefined {
  const folded = title.toLowerCase();
  return (
    book.sheets.find((s) => s.state.title === title) ??
    book.sheets.find((s) => s.state.title.toLowerCase() === folded)
  );
}

export const firstVisible = (book: Book): Sheet | undefined =>
  book.sheets.find((s) => !s.state.hidden) ?? book.sheets[0];

/**
 * Runs `act` on the book as one transaction: when it throws, cells, tabs, properties and the id counter are as before.
 */
export function atomically<T>(book: Book, ids: Ids, act: () => T): T {
  const before = { state: book.state, sheets: book.sheets, count: ids.count };
  const states = before.sheets.map((sheet) => sheet.state);
  for (const { grid } of before.sheets) grid.begin();
  try {
    const result = act();
    for (const { grid } of new Set([...before.sheets, ...book.sheets])) grid.commit();
    return result;
  } catch (thrown) {
    for (const [i, sheet] of before.sheets.entries()) {
      sheet.grid.rollback();
      sheet.state = states[i] ?? sheet.state;
    }
    Object.assign(book, { state: before.state, sheets: before.sheets });
    ids.count = before.count;
    throw thrown;
  }
}

export function newSheet(
  id: number,
  title: string,
  rowCount = 1000,
  columnCount = 26,
  grid = new Grid(),
): Sheet {
  return {
    state: {
      id,
      title,
      rowCount,
      columnCount,
      hidden: false,
    },
    grid,
  };
}
