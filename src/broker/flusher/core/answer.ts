/** Reads the answers of writes. What is not there is as if it were not known; nothing here throws. */
import type { Layout } from "../../../sheets/layout.ts";
import type { Pin } from "./model.ts";

type Fields = Readonly<Record<string, unknown>>;
const fields = (v: unknown): Fields => (typeof v === "object" && v !== null ? (v as Fields) : {});
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);

const sheetsIn = (answer: unknown): readonly Fields[] => list(fields(fields(answer)["updatedSpreadsheet"])["sheets"]).map(fields);

/** The tabs that the answer shows: title → id. */
export function tabsIn(answer: unknown): Map<string, number> {
  const shown = sheetsIn(answer).map((sheet) => fields(sheet["properties"]));
  return new Map(shown.flatMap(({ title, sheetId }) => (typeof title === "string" ? [[title, Number(sheetId ?? 0)] as const] : [])));
}

/** The value of a CellData, as a reading of values would give it. */
function valueOf(cell: Fields): unknown {
  const value = fields(cell["effectiveValue"]);
  return value["stringValue"] ?? value["numberValue"] ?? value["boolValue"];
}

/** The blocks of a tab's grid data. */
const blocksOf = (answer: unknown, sheetId: number): readonly Fields[] =>
  sheetsIn(answer)
    .filter((each) => Number(fields(each["properties"])["sheetId"] ?? 0) === sheetId)
    .flatMap((sheet) => list(sheet["data"]).map(fields));

/** A cell's value, and as people see it. */
export interface Shown {
  readonly value: unknown;
  readonly text: unknown;
}

const firstCell = (row: unknown): Shown => {
  const cell = fields(list(fields(row)["values"])[0]);
  return { value: valueOf(cell), text: cell["formattedValue"] };
};

/** A row's cells in the answer's grid data, where it was asked for from this column on; undefined: the answer does not show it. */
export function rowIn(answer: unknown, { sheetId, row }: Pick<Pin, "sheetId" | "row">, column: number): readonly Shown[] | undefined {
  const block = blocksOf(answer, sheetId).find(
    (each) => Number(each["startRow"] ?? 0) === row && Number(each["startColumn"] ?? 0) === column,
  );
  if (block === undefined) return undefined;
  const cells = list(fields(list(block["rowData"])[0])["values"]).map(fields);
  return cells.map((cell) => ({ value: valueOf(cell), text: cell["formattedValue"] }));
}

/** A key column in the answer's grid data, from its header down; undefined: the answer does not show it. @param column of the tab */
export function columnIn(answer: unknown, sheetId: number, row: number, column: number): readonly Shown[] | undefined {
  const blocks = blocksOf(answer, sheetId).filter(
    (each) => Number(each["startRow"] ?? 0) === row && Number(each["startColumn"] ?? 0) === column,
  );
  const longest = blocks.map((block) => list(block["rowData"])).toSorted((a, b) => b.length - a.length)[0] ?? []; // the header row alone may be there too
  return longest.length < 2 ? undefined : longest.map(firstCell);
}

/**
 * The header row of a table in the answer's grid data; undefined: the answer does not show it.
 * A name that is a number may be shown as a reading would give it, or as people see it (a date).
 */
export function headerIn(answer: unknown, { tab, row, column, columns }: Layout): readonly unknown[] | undefined {
  const shown = sheetsIn(answer).filter((sheet) => [undefined, tab].includes(fields(sheet["properties"])["title"] as string | undefined));
  const blocks = shown.flatMap((sheet) => list(sheet["data"]).map(fields));
  const [block] = blocks.filter((each) => Number(each["startRow"] ?? 0) === row && Number(each["startColumn"] ?? 0) === column);
  const cells = list(fields(list(block?.["rowData"])[0])["values"]).map(fields);
  if (block === undefined || cells.length < Math.min(2, columns.length)) return undefined; // a key cell, or nothing
  return cells.map((cell, at) => {
    const value = valueOf(cell);
    return typeof value === "string" || String(value) === columns[at] ? value : (cell["formattedValue"] ?? value);
  });
}

/** The row that each tag was found on, after the write. A tag that is not named has no row any more. */
export function rowsIn(answer: unknown): ReadonlyMap<number, readonly unknown[]> {
  const found = list(fields(answer)["responses"]).map(fields);
  return new Map(
    found.map((response) => [
      Number(fields(fields(response["dataFilter"])["developerMetadataLookup"])["metadataId"]),
      list(list(fields(response["updatedData"])["values"])[0]),
    ]),
  );
}

/** Names a row by its place: what is 0 may be left out of an answer. */
export const placeOf = (range: { readonly sheetId?: unknown; readonly startRowIndex?: unknown }): string =>
  `${Number(range.sheetId ?? 0)} ${Number(range.startRowIndex ?? 0)}`;

/** The rows that a write of values shows by their place, beside those that it found by tags. */
export function placesIn(answer: unknown): ReadonlyMap<string, readonly unknown[]> {
  const found = list(fields(answer)["responses"]).map(fields);
  return new Map(
    found.flatMap((response) => {
      const range = fields(response["dataFilter"])["gridRange"];
      const values = fields(response["updatedData"])["values"];
      return range !== undefined && Array.isArray(values) ? [[placeOf(fields(range)), list(values[0])] as const] : [];
    }),
  );
}
