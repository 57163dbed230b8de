/** Writing a range of values: what is written where, and the counts of an answer. */
import type { sheets_v4 } from "@googleapis/sheets";
import { columnName, type Rect, rangeName } from "./a1.ts";
import { checkText } from "./cell-data.ts";
import { invalid } from "./errors.ts";
import { isDateFormat } from "./number-formats.ts";
import { clip, type ResolvedRange } from "./ranges.ts";
import { type Lists, transposed, trimmed } from "./read-range.ts";
import {
  cellAt,
  type CellChange,
  type Change,
  cellsIn,
  compactCell,
  grownTo,
  richCell,
  type RichCell,
  type Scalar,
  type Sheet,
  sheetWith,
  type Spreadsheet,
  withSheet,
  writeCells,
} from "./spreadsheet.ts";
import { type Entered, parseInput } from "./user-entered.ts";

export type InputOption = "RAW" | "USER_ENTERED";

/** @throws GoogleError when the option is missing */
export function inputOption(given: string | null | undefined): InputOption {
  if (given === "RAW" || given === "USER_ENTERED") return given;
  throw invalid("'valueInputOption' is required but not specified");
}

/** Rows of entries; an undefined entry leaves its cell as it is. */
export type Entries = Lists<Scalar>;

/**
 * The entries of a ValueRange, as rows whatever its major dimension.
 * @throws GoogleError for a value that no cell can hold
 */
export function entriesOf({ values, majorDimension }: sheets_v4.Schema$ValueRange): Entries {
  const lists = ((values ?? []) as readonly (readonly unknown[] | null)[]).map((list, i) =>
    (list ?? []).map((value, j) => entryOf(value, `values[${i}][${j}]`)),
  );
  return majorDimension === "COLUMNS" ? transposed(lists) : lists;
}

function entryOf(value: unknown, at: string): Scalar | undefined {
  if (value === null) return undefined;
  if (typeof value === "object")
    throw invalid(`Invalid ${at}: ${Array.isArray(value) ? "list" : "struct"}_value { … }`);
  if (typeof value === "number" && !Number.isFinite(value))
    throw invalid(`Invalid ${at}: the number is too large.`);
  return typeof value === "string" ? checkText(value) : (value as Scalar);
}

/** The effect of one write; rows and columns are those with at least one written cell. */
export interface WriteResult {
  readonly sheetId: number;
  readonly range: string;
  readonly rows: ReadonlySet<number>;
  readonly columns: ReadonlySet<number>;
  readonly cells: number;
  /** The rectangle that `updatedData` shows. */
  readonly shown: Rect;
}

/**
 * Writes entries from the range's first cell on. From a single cell, or to an open side, the write runs on and the grid
 * grows with it; a bounded range that is too small is refused.
 */
export function writeRange(
  spreadsheet: Spreadsheet,
  range: ResolvedRange,
  entries: Entries,
  option: InputOption,
): Change<WriteResult> {
  const sheet = sheetWith(spreadsheet, range.sheetId);
  const rect = clip(sheet, range.area);
  checkFits(range, entries);
  const filled = entries.map(trimmed);
  const height = filled.findLastIndex((list) => list.length > 0) + 1;
  const width = filled.reduce((most, list) => Math.max(most, list.length), 0);
  const changes = changesOf(sheet, rect, entries, option);
  const grown = grownTo(sheet, rect.startRow + height, rect.startColumn + width);
  const reached = {
    ...rect,
    endRow: rect.startRow + Math.max(height, 1),
    endColumn: rect.startColumn + Math.max(width, 1),
  };
  const result = {
    sheetId: sheet.sheetId,
    range: rangeName(sheet.title, reached),
    rows: new Set(changes.map(({ row }) => row)),
    columns: new Set(changes.map(({ column }) => column)),
    cells: changes.length,
    shown: range.single ? reached : clip(grown, range.area),
  };
  return { next: withSheet(spreadsheet, writeCells(grown, changes)), result };
}

function checkFits({ area, single, text }: ResolvedRange, entries: Entries): void {
  if (single) return;
  const [startRow, startColumn] = [area.startRow ?? 0, area.startColumn ?? 0];
  const { endRow, endColumn } = area;
  const refuse = (what: string): Error =>
    invalid(`Requested writing within range [${text}], but tried writing to ${what}`);
  if (endRow !== undefined && startRow + entries.length > endRow)
    throw refuse(`row [${endRow + 1}]`);
  if (endColumn !== undefined && entries.some((list) => startColumn + list.length > endColumn))
    throw refuse(`column [${columnName(endColumn)}]`);
}

function changesOf(sheet: Sheet, rect: Rect, entries: Entries, option: InputOption): CellChange[] {
  return entries.flatMap((list, i) =>
    list.flatMap((entry, j) => {
      if (entry === undefined) return [];
      const [row, column] = [rect.startRow + i, rect.startColumn + j];
      const old = richCell(cellAt(sheet, row, column));
      return [{ row, column, cell: compactCell(entered(old, entry, option)) }];
    }),
  );
}

/** The cell after something was entered: note and format stay, unless the entry brings another kind of format. */
function entered(old: RichCell, entry: Scalar, option: InputOption): RichCell {
  const typed = typedEntry(entry, option);
  const keepsFormat =
    typed.format === undefined ||
    old.format?.type === typed.format.type ||
    (isDateFormat(old.format) && isDateFormat(typed.format));
  const format = keepsFormat ? (old.format ?? typed.format) : typed.format;
  return { ...typed, format, note: old.note };
}

function typedEntry(entry: Scalar, option: InputOption): Entered {
  if (entry === "") return {};
  return option === "RAW" || typeof entry !== "string" ? { value: entry } : parseInput(entry);
}

/** Empties a range; formats and notes stay. @returns the range's name */
export function clearRange(
  spreadsheet: Spreadsheet,
  { sheetId, area }: ResolvedRange,
): Change<string> {
  const sheet = sheetWith(spreadsheet, sheetId);
  const rect = clip(sheet, area);
  const changes = cellsIn(sheet, rect).map(({ cell, ...at }) => {
    const { format, note } = richCell(cell);
    return { ...at, cell: compactCell({ format, note }) };
  });
  const next = withSheet(spreadsheet, writeCells(sheet, changes));
  return { next, result: rangeName(sheet.title, rect) };
}
