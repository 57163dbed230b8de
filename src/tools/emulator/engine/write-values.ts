/** Writing a ValueRange: what of it is written where, and the counts that the answer gives. */
import { columnName, type Rect, rangeName } from "./a1.ts";
import { type Book, growTo, type Sheet } from "./book.ts";
import { type Content, enter, isRich, type Scalar } from "./cell.ts";
import { checkText } from "./cell-data.ts";
import { badFields, invalid } from "./errors.ts";
import { isObject, type Json, type JsonObject, stringAt } from "./json.ts";
import { parseInput } from "./parse-input.ts";
import { isDateFormat } from "./number-format.ts";
import { protoText } from "./proto-text.ts";
import { clip, type Target } from "./ranges.ts";
import { majorDimension } from "./read-values.ts";

export type InputOption = "RAW" | "USER_ENTERED";

/** @throws Refusal when the option is missing or unknown */
export function inputOption(given: string | undefined): InputOption {
  if (given === "RAW" || given === "USER_ENTERED") return given;
  if (given === undefined || given === "" || given === "INPUT_VALUE_OPTION_UNSPECIFIED")
    throw invalid("'valueInputOption' is required but not specified");
  throw invalid(
    `Invalid value at 'value_input_option' (type.googleapis.com/google.apps.sheets.v4.ValueInputOption), "${given}"`,
  );
}

type Entry = Scalar | null;

/** Rows of entries; a null entry leaves its cell as it is. */
export type Entries = readonly (readonly Entry[])[];

/**
 * The entries of a ValueRange, as rows whatever its major dimension.
 * @param at where the message stands in Google's request: "data", "data[3]"
 * @throws Refusal for values that are no list of lists of scalars
 */
export function entriesOf(body: JsonObject, at: string): Entries {
  const values = body["values"];
  const lists = listsOf(values, `${at}.values`);
  const entries = lists.map((list, i) =>
    list.map((value, j) => entryOf(value, `values[${i}][${j}]`)),
  );
  return majorDimension(stringAt(body, "majorDimension")) === "ROWS"
    ? entries
    : transposed(entries);
}

const LIST = "type.googleapis.com/google.protobuf.ListValue";

function listsOf(values: Json | undefined, at: string): readonly (readonly Json[])[] {
  if (values === undefined || values === null) return [];
  const notList = (value: Json, where: string) => {
    const description = `Invalid value at '${where}' (${LIST}), ${JSON.stringify(value)}`;
    return { field: where, description };
  };
  if (!Array.isArray(values)) throw badFields([notList(values, at)]);
  const wrong = (values as readonly Json[]).flatMap((list, i) =>
    Array.isArray(list) || list === null ? [] : [notList(list, `${at}[${i}]`)],
  );
  if (wrong.length > 0) throw badFields(wrong.slice(0, 100));
  return (values as readonly (readonly Json[] | null)[]).map((list) => list ?? []);
}

function entryOf(value: Json, at: string): Entry {
  if (isObject(value) || Array.isArray(value)) throw invalid(`Invalid ${at}: ${protoText(value)}`);
  if (typeof value === "number" && !Number.isFinite(value))
    throw invalid(`Invalid ${at}: the number is too large.`);
  return typeof value === "string" ? checkText(value) : (value as Entry);
}

function transposed(entries: Entries): Entries {
  const width = entries.reduce((most, list) => Math.max(most, list.length), 0);
  return Array.from({ length: width }, (_, i) => entries.map((list) => list[i] ?? null));
}

/** What one write changed; rows and columns are those with at least one written cell. */
export interface Written {
  readonly sheet: Sheet;
  readonly range: string;
  readonly rows: ReadonlySet<number>;
  readonly columns: ReadonlySet<number>;
  readonly cells: number;
  /** What `updatedData` shows. */
  readonly shown: Rect;
}

/**
 * Writes entries from the target's first cell on. From a single cell, or to an open side, the write runs on and the grid
 * grows with it; a bounded range that is too small is refused.
 */
export function write(book: Book, target: Target, entries: Entries, option: InputOption): Written {
  const { sheet } = target;
  const start = clip(target);
  checkFits(target, entries);
  const extent = extentOf(entries);
  growTo(book, sheet, start.startRow + extent.rows, start.startColumn + extent.columns);
  const [rows, columns] = [new Set<number>(), new Set<number>()];
  let cells = 0;
  for (const [i, list] of entries.entries())
    for (const [j, entry] of list.entries()) {
      if (entry === null) continue;
      const [row, column] = [start.startRow + i, start.startColumn + j];
      sheet.grid.set(
        row,
        column,
        enter(sheet.grid.cell(row, column), content(sheet, { row, column }, entry, option)),
      );
      rows.add(row);
      columns.add(column);
      cells += 1;
    }
  const reached = {
    ...start,
    endRow: start.startRow + Math.max(extent.rows, 1),
    endColumn: start.startColumn + Math.max(extent.columns, 1),
  };
  const range = rangeName(sheet.state.title, reached);
  return { sheet, range, rows, columns, cells, shown: target.single ? reached : clip(target) };
}

/** How far the entries reach; nulls at the end count for nothing. */
function extentOf(entries: Entries): { rows: number; columns: number } {
  let [rows, columns] = [0, 0];
  for (const [i, list] of entries.entries()) {
    const last = list.findLastIndex((entry) => entry !== null);
    if (last >= 0) [rows, columns] = [i + 1, Math.max(columns, last + 1)];
  }
  return { rows, columns };
}

function checkFits({ area, single, text }: Target, entries: Entries): void {
  if (single) return;
  const [startRow, startColumn] = [area.startRow ?? 0, area.startColumn ?? 0];
  const refuse = (what: string) =>
    invalid(`Requested writing within range [${text}], but tried writing to ${what}`);
  if (area.endRow !== undefined && startRow + entries.length > area.endRow)
    throw refuse(`row [${area.endRow + 1}]`);
  const { endColumn } = area;
  if (endColumn !== undefined && entries.some((list) => startColumn + list.length > endColumn))
    throw refuse(`column [${columnName(endColumn)}]`);
}

function content(
  sheet: Sheet,
  { row, column }: { row: number; column: number },
  entry: Scalar,
  option: InputOption,
): Content {
  if (entry === "") return {};
  if (option === "RAW" || typeof entry !== "string") return { value: entry };
  const cell = sheet.grid.cell(row, column);
  const own = isRich(cell) ? cell.numberFormat : undefined;
  const typed = parseInput(entry);
  const { numberFormat, ...plain } = typed;
  const keeps =
    own !== undefined &&
    (own["type"] === numberFormat?.["type"] || (isDateFormat(own) && isDateFormat(numberFormat)));
  return numberFormat === undefined || keeps ? plain : typed;
}
