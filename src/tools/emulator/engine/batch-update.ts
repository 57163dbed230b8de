/** The kinds of requests that batchUpdate carries out. Any other kind is refused by name, never ignored. */
import type { sheets_v4 } from "@googleapis/sheets";
import type { Rect } from "./a1.ts";
import { parseCellMask, written } from "./cell-data.ts";
import { metadataOf } from "./data-filter.ts";
import { createMetadata, shown } from "./developer-metadata.ts";
import { append, dimensionOf, dimensionRange, insert, move, remove, sizeOf } from "./dimensions.ts";
import { invalid, within } from "./errors.ts";
import type { Mask } from "./field-mask.ts";
import { listed } from "./method.ts";
import { clip, gridRange, overlap } from "./ranges.ts";
import { sortRange } from "./sort-range.ts";
import {
  cellAt,
  type CellChange,
  cellsIn,
  type Change,
  filledRows,
  grownTo,
  type Sheet,
  sheetWith,
  type Spreadsheet,
  withSheet,
  writeCells,
} from "./spreadsheet.ts";
import { addSheet, deleteSheet, shownProperties, updateSheetProperties } from "./tabs.ts";

/**
 * Carries out one request.
 * @returns the next spreadsheet, with the message under the same kind in the reply when there is one
 * @throws GoogleError for a request that Google would refuse
 */
type Handler<R> = (spreadsheet: Spreadsheet, request: R) => Spreadsheet | Change<object>;

type Requests = sheets_v4.Schema$Request;

/** @throws GoogleError when rows reach beyond what they may fill */
function checkFits(rows: Block["rows"], bounds: Rect): void {
  for (const [r, { values }] of rows.entries()) {
    if (bounds.startRow + r >= bounds.endRow)
      throw invalid(
        `Attempting to write row: ${bounds.startRow + r}, beyond the last requested row of: ${bounds.endRow - 1}`,
      );
    if (bounds.startColumn + (values ?? []).length > bounds.endColumn)
      throw invalid(
        `Attempting to write column: ${bounds.endColumn}, beyond the last requested column of: ${bounds.endColumn - 1}`,
      );
  }
}

/** Rows of CellData, and the mask that selects the fields to write. */
interface Block {
  readonly rows: readonly sheets_v4.Schema$RowData[];
  readonly mask: Mask;
}

/** @throws GoogleError when rows reach beyond what they may fill */
function writtenFrom(sheet: Sheet, { rows, mask }: Block, bounds: Rect): CellChange[] {
  checkFits(rows, bounds);
  return rows.flatMap(({ values }, r) =>
    (values ?? []).map((data, c) => {
      const [row, column] = [bounds.startRow + r, bounds.startColumn + c];
      return { row, column, cell: written(cellAt(sheet, row, column), data, mask) };
    }),
  );
}

/** The cells of a range that rows don't reach lose the fields of the mask. */
const clearedRest = (sheet: Sheet, { rows, mask }: Block, rect: Rect): CellChange[] =>
  cellsIn(sheet, rect)
    .filter(({ row, column }) => {
      const given = rows[row - rect.startRow]?.values?.length ?? 0;
      return column >= rect.startColumn + given;
    })
    .map(({ cell, ...at }) => ({ ...at, cell: written(cell, {}, mask) }));

function updateCells(
  spreadsheet: Spreadsheet,
  { start, range, rows, fields }: sheets_v4.Schema$UpdateCellsRequest,
): Spreadsheet {
  const block = { rows: rows ?? [], mask: parseCellMask(fields) };
  if (start) {
    const sheet = sheetWith(spreadsheet, start.sheetId);
    const [startRow, startColumn] = [start.rowIndex ?? 0, start.columnIndex ?? 0];
    if (startRow < 0 || startColumn < 0)
      throw invalid("start.rowIndex and start.columnIndex must not be negative.");
    const [endRow, endColumn] = [sheet.rowCount, sheet.columns.length];
    const changes = writtenFrom(sheet, block, { startRow, startColumn, endRow, endColumn });
    return withSheet(spreadsheet, writeCells(sheet, changes));
  }
  if (!range) throw invalid("Must specify range.");
  const { sheetId, area } = gridRange(spreadsheet, range);
  const sheet = sheetWith(spreadsheet, sheetId);
  const rect = clip(sheet, area);
  const changes = [...writtenFrom(sheet, block, rect), ...clearedRest(sheet, block, rect)];
  return withSheet(spreadsheet, writeCells(sheet, changes));
}

function appendCells(
  spreadsheet: Spreadsheet,
  { sheetId, tableId, rows, fields }: sheets_v4.Schema$AppendCellsRequest,
): Spreadsheet {
  const block = { rows: rows ?? [], mask: parseCellMask(fields) };
  if ((tableId ?? undefined) !== undefined)
    throw invalid("tables are not supported by this emulator.");
  const sheet = sheetWith(spreadsheet, sheetId);
  const startRow = filledRows(sheet);
  const [endRow, endColumn] = [Number.MAX_SAFE_INTEGER, sheet.columns.length];
  const changes = writtenFrom(sheet, block, { startRow, startColumn: 0, endRow, endColumn });
  const grown = grownTo(sheet, startRow + block.rows.length, 1);
  return withSheet(spreadsheet, writeCells(grown, changes));
}

