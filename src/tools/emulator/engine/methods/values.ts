/** spreadsheets.values.*: get, batchGet, update, batchUpdate, append, clear, batchClear. */
import { rangeName } from "../a1.ts";
import { tableAt } from "../append-table.ts";
import { atomically, type Book, growTo } from "../book.ts";
import { enter } from "../cell.ts";
import { within } from "../errors.ts";
import { isTrue, type JsonObject, objectsAt, stringAt, stringsAt } from "../json.ts";
import { clip, resolve, type Target } from "../ranges.ts";
import { majorDimension, type ReadOptions, valueRange } from "../read-values.ts";
import { renderOptions } from "../render.ts";
import { insertDimension } from "../structure.ts";
import {
  entriesOf,
  type Entries,
  inputOption,
  type InputOption,
  write,
  type Written,
} from "../write-values.ts";
import { bookOf, type Call, flagOf, type Method, queryOf } from "./method.ts";

const get: Method = {
  mutates: false,
  answers: "ValueRange",
  run(call) {
    const book = bookOf(call);
    const options = readOptions(call);
    const target = resolve(book, call.path["range"] ?? "");
    return valueRange(target.sheet, clip(target), options);
  },
};

const readOptions = (call: Call): ReadOptions => ({
  ...renderOptions(queryOf(call, "valueRenderOption"), queryOf(call, "dateTimeRenderOption")),
  major: majorDimension(queryOf(call, "majorDimension")),
});

const batchGet: Method = {
  mutates: false,
  answers: "BatchGetValuesResponse",
  run(call) {
    const book = bookOf(call);
    const options = readOptions(call);
    const targets = (call.query["ranges"] ?? []).map((text) => resolve(book, text));
    const valueRanges = targets.map((target) => valueRange(target.sheet, clip(target), options));
    return { spreadsheetId: book.id, ...(valueRanges.length === 0 ? {} : { valueRanges }) };
  },
};

/** How a write's answer shows what it wrote; undefined when it doesn't. */
export type Echo = ReadOptions | undefined;

/** UpdateValuesResponse. Counts of nothing are left out, as protobuf's defaults are. */
function updateResponse(book: Book, done: Written, echo: Echo): JsonObject {
  const counts =
    done.cells === 0
      ? {}
      : {
          updatedRows: done.rows.size,
          updatedColumns: done.columns.size,
          updatedCells: done.cells,
        };
  const updatedData =
    echo === undefined ? {} : { updatedData: valueRange(done.sheet, done.shown, echo) };
  return { spreadsheetId: book.id, updatedRange: done.range, ...counts, ...updatedData };
}

const queryEcho = (call: Call, body: JsonObject): Echo =>
  flagOf(call, "includeValuesInResponse")
    ? {
        ...renderOptions(
          queryOf(call, "responseValueRenderOption"),
          queryOf(call, "responseDateTimeRenderOption"),
        ),
        major: majorDimension(stringAt(body, "majorDimension")),
      }
    : undefined;

const update: Method = {
  mutates: true,
  answers: "UpdateValuesResponse",
  run(call) {
    const entries = entriesOf(call.body, "data");
    const book = bookOf(call);
    const option = inputOption(queryOf(call, "valueInputOption"));
    const echo = queryEcho(call, call.body);
    const target = resolve(book, call.path["range"] ?? "");
    const done = atomically(book, call.library.ids, () => write(book, target, entries, option));
    return updateResponse(book, done, echo);
  },
};

/** One part of a batch of writes: where, what, and how its answer shows it. */
export interface Part {
  readonly target: Target;
  readonly entries: Entries;
  readonly echo: Echo;
}

/** Writes all parts or none, and adds up what they changed. */
export function writeAll(
  call: Call,
  book: Book,
  parts: readonly Part[],
  option: InputOption,
): { responses: JsonObject[]; totals: JsonObject } {
  const done = atomically(book, call.library.ids, () =>
    parts.map((part, i) =>
      within(`Invalid data[${i}]`, () => write(book, part.target, part.entries, option)),
    ),
  );
  const key = (written: Written, n: number): string => `${written.sheet.state.id} ${n}`;
  const distinct = (of: (w: Written) => ReadonlySet<number>): number =>
    new Set(done.flatMap((w) => Array.from(of(w), (n) => key(w, n)))).size;
  const cells = done.reduce((sum, w) => sum + w.cells, 0);
  const totals =
    cells === 0
      ? {}
      : {
          totalUpdatedRows: distinct((w) => w.rows),
          totalUpdatedColumns: distinct((w) => w.columns),
          totalUpdatedCells: cells,
          totalUpdatedSheets: new Set(done.filter((w) => w.cells > 0).map((w) => w.sheet)).size,
        };
  const responses = done.map((written, i) => updateResponse(book, written, parts[i]?.echo));
  return { responses, totals };
}

