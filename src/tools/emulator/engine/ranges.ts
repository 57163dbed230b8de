/** From a range as written, or a GridRange, to a sheet and the cells of it that exist. */
import { type Area, type Rect, parseReference, rangeName } from "./a1.ts";
import { type Book, type Sheet, firstVisible, sheetById, sheetByTitle } from "./book.ts";
import { invalid, unparsable } from "./errors.ts";
import { type JsonObject, intAt } from "./json.ts";

/** A requested range of one sheet: sides may be open or lie beyond the grid. */
export interface Target {
  readonly sheet: Sheet;
  readonly area: Area;
  /** Written as one cell: a write may run on from it. */
  readonly single: boolean;
  /** As the caller wrote it. */
  readonly text: string;
}

/**
 * Finds what `text` names: an area or a whole sheet. A1 beats a title, unless the title is in quotes.
 * @throws Refusal "Unable to parse range: …"
 */
export function resolve(book: Book, text: string): Target {
  const reference = parseReference(text);
  if (reference === undefined) throw unparsable(text);
  if (reference.is === "sheet") return target(sheetByTitle(book, reference.title), {}, false, text);
  if (reference.is === "area") {
    const sheet =
      reference.title === undefined ? firstVisible(book) : sheetByTitle(book, reference.title);
    return target(sheet, reference.area, reference.single, text);
  }
  return target(
    reference.title === undefined ? sheetByTitle(book, reference.name) : undefined,
    {},
    false,
    text,
  );
}

function target(sheet: Sheet | undefined, area: Area, single: boolean, text: string): Target {
  if (sheet === undefined) throw unparsable(text);
  return { sheet, area, single, text };
}

/** A GridRange of the API; an absent sheetId is 0. @throws Refusal "No grid with id: …" */
export function gridTarget(book: Book, range: JsonObject): Target {
  const id = intAt(range, "sheetId") ?? 0;
  const sheet = sheetById(book, id);
  if (sheet === undefined) throw invalid(`No grid with id: ${id}`);
  const area = areaOf(range);
  const single =
    area.startRow !== undefined &&
    area.endRow === area.startRow + 1 &&
    area.endColumn === (area.startColumn ?? -1) + 1;
  return { sheet, area, single, text: "" };
}

/** @throws Refusal when an index is negative or the sides are the wrong way round. */
function areaOf(range: JsonObject): Area {
  const area = {
    startRow: intAt(range, "startRowIndex"),
    endRow: intAt(range, "endRowIndex"),
    startColumn: intAt(range, "startColumnIndex"),
    endColumn: intAt(range, "endColumnIndex"),
  };
  checkSides("RowIndex", area.startRow, area.endRow);
  checkSides("ColumnIndex", area.startColumn, area.endColumn);
  return area;
}

function checkSides(kind: string, start: number | undefined, end: number | undefined): void {
  if (start !== undefined && start < 0)
    throw invalid(`range.start${kind} (${start}) must not be negative`);
  if (end !== undefined && end < 0) throw invalid(`range.end${kind} (${end}) must not be negative`);
  if (end !== undefined && (start ?? 0) >= end)
    throw invalid(`range.end${kind} (${end}) must be after range.start${kind} (${start ?? 0})`);
}

/** The part of a target that exists. @throws Refusal when it begins beyond the grid. */
export function clip(where: Target): Rect {
  const { sheet, area } = where;
  const { rowCount, columnCount } = sheet.state;
  const [startRow, startColumn] = [area.startRow ?? 0, area.startColumn ?? 0];
  if (startRow >= rowCount || startColumn >= columnCount) throw beyondGrid(where);
  return {
    startRow,
    startColumn,
    endRow: Math.min(area.endRow ?? rowCount, rowCount),
    endColumn: Math.min(area.endColumn ?? columnCount, columnCount),
  };
}

function beyondGrid({ sheet, area }: Target): Error {
  const { rowCount, columnCount, title } = sheet.state;
  const [startRow, startColumn] = [area.startRow ?? 0, area.startColumn ?? 0];
  const asked: Rect = {
    startRow,
    startColumn,
    endRow: area.endRow ?? Math.max(rowCount, startRow + 1),
    endColumn: area.endColumn ?? Math.max(columnCount, startColumn + 1),
  };
  return invalid(
    `Range (${rangeName(title, asked)}) exceeds grid limits. Max rows: ${rowCount}, max columns: ${columnCount}`,
  );
}

/** The part of a GridRange that exists, possibly empty: batchUpdate's requests don't refuse what lies beyond. */
export function overlap(where: Target): Rect {
  const { rowCount, columnCount } = where.sheet.state;
  const { area } = where;
  return {
    startRow: Math.min(area.startRow ?? 0, rowCount),
    startColumn: Math.min(area.startColumn ?? 0, columnCount),
    endRow: Math.min(area.endRow ?? rowCount, rowCount),
    endColumn: Math.min(area.endColumn ?? columnCount, columnCount),
  };
}