/** Cells move with what they hold, and developer metadata stays on its rows. */
function cutPaste(
  spreadsheet: Spreadsheet,
  { source, destination, pasteType }: sheets_v4.Schema$CutPasteRequest,
): Spreadsheet {
  if (!source) throw invalid("Must specify source.");
  const range = gridRange(spreadsheet, source);
  if ((pasteType ?? "PASTE_NORMAL") !== "PASTE_NORMAL")
    throw invalid(`pasteType ${pasteType} is not supported by this emulator.`);
  const { sheetId } = sheetWith(spreadsheet, destination?.sheetId);
  const [row, column] = [destination?.rowIndex ?? 0, destination?.columnIndex ?? 0];
  if (row < 0 || column < 0)
    throw invalid("destination.rowIndex and destination.columnIndex must not be negative.");
  const from = sheetWith(spreadsheet, range.sheetId);
  const rect = overlap(from, range.area);
  const lifted = cellsIn(from, rect);
  const emptied = lifted.map((at) => ({ ...at, cell: null }));
  const cut = withSheet(spreadsheet, writeCells(from, emptied));
  const [endRow, endColumn] = [
    row + rect.endRow - rect.startRow,
    column + rect.endColumn - rect.startColumn,
  ];
  const to = grownTo(sheetWith(cut, sheetId), endRow, endColumn);
  const covered = cellsIn(to, { startRow: row, endRow, startColumn: column, endColumn });
  const changes = [
    ...covered.map((at) => ({ ...at, cell: null })),
    ...lifted.map((at) => ({
      row: at.row - rect.startRow + row,
      column: at.column - rect.startColumn + column,
      cell: at.cell,
    })),
  ];
  return withSheet(cut, writeCells(to, changes));
}

function insertDimension(
  spreadsheet: Spreadsheet,
  { range, inheritFromBefore }: sheets_v4.Schema$InsertDimensionRequest,
): Spreadsheet {
  const wanted = dimensionRange(spreadsheet, range, "range");
  const { start } = wanted;
  const size = sizeOf(wanted.sheet, wanted.dimension);
  if ((range?.endIndex ?? undefined) === undefined)
    throw invalid("range.endIndex must be specified.");
  if (start > size) throw invalid(`range.startIndex is larger than current grid size (${size})`);
  if (start === size && inheritFromBefore !== true)
    throw invalid(
      `range.startIndex must be less than the grid size (${size}) if inheritFromBefore is false.`,
    );
  if (start === 0 && inheritFromBefore === true)
    throw invalid("inheritFromBefore cannot be true if inserting at index 0.");
  return insert(spreadsheet, wanted, inheritFromBefore === true ? start - 1 : start);
}

export const HANDLERS = {
  addSheet(spreadsheet, { properties }) {
    const { next, result: sheet } = addSheet(spreadsheet, properties);
    return { next, result: { properties: shownProperties(sheet, next.sheets.indexOf(sheet)) } };
  },
  deleteSheet,
  updateSheetProperties,
  updateCells,
  appendCells,
  insertDimension,
  deleteDimension: (spreadsheet, { range }) =>
    remove(spreadsheet, dimensionRange(spreadsheet, range, "range")),
  appendDimension(spreadsheet, { sheetId, dimension, length }) {
    const sheet = sheetWith(spreadsheet, sheetId);
    if ((length ?? 0) < 1) throw invalid(`length must be positive: ${length ?? 0}`);
    return append(spreadsheet, sheet, dimensionOf(dimension), length ?? 0);
  },
  moveDimension: (spreadsheet, { source, destinationIndex }) =>
    move(spreadsheet, dimensionRange(spreadsheet, source, "source"), destinationIndex ?? 0),
  sortRange,
  cutPaste,
  createDeveloperMetadata(spreadsheet, { developerMetadata }) {
    const { next, result } = createMetadata(spreadsheet, developerMetadata ?? {});
    return { next, result: { developerMetadata: shown(next, result) } };
  },
  deleteDeveloperMetadata(spreadsheet, { dataFilter }) {
    if (!dataFilter) throw invalid("Must specify dataFilter.");
    const gone = metadataOf(spreadsheet, dataFilter);
    const metadata = spreadsheet.metadata.filter((one) => !gone.has(one));
    const deleted = Array.from(gone, (one) => shown(spreadsheet, one));
    return {
      next: { ...spreadsheet, metadata },
      result: listed("deletedDeveloperMetadata", deleted),
    };
  },
} satisfies { readonly [K in keyof Requests]?: Handler<NonNullable<Requests[K]>> };

/** Carries out a request. @returns its reply */
export function runRequest(spreadsheet: Spreadsheet, request: Requests, i: number): Change<object> {
  const [kind, message] = Object.entries(request).find(([, value]) => value !== null) ?? [];
  if (kind === undefined) throw invalid(`Invalid requests[${i}]: No request set.`);
  const done = within(`Invalid requests[${i}].${kind}`, () =>
    handlerOf(kind)(spreadsheet, message),
  );
  return "next" in done
    ? { next: done.next, result: { [kind]: done.result } }
    : { next: done, result: {} };
}

function handlerOf(kind: string): Handler<unknown> {
  if (Object.hasOwn(HANDLERS, kind))
    return HANDLERS[kind as keyof typeof HANDLERS] as Handler<unknown>;
  throw invalid("this kind of request is not supported by this emulator.");
}
