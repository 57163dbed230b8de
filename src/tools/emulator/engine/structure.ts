/** Rows and columns that come, go and move, with the cells and the developer metadata that are tied to them. */
import { type AxisChange, counted, type Dimension, moveIndex, moveSpan } from "./axis.ts";
import { type Book, checkSize, type Sheet, type SheetState } from "./book.ts";
import { type Cell, isRich } from "./cell.ts";
import { invalid } from "./errors.ts";
import { type JsonObject, isObject, objectAt } from "./json.ts";

export const sizeOf = ({ state }: Sheet, dimension: Dimension): number =>
  dimension === "ROWS" ? state.rowCount : state.columnCount;

const sized = (state: SheetState, dimension: Dimension, size: number): SheetState =>
  dimension === "ROWS" ? { ...state, rowCount: size } : { ...state, columnCount: size };

/** Adds rows or columns at the end. */
export function appendDimension(
  book: Book,
  sheet: Sheet,
  dimension: Dimension,
  count: number,
): void {
  const grown = sized(sheet.state, dimension, sizeOf(sheet, dimension) + count);
  checkSize(book, sheet, grown.rowCount, grown.columnCount);
  sheet.state = grown;
}

export interface Insertion {
  readonly dimension: Dimension;
  readonly at: number;
  readonly count: number;
  /** Whose format the new cells take over. */
  readonly like: "before" | "after";
}

export function insertDimension(
  book: Book,
  sheet: Sheet,
  { dimension, at, count, like }: Insertion,
): void {
  appendDimension(book, sheet, dimension, count);
  apply(book, sheet, { is: "insert", dimension, at, count });
  const source = like === "before" ? at - 1 : at + count;
  if (source >= 0) inheritFormats(sheet, { dimension, at, count, source });
}

interface Inheritance {
  readonly dimension: Dimension;
  readonly at: number;
  readonly count: number;
  readonly source: number;
}

function inheritFormats({ grid }: Sheet, { dimension, at, count, source }: Inheritance): void {
  const copies: { readonly line: number; readonly cell: Cell }[] = [];
  const keep = (line: number, cell: Cell | undefined): void => {
    const plain =
      isRich(cell) && cell.numberFormat !== undefined
        ? { numberFormat: cell.numberFormat }
        : undefined;
    if (plain !== undefined) copies.push({ line, cell: plain });
  };
  if (dimension === "ROWS")
    for (const [column, cell] of (grid.row(source) ?? []).entries()) keep(column, cell);
  else for (const [row, cells] of grid.entries()) keep(row, cells[source]);
  for (const { line, cell } of copies)
    for (let i = at; i < at + count; i++) {
      if (dimension === "ROWS") grid.set(i, line, cell);
      else grid.set(line, i, cell);
    }
}

/** @throws Refusal when rows that don't exist, or all of them, would go */
export function deleteDimension(
  book: Book,
  sheet: Sheet,
  dimension: Dimension,
  { start, end }: { start: number; end: number },
): void {
  const size = sizeOf(sheet, dimension);
  const what = counted(dimension);
  if (start >= size) throw missing(what, start, size);
  if (end > size) throw missing(what, size, size);
  if (start === 0 && end === size) throw invalid(`You can't delete all the ${what}s on the sheet.`);
  apply(book, sheet, { is: "delete", dimension, start, end });
  sheet.state = sized(sheet.state, dimension, size - (end - start));
}

const missing = (what: string, index: number, size: number) =>
  invalid(
    `Cannot delete a ${what} that doesn't exist. Tried to delete ${what} index ${index} but there are only ${size} ${what}s.`,
  );

export function moveDimension(
  book: Book,
  sheet: Sheet,
  dimension: Dimension,
  { start, end, to }: { start: number; end: number; to: number },
): void {
  apply(book, sheet, { is: "move", dimension, start, end, to });
}

/** Cuts a sheet to a new size; what lay beyond is gone. */
export function resize(book: Book, sheet: Sheet, rows: number, columns: number): void {
  for (const [dimension, wanted] of [
    ["ROWS", rows],
    ["COLUMNS", columns],
  ] as const) {
    const size = sizeOf(sheet, dimension);
    if (wanted < 1) throw invalid(`You can't delete all the ${counted(dimension)}s on the sheet.`);
    if (wanted < size) deleteDimension(book, sheet, dimension, { start: wanted, end: size });
  }
  for (const [dimension, wanted] of [
    ["ROWS", rows],
    ["COLUMNS", columns],
  ] as const) {
    const size = sizeOf(sheet, dimension);
    if (wanted > size) appendDimension(book, sheet, dimension, wanted - size);
  }
}

/** Moves everything that is tied to rows or columns of a sheet. */
function apply(book: Book, sheet: Sheet, change: AxisChange): void {
  sheet.grid.move(change.dimension, (index) => moveIndex(change, index));
  const { id } = sheet.state;
  book.state = {
    ...book.state,
    metadata: book.state.metadata.flatMap((m) => some(moveMetadata(change, id, m))),
  };
}

const some = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);
const sheetOf = (range: JsonObject): number => Number(range["sheetId"] ?? 0);

function moveMetadata(
  change: AxisChange,
  sheetId: number,
  metadata: JsonObject,
): JsonObject | undefined {
  const location = objectAt(metadata, "location");
  const range = location["dimensionRange"];
  if (!isObject(range) || range["dimension"] !== change.dimension || sheetOf(range) !== sheetId)
    return metadata;
  const span = moveSpan(change, {
    start: Number(range["startIndex"] ?? 0),
    end: Number(range["endIndex"]),
  });
  if (span === undefined) return undefined;
  return {
    ...metadata,
    location: {
      ...location,
      dimensionRange: { ...range, startIndex: span.start, endIndex: span.end },
    },
  };
}