/** How a batch's answers show the values, per part. */
export function bodyEcho(body: JsonObject, part: JsonObject): Echo {
  if (!isTrue(body, "includeValuesInResponse")) return undefined;
  const options = renderOptions(
    stringAt(body, "responseValueRenderOption"),
    stringAt(body, "responseDateTimeRenderOption"),
  );
  return { ...options, major: majorDimension(stringAt(part, "majorDimension")) };
}

const batchUpdate: Method = {
  mutates: true,
  answers: "BatchUpdateValuesResponse",
  run(call) {
    const data = objectsAt(call.body, "data");
    const entries = data.map((part, i) => entriesOf(part, `data[${i}]`));
    const book = bookOf(call);
    const option = inputOption(stringAt(call.body, "valueInputOption"));
    const parts = data.map((part, i) => ({
      target: within(`Invalid data[${i}]`, () => resolve(book, stringAt(part, "range") ?? "")),
      entries: entries[i] ?? [],
      echo: bodyEcho(call.body, part),
    }));
    const { responses, totals } = writeAll(call, book, parts, option);
    return { spreadsheetId: book.id, ...totals, ...(responses.length === 0 ? {} : { responses }) };
  },
};

const append: Method = {
  mutates: true,
  answers: "AppendValuesResponse",
  run(call) {
    const entries = entriesOf(call.body, "data");
    const book = bookOf(call);
    const option = inputOption(queryOf(call, "valueInputOption"));
    const insert = queryOf(call, "insertDataOption") === "INSERT_ROWS";
    const echo = queryEcho(call, call.body);
    const target = resolve(book, call.path["range"] ?? "");
    const asked = clip(target);
    const table = tableAt(target.sheet, asked);
    const at =
      table === undefined
        ? { row: asked.startRow, column: asked.startColumn }
        : { row: table.endRow, column: table.startColumn };
    const done = atomically(book, call.library.ids, () =>
      appendAt(book, target, at, { entries, option, insert }),
    );
    const tableRange =
      table === undefined ? {} : { tableRange: rangeName(target.sheet.state.title, table) };
    return { spreadsheetId: book.id, ...tableRange, updates: updateResponse(book, done, echo) };
  },
};

interface Addition {
  readonly entries: Entries;
  readonly option: InputOption;
  readonly insert: boolean;
}

function appendAt(
  book: Book,
  { sheet }: Target,
  at: { row: number; column: number },
  { entries, option, insert }: Addition,
): Written {
  if (insert && at.row < sheet.state.rowCount && entries.length > 0)
    insertDimension(book, sheet, {
      dimension: "ROWS",
      at: at.row,
      count: entries.length,
      like: "before",
    });
  growTo(book, sheet, at.row + 1, at.column + 1);
  const area = {
    startRow: at.row,
    endRow: at.row + 1,
    startColumn: at.column,
    endColumn: at.column + 1,
  };
  return write(book, { sheet, area, single: true, text: "" }, entries, option);
}

/** Empties a range; formats, notes and validation stay. @returns its name */
export function clearRange(target: Target): string {
  const rect = clip(target);
  const { grid, state } = target.sheet;
  for (let row = Math.min(rect.endRow, grid.used) - 1; row >= rect.startRow; row--)
    for (
      let column = Math.min(rect.endColumn, grid.row(row)?.length ?? 0) - 1;
      column >= rect.startColumn;
      column--
    ) {
      const cell = grid.cell(row, column);
      if (cell !== undefined) grid.set(row, column, enter(cell, {}));
    }
  return rangeName(state.title, rect);
}

const clear: Method = {
  mutates: true,
  answers: "ClearValuesResponse",
  run(call) {
    const book = bookOf(call);
    const target = resolve(book, call.path["range"] ?? "");
    return {
      spreadsheetId: book.id,
      clearedRange: atomically(book, call.library.ids, () => clearRange(target)),
    };
  },
};

const batchClear: Method = {
  mutates: true,
  answers: "BatchClearValuesResponse",
  run(call) {
    const book = bookOf(call);
    const targets = stringsAt(call.body, "ranges").map((text) => resolve(book, text));
    const clearedRanges = atomically(book, call.library.ids, () => targets.map(clearRange));
    return { spreadsheetId: book.id, ...(clearedRanges.length === 0 ? {} : { clearedRanges }) };
  },
};

export const VALUES_METHODS: Readonly<Record<string, Method>> = {
  "sheets.spreadsheets.values.get": get,
  "sheets.spreadsheets.values.batchGet": batchGet,
  "sheets.spreadsheets.values.update": update,
  "sheets.spreadsheets.values.batchUpdate": batchUpdate,
  "sheets.spreadsheets.values.append": append,
  "sheets.spreadsheets.values.clear": clear,
  "sheets.spreadsheets.values.batchClear": batchClear,
};
