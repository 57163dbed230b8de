/** The engine's whole state as JSON, and back. */
import { type Book, type BookState, type Sheet, type SheetState } from "./book.ts";
import { type Cell, isRich, slim } from "./cell.ts";
import { Grid, type Row } from "./grid.ts";
import { isObject, type JsonObject } from "./json.ts";
import type { Library } from "./methods/method.ts";

/** Raised when the form changes in a way that older code can't read. */
const FORM = 1;

interface SheetDump {
  readonly state: SheetState;
  /** Row number and cells; null is no cell. */
  readonly rows: readonly (readonly [number, readonly (Cell | null)[]])[];
}

interface BookDump {
  readonly id: string;
  readonly state: BookState;
  readonly sheets: readonly SheetDump[];
}

interface Dump {
  readonly form: typeof FORM;
  readonly ids: number;
  readonly books: readonly BookDump[];
}

const sheetDump = ({ state, grid }: Sheet): SheetDump => ({
  state,
  rows: Array.from(
    grid.entries(),
    ([row, cells]) => [row, cells.map((cell) => cell ?? null)] as const,
  ).toSorted(([a], [b]) => a - b),
});

/** A copy that later calls don't change. */
export function dumpLibrary({ books, ids }: Library): Dump {
  const list = Array.from(books.values(), ({ id, state, sheets }) => ({
    id,
    state,
    sheets: sheets.map(sheetDump),
  }));
  return { form: FORM, ids: ids.count, books: list };
}

function isDump(value: unknown): value is Dump {
  return (
    isObject(value) &&
    value["form"] === FORM &&
    typeof value["ids"] === "number" &&
    Array.isArray(value["books"])
  );
}

/** A cell in a state that an older emulator wrote. Its number format is read, the rest of its format is dropped. */
interface OldCell {
  readonly format?: { readonly numberFormat?: JsonObject };
}

function loadCell(cell: Cell | null): Cell | undefined {
  if (cell === null || !isRich(cell)) return cell ?? undefined;
  const numberFormat = cell.numberFormat ?? (cell as OldCell).format?.numberFormat;
  return slim(numberFormat === undefined ? cell : { ...cell, numberFormat });
}

const loadSheet = ({
  state: { id, title, rowCount, columnCount, hidden },
  rows,
}: SheetDump): Sheet => ({
  state: { id, title, rowCount, columnCount, hidden },
  grid: new Grid(rows.map(([row, cells]): [number, Row] => [row, cells.map(loadCell)])),
});

/** @throws TypeError for what `dumpLibrary` never made */
export function loadLibrary(dump: unknown): Library {
  if (dump === undefined) return { books: new Map(), ids: { count: 0 } };
  if (!isDump(dump))
    throw new TypeError(
      `this is no dump of the emulator's engine in form ${FORM}: take one that engine.dump() made`,
    );
  const books = dump.books.map(({ id, state, sheets }): [string, Book] => [
    id,
    {
      id,
      state: { properties: state.properties, metadata: state.metadata },
      sheets: sheets.map(loadSheet),
    },
  ]);
  return { books: new Map(books), ids: { count: dump.ids } };
}
