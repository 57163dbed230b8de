/** From a range as written, or a GridRange, to a sheet and the cells of it that exist. */
import type { sheets_v4 } from "@googleapis/sheets";
import { type Area, type Rect, parseReference, rangeName } from "./a1.ts";
import { invalid } from "./errors.ts";
import { type Sheet, sheetTitled, sheetWith, type Spreadsheet } from "./spreadsheet.ts";

/** A requested range of one sheet: sides may be open or lie beyond the grid. */
export interface ResolvedRange {
  readonly sheetId: number;
  readonly area: Area;
  /** Written as one cell: a write may run on from it. */
  readonly single: boolean;
  /** As the caller wrote it. */
  readonly text: string;
}

/**
 * Finds what `text` names: an area or a whole sheet. A1 beats a title, unless the title is in quotes.
 * @throws GoogleError "Unable to parse range: …"
 */
export function resolve(spreadsheet: Spreadsheet, text: string): ResolvedRange {
  const reference = parseReference(text);
  const [area, single] =
    reference?.is === "area" ? [reference.area, reference.single] : [{}, false];
  const sheet = sheetNamed(spreadsheet, reference);
  if (sheet === undefined) throw invalid(`Unable to parse range: ${text}`);
  return { sheetId: sheet.sheetId, area, single, text };
}

function sheetNamed(
  spreadsheet: Spreadsheet,
  reference: ReturnType<typeof parseReference>,
): Sheet | undefined {
  if (reference === undefined) return undefined;
  if (reference.is === "name")
    return reference.title === undefined ? sheetTitled(spreadsheet, reference.name) : undefined;
  if (reference.title !== undefined) return sheetTitled(spreadsheet, reference.title);
  return spreadsheet.sheets.find((s) => !s.hidden) ?? spreadsheet.sheets[0];
}

/** A GridRange of the API. @throws GoogleError "No grid with id: …", or for sides that are no range */
export function gridRange(
  spreadsheet: Spreadsheet,
  range: sheets_v4.Schema$GridRange,
): ResolvedRange {
  const { sheetId } = sheetWith(spreadsheet, range.sheetId);
  const startRow = range.startRowIndex ?? undefined;
  const endRow = range.endRowIndex ?? undefined;
  const startColumn = range.startColumnIndex ?? undefined;
  const endColumn = range.endColumnIndex ?? undefined;
  checkSides("RowIndex", startRow, endRow);
  checkSides("ColumnIndex", startColumn, endColumn);
  const single =
    startRow !== undefined && endRow === startRow + 1 && endColumn === (startColumn ?? -1) + 1;
  return { sheetId, area: { startRow, endRow, startColumn, endColumn }, single, text: "" };
}

function checkSides(kind: string, start: number | undefined, end: number | undefined): void {
  if (start !== undefined && start < 0)
    throw invalid(`range.start${kind} (${start}) must not be negative`);
  if (end !== undefined && end < 0) throw invalid(`range.end${kind} (${end}) must not be negative`);
  if (end !== undefined && (start ?? 0) >= end)
    throw invalid(`range.end${kind} (${end}) must be after range.start${kind} (${start ?? 0})`);
}

/** The part of an area that exists, possibly empty: requests of a batch don't refuse what is beyond the grid. */
export function overlap({ rowCount, columns }: Sheet, area: Area): Rect {
  return {
    startRow: Math.min(area.startRow ?? 0, rowCount),
    startColumn: Math.min(area.startColumn ?? 0, columns.length),
    endRow: Math.min(area.endRow ?? rowCount, rowCount),
    endColumn: Math.min(area.endColumn ?? columns.length, columns.length),
  };
}

/** The part of an area that exists. @throws GoogleError when it begins beyond the grid */
export function clip(sheet: Sheet, area: Area): Rect {
  const { rowCount, columns, title } = sheet;
  const rect = overlap(sheet, area);
  if (rect.startRow < rowCount && rect.startColumn < columns.length) return rect;
  const [startRow, startColumn] = [area.startRow ?? 0, area.startColumn ?? 0];
  const wanted = {
    startRow,
    startColumn,
    endRow: area.endRow ?? Math.max(rowCount, startRow + 1),
    endColumn: area.endColumn ?? Math.max(columns.length, startColumn + 1),
  };
  throw invalid(
    `Range (${rangeName(title, wanted)}) exceeds grid limits. Max rows: ${rowCount}, max columns: ${columns.length}`,
  );
}
