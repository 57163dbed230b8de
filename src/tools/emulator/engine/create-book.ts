/** A new spreadsheet from what spreadsheets.create was sent. */
import {
  type Book,
  checkSize,
  growTo,
  newSheet,
  type Sheet,
  sheetById,
  sheetByTitle,
} from "./book.ts";
import { written } from "./cell-data.ts";
import { NEW_PROPERTIES } from "./defaults.ts";
import { invalid } from "./errors.ts";
import { EVERYTHING } from "./fieldmask.ts";
import { type Ids, smallId } from "./ids.ts";
import {
  intAt,
  isTrue,
  type JsonObject,
  objectAt,
  objectsAt,
  present,
  stringAt,
  withoutDefaults,
} from "./json.ts";

/** What create takes of a Spreadsheet and of each Sheet; the rest of the messages is refused by name. */
const KNOWN = new Set(["spreadsheetId", "properties", "sheets", "spreadsheetUrl"]);
const KNOWN_IN_SHEET = new Set(["properties", "data"]);
const KNOWN_PROPERTIES = new Set(Object.keys(NEW_PROPERTIES));

export function createBook(id: string, body: JsonObject, ids: Ids): Book {
  refuseOthers("spreadsheet", body, KNOWN);
  const properties = present(objectAt(body, "properties"));
  refuseOthers("spreadsheet", properties, KNOWN_PROPERTIES);
  const { locale = NEW_PROPERTIES["locale"] } = properties;
  if (locale !== NEW_PROPERTIES["locale"])
    throw invalid(
      `Invalid spreadsheet: creating a spreadsheet with the locale ${JSON.stringify(locale)} is not supported by this emulator.`,
    );
  const book: Book = {
    id,
    sheets: [],
    state: { properties: { ...NEW_PROPERTIES, ...properties }, metadata: [] },
  };
  const wanted = objectsAt(body, "sheets");
  if (wanted.length === 0) book.sheets = [newSheet(0, "Sheet1")];
  for (const [i, sheet] of wanted.entries()) {
    refuseOthers(`sheets[${i}]`, sheet, KNOWN_IN_SHEET);
    addSheet(book, ids, objectAt(sheet, "properties"));
    for (const data of objectsAt(sheet, "data")) fill(book, book.sheets[i], data);
  }
  return book;
}

function refuseOthers(what: string, message: JsonObject, known: ReadonlySet<string>): void {
  const other = Object.entries(present(message)).find(
    ([key, value]) => !known.has(key) && !(Array.isArray(value) && value.length === 0),
  );
  if (other !== undefined)
    throw invalid(
      `Invalid ${what}: creating a spreadsheet with '${other[0]}' is not supported by this emulator.`,
    );
}

/** Adds a tab as addSheet and create do: an id and a title are invented when there are none. */
export function addSheet(book: Book, ids: Ids, properties: JsonObject): Sheet {
  const grid = objectAt(properties, "gridProperties");
  const [rows, columns] = [intAt(grid, "rowCount") ?? 0, intAt(grid, "columnCount") ?? 0];
  const type = stringAt(properties, "sheetType") ?? "GRID";
  if (type !== "GRID" && type !== "SHEET_TYPE_UNSPECIFIED")
    throw invalid(`Sheets of type ${type} are not supported by this emulator.`);
  const id = intAt(properties, "sheetId") ?? smallId(ids, (n) => sheetById(book, n) !== undefined);
  if (id < 0) throw invalid(`sheetId must be non-negative: ${id}`);
  if (sheetById(book, id) !== undefined) throw invalid(`A sheet with the id ${id} already exists.`);
  const wanted = stringAt(properties, "title") ?? "";
  const title = wanted === "" ? nextTitle(book) : wanted;
  const sheet = newSheet(
    id,
    checkTitle(book, title),
    rows > 0 ? rows : 1000,
    columns > 0 ? columns : 26,
  );
  checkSize(book, undefined, sheet.state.rowCount, sheet.state.columnCount);
  const index = Math.min(intAt(properties, "index") ?? book.sheets.length, book.sheets.length);
  if (index < 0) throw invalid(`index must be non-negative: ${index}`);
  checkSheetProperties(properties);
  sheet.state = { ...sheet.state, hidden: isTrue(properties, "hidden") };
  book.sheets = book.sheets.toSpliced(index, 0, sheet);
  return sheet;
}

const SHEET_PROPERTIES = new Set([
  "sheetId",
  "title",
  "index",
  "sheetType",
  "gridProperties",
  "hidden",
]);
const GRID_PROPERTIES = new Set(["rowCount", "columnCount"]);

/** @throws Refusal for a SheetProperties with more than the emulator keeps: frozen rows, colours */
export function checkSheetProperties(properties: JsonObject): void {
  const others = (from: JsonObject, kept: ReadonlySet<string>): string[] =>
    Object.keys(withoutDefaults(from)).filter((name) => !kept.has(name));
  const [other] = [
    ...others(properties, SHEET_PROPERTIES),
    ...others(objectAt(properties, "gridProperties"), GRID_PROPERTIES),
  ];
  if (other !== undefined) throw invalid(`${other} is not supported by this emulator.`);
}

/** @throws Refusal for a title that a sheet can't have */
export function checkTitle(book: Book, title: string, own?: Sheet): string {
  if (title.trim() === "") throw invalid("The sheet name cannot be empty.");
  if (title.length > 100) throw invalid("The sheet name cannot be greater than 100 characters.");
  const other = sheetByTitle(book, title);
  if (other !== undefined && other !== own)
    throw invalid(`A sheet with the name "${title}" already exists. Please enter another name.`);
  return title;
}

function nextTitle(book: Book): string {
  for (let n = book.sheets.length + 1; ; n++)
    if (!book.sheets.some((s) => s.state.title.toLowerCase() === `sheet${n}`)) return `Sheet${n}`;
}

function fill(book: Book, sheet: Sheet | undefined, data: JsonObject): void {
  if (sheet === undefined) return;
  const [startRow, startColumn] = [intAt(data, "startRow") ?? 0, intAt(data, "startColumn") ?? 0];
  if (startRow < 0 || startColumn < 0)
    throw invalid("startRow and startColumn must not be negative.");
  const rows = objectsAt(data, "rowData").map((row) => objectsAt(row, "values"));
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  growTo(book, sheet, startRow + rows.length, startColumn + width);
  for (const [r, row] of rows.entries())
    for (const [c, cell] of row.entries())
      sheet.grid.set(startRow + r, startColumn + c, written(undefined, cell, EVERYTHING));
}
