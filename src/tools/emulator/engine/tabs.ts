/** Tabs: addSheet, deleteSheet and updateSheetProperties. */
import type { sheets_v4 } from "@googleapis/sheets";
import { resize } from "./dimensions.ts";
import { invalid } from "./errors.ts";
import { below, parseUpdateMask, selects } from "./field-mask.ts";
import {
  type Change,
  checkedSize,
  inventedId,
  newSheet,
  type Sheet,
  sheetTitled,
  sheetWith,
  type Spreadsheet,
  withSheet,
} from "./spreadsheet.ts";

type SheetProperties = sheets_v4.Schema$SheetProperties;

/** SheetProperties as answers show them. */
export const shownProperties = (
  { sheetId, title, hidden, rowCount, columns }: Sheet,
  index: number,
): object => ({
  sheetId,
  title,
  index,
  sheetType: "GRID",
  gridProperties: { rowCount, columnCount: columns.length },
  ...(hidden ? { hidden } : {}),
});

const PROPERTIES = ["sheetId", "title", "index", "sheetType", "gridProperties", "hidden"];
const GRID_PROPERTIES = ["rowCount", "columnCount"];

/** @throws GoogleError for a property that the emulator does not keep: frozen rows, colours */
function checkKept(names: Iterable<string>, gridNames: Iterable<string>): void {
  const other =
    [...names].find((name) => !PROPERTIES.includes(name)) ??
    [...gridNames].find((name) => !GRID_PROPERTIES.includes(name));
  if (other !== undefined) throw invalid(`${other} is not supported by this emulator.`);
}

/** The names of fields that are set to more than protobuf's default. */
const setIn = (message: object = {}): string[] =>
  Object.entries(message).flatMap(([name, value]) =>
    value === null || value === false || value === 0 || value === "" ? [] : [name],
  );

/** @throws GoogleError for a title that a sheet can't have */
function checkTitle(spreadsheet: Spreadsheet, title: string, own?: Sheet): string {
  if (title.trim() === "") throw invalid("The sheet name cannot be empty.");
  if (title.length > 100) throw invalid("The sheet name cannot be greater than 100 characters.");
  const other = sheetTitled(spreadsheet, title);
  if (other !== undefined && other.sheetId !== own?.sheetId)
    throw invalid(`A sheet with the name "${title}" already exists. Please enter another name.`);
  return title;
}

function nextTitle(spreadsheet: Spreadsheet): string {
  for (let n = spreadsheet.sheets.length + 1; ; n++)
    if (sheetTitled(spreadsheet, `Sheet${n}`) === undefined) return `Sheet${n}`;
}

/** Adds a tab as addSheet and create do: an id and a title are invented when there are none. */
export function addSheet(
  spreadsheet: Spreadsheet,
  properties: SheetProperties = {},
): Change<Sheet> {
  const { sheetType, title, gridProperties, hidden } = properties;
  if ((sheetType ?? "GRID") !== "GRID" && sheetType !== "SHEET_TYPE_UNSPECIFIED")
    throw invalid(`Sheets of type ${sheetType} are not supported by this emulator.`);
  const taken = (id: number): boolean => spreadsheet.sheets.some((s) => s.sheetId === id);
  const sheetId = properties.sheetId ?? inventedId(spreadsheet, taken);
  if (sheetId < 0) throw invalid(`sheetId must be non-negative: ${sheetId}`);
  if (taken(sheetId)) throw invalid(`A sheet with the id ${sheetId} already exists.`);
  const name = checkTitle(
    spreadsheet,
    title === undefined || title === null || title === "" ? nextTitle(spreadsheet) : title,
  );
  const index = properties.index ?? spreadsheet.sheets.length;
  if (index < 0) throw invalid(`index must be non-negative: ${index}`);
  checkKept(setIn(properties), setIn(gridProperties));
  const [rows, columns] = [gridProperties?.rowCount ?? 0, gridProperties?.columnCount ?? 0];
  const sheet = {
    ...newSheet(sheetId, name, rows > 0 ? rows : 1000, columns > 0 ? columns : 26),
    hidden: hidden === true,
  };
  const sheets = spreadsheet.sheets.toSpliced(index, 0, sheet);
  const next = checkedSize({ ...spreadsheet, sheets, nextId: spreadsheet.nextId + 1 });
  return { next, result: sheet };
}

export function deleteSheet(
  spreadsheet: Spreadsheet,
  { sheetId: id }: sheets_v4.Schema$DeleteSheetRequest,
): Spreadsheet {
  const { sheetId } = sheetWith(spreadsheet, id, "sheet");
  const sheets = spreadsheet.sheets.filter((s) => s.sheetId !== sheetId);
  if (sheets.length === 0) throw invalid("You can't remove all the sheets in a document.");
  if (sheets.every((s) => s.hidden))
    throw invalid("You can't remove all the visible sheets in a document.");
  const metadata = spreadsheet.metadata.filter(({ place }) => place.sheetId !== sheetId);
  return { ...spreadsheet, sheets, metadata };
}

/** Moves a tab. The index is one before the move, so moving to one's own place or right behind it changes nothing. */
function moveSheet(spreadsheet: Spreadsheet, sheetId: number, index: number): Spreadsheet {
  if (index < 0) throw invalid(`index must be non-negative: ${index}`);
  const from = spreadsheet.sheets.findIndex((s) => s.sheetId === sheetId);
  const sheets = [...spreadsheet.sheets];
  sheets.splice(index > from ? index - 1 : index, 0, ...sheets.splice(from, 1));
  return { ...spreadsheet, sheets };
}

export function updateSheetProperties(
  spreadsheet: Spreadsheet,
  { properties: sent = {}, fields }: sheets_v4.Schema$UpdateSheetPropertiesRequest,
): Spreadsheet {
  const old = sheetWith(spreadsheet, sent.sheetId, "sheet");
  const { sheetId } = old;
  const mask = parseUpdateMask(fields, "SheetProperties");
  const all = mask.size === 0;
  if (all) checkKept(setIn(sent), setIn(sent.gridProperties));
  checkKept(mask.keys(), below(mask, "gridProperties")?.keys() ?? []);
  const title = selects(mask, "title") ? checkTitle(spreadsheet, sent.title ?? "", old) : old.title;
  const hidden = selects(mask, "hidden") ? sent.hidden === true : old.hidden;
  let next = withSheet(spreadsheet, { ...old, title, hidden });
  if (next.sheets.every((s) => s.hidden))
    throw invalid("You can't hide all the sheets in a document.");
  if (selects(mask, "gridProperties")) {
    const size = (name: "rowCount" | "columnCount", is: number): number =>
      selects(mask, "gridProperties", name) ? (sent.gridProperties?.[name] ?? (all ? is : 0)) : is;
    next = resize(
      next,
      sheetId,
      size("rowCount", old.rowCount),
      size("columnCount", old.columns.length),
    );
  }
  if (!selects(mask, "index")) return next;
  return moveSheet(next, sheetId, sent.index ?? next.sheets.length);
}
