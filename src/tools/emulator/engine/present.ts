/** A spreadsheet as spreadsheets.get answers it. Grid data is built only where the mask and the ranges ask for it. */
import type { Rect } from "./a1.ts";
import type { Book, Sheet } from "./book.ts";
import { cellData } from "./cell-data.ts";
import { COLUMN_WIDTH, ROW_HEIGHT } from "./defaults.ts";
import { below, type Mask } from "./fieldmask.ts";
import { type JsonObject, objectAt, stringAt } from "./json.ts";
import { clip, type Target } from "./ranges.ts";

/** SheetProperties. */
export function sheetProperties({ state }: Sheet, index: number): JsonObject {
  const { id, title, rowCount, columnCount, hidden } = state;
  return {
    sheetId: id,
    title,
    index,
    sheetType: "GRID",
    gridProperties: { rowCount, columnCount },
    ...(hidden ? { hidden } : {}),
  };
}

export interface View {
  /** Absent: the whole spreadsheet. */
  readonly targets?: readonly Target[];
  readonly gridData: boolean;
  readonly mask?: Mask | undefined;
}

const locationType = (metadata: JsonObject): string =>
  stringAt(objectAt(metadata, "location"), "locationType") ?? "";

export function presentBook(book: Book, { targets, gridData, mask }: View): JsonObject {
  const { properties, metadata } = book.state;
  const shown = book.sheets.filter(
    (s) => targets === undefined || targets.some((t) => t.sheet === s),
  );
  const dataMask = below(mask, "sheets", "data");
  const withData = mask === undefined ? gridData : dataMask !== undefined;
  const sheets = shown.map((sheet) => {
    const areas = targets?.filter((t) => t.sheet === sheet) ?? [
      { sheet, area: {}, single: false, text: "" },
    ];
    const data = withData
      ? areas.map((t) => gridDataOf({ book, mask: dataMask }, sheet, clip(t)))
      : undefined;
    return presentSheet(book, sheet, data);
  });
  const own = metadata.filter((m) => locationType(m) === "SPREADSHEET");
  return {
    spreadsheetId: book.id,
    properties,
    sheets,
    spreadsheetUrl: `https://docs.google.com/spreadsheets/d/${book.id}/edit`,
    ...(own.length === 0 ? {} : { developerMetadata: own }),
  };
}

function presentSheet(
  book: Book,
  sheet: Sheet,
  data: readonly JsonObject[] | undefined,
): JsonObject {
  const { id } = sheet.state;
  const metadata = book.state.metadata.filter(
    (m) => locationType(m) === "SHEET" && (objectAt(m, "location")["sheetId"] ?? 0) === id,
  );
  return {
    properties: sheetProperties(sheet, book.sheets.indexOf(sheet)),
    ...(data === undefined ? {} : { data }),
    ...(metadata.length === 0 ? {} : { developerMetadata: metadata }),
  };
}

interface Context {
  readonly book: Book;
  readonly mask: Mask | undefined;
}

function gridDataOf(context: Context, sheet: Sheet, rect: Rect): JsonObject {
  const rowData = below(context.mask, "rowData") === undefined ? [] : rowsOf(context, sheet, rect);
  const dimension = (name: "rowMetadata" | "columnMetadata"): JsonObject => {
    if (below(context.mask, name) === undefined) return {};
    return {
      [name]:
        name === "rowMetadata"
          ? dimensions(
              rect.startRow,
              rect.endRow,
              propertiesAt(context.book, sheet, "ROWS", ROW_HEIGHT),
            )
          : dimensions(
              rect.startColumn,
              rect.endColumn,
              propertiesAt(context.book, sheet, "COLUMNS", COLUMN_WIDTH),
            ),
    };
  };
  return {
    ...(rect.startRow === 0 ? {} : { startRow: rect.startRow }),
    ...(rect.startColumn === 0 ? {} : { startColumn: rect.startColumn }),
    ...(rowData.length === 0 ? {} : { rowData }),
    ...dimension("rowMetadata"),
    ...dimension("columnMetadata"),
  };
}

/** RowData: empty cells and rows at the end are left out, those between are {}. */
function rowsOf({ mask }: Context, sheet: Sheet, rect: Rect): JsonObject[] {
  const wanted = below(mask, "rowData", "values");
  const rows: JsonObject[] = [];
  const endRow = Math.min(rect.endRow, sheet.grid.used);
  for (let row = rect.startRow; row < endRow; row++) {
    const values: JsonObject[] = [];
    const endColumn = Math.min(rect.endColumn, sheet.grid.row(row)?.length ?? 0);
    for (let column = rect.startColumn; column < endColumn; column++) {
      const data = cellData(sheet.grid.cell(row, column), wanted);
      if (data === undefined) continue;
      while (values.length < column - rect.startColumn) values.push({});
      values.push(data);
    }
    if (values.length === 0) continue;
    while (rows.length < row - rect.startRow) rows.push({});
    rows.push({ values });
  }
  return rows;
}

type PropertiesAt = (index: number) => JsonObject;

/** DimensionProperties of every row or column in a stretch. */
const dimensions = (start: number, end: number, at: PropertiesAt): JsonObject[] =>
  Array.from({ length: end - start }, (_, i) => at(start + i));

/** A row's or column's size, with the developer metadata that is attached to it. */
function propertiesAt(
  book: Book,
  sheet: Sheet,
  dimension: string,
  pixelSize: number,
): PropertiesAt {
  const plain = { pixelSize };
  const attached = new Map<number, JsonObject[]>();
  for (const metadata of book.state.metadata) {
    const range = objectAt(objectAt(metadata, "location"), "dimensionRange");
    if (range["dimension"] !== dimension || (range["sheetId"] ?? 0) !== sheet.state.id) continue;
    const at = Number(range["startIndex"] ?? 0);
    attached.set(at, [...(attached.get(at) ?? []), metadata]);
  }
  return (index) => {
    const developerMetadata = attached.get(index);
    return developerMetadata === undefined ? plain : { ...plain, developerMetadata };
  };
}
