/** copyPaste and cutPaste. Formulas that are copied point as far away as before; those that are moved keep pointing. */
import type { Rect } from "../a1.ts";
import { type Sheet, growTo } from "../book.ts";
import { type Cell, isRich, type Rich, slim, toRich } from "../cell.ts";
import { invalid } from "../errors.ts";
import { shifted } from "../formula/rewrite.ts";
import { isFailure } from "../formula/value.ts";
import { intAt, isObject, type JsonObject, optionalObject, stringAt } from "../json.ts";
import { overlap } from "../ranges.ts";
import { Renderer } from "../render.ts";
import { type Context, gridWith, type Handlers, targetAt } from "./request.ts";

/** A block of cells lifted from a sheet, by row. */
type Block = readonly (readonly (Cell | undefined)[])[];

const height = (r: Rect): number => r.endRow - r.startRow;
const width = (r: Rect): number => r.endColumn - r.startColumn;

const lift = ({ grid }: Sheet, rect: Rect): Block =>
  Array.from({ length: height(rect) }, (_, r) =>
    Array.from({ length: width(rect) }, (_, c) => grid.cell(rect.startRow + r, rect.startColumn + c)),
  );

const transposed = (block: Block): Block => (block[0] ?? []).map((_, c) => block.map((row) => row[c]));

type Paste = (from: Rich, to: Rich) => Rich;

const content = ({ value, formula, runs }: Rich): Rich => ({
  ...(value === undefined ? {} : { value }),
  ...(formula === undefined ? {} : { formula }),
  ...(runs === undefined ? {} : { runs }),
});
const look = ({ format }: Rich): Rich => (format === undefined ? {} : { format });

function bare({ value: _value, formula: _formula, runs: _runs, ...rest }: Rich): Rich {
  return rest;
}

function unformatted({ format: _format, ...rest }: Rich): Rich {
  return rest;
}

const withoutBorders = (cell: Rich): Rich => {
  const { borders: _borders, ...format } = cell.format ?? {};
  return { ...unformatted(cell), format };
};

const PASTES: Readonly<Record<string, Paste>> = {
  PASTE_NORMAL: (from) => from,
  PASTE_VALUES: (from, to) => ({ ...bare(to), ...content(from) }),
  PASTE_FORMULA: (from, to) => ({ ...bare(to), ...content(from) }),
  PASTE_FORMAT: (from, to) => ({ ...unformatted(to), ...look(from) }),
  PASTE_NO_BORDERS: (from, to) => {
    const borders = to.format?.["borders"];
    const plain = withoutBorders(from);
    return isObject(borders) ? { ...plain, format: { ...plain.format, borders } } : plain;
  },
  PASTE_DATA_VALIDATION: ({ validation }, { validation: _old, ...rest }) => (validation === undefined ? rest : { ...rest, validation }),
};

function pasteOf(request: JsonObject): { type: string; paste: Paste } {
  const type = stringAt(request, "pasteType") ?? "PASTE_NORMAL";
  const paste = PASTES[type];
  if (paste === undefined) throw invalid(`pasteType ${type} is not supported by this emulator.`);
  return { type, paste };
}

/** The block with every formula replaced by its result. */
function computed({ book }: Context, sheet: Sheet, rect: Rect, block: Block): Block {
  const renderer = new Renderer(book);
  return block.map((row, r) =>
    row.map((cell, c) => {
      if (!isRich(cell) || cell.formula === undefined) return cell;
      const { formula: _formula, ...rest } = cell;
      const value = renderer.evaluator.value(sheet, rect.startRow + r, rect.startColumn + c);
      return slim(value === undefined ? rest : { ...rest, value: isFailure(value) ? value.error : value });
    }),
  );
}

const shift = (cell: Cell | undefined, rows: number, columns: number): Cell | undefined =>
  isRich(cell) && cell.formula !== undefined ? { ...cell, formula: shifted(cell.formula, rows, columns) } : cell;

export const PASTE_HANDLERS: Handlers = {
  copyPaste(context, request) {
    const source = targetAt(context.book, request, "source");
    const target = targetAt(context.book, request, "destination");
    const { type, paste } = pasteOf(request);
    const from = overlap(source);
    const lifted = lift(source.sheet, from);
    const values = type === "PASTE_VALUES" ? computed(context, source.sheet, from, lifted) : lifted;
    const block = stringAt(request, "pasteOrientation") === "TRANSPOSE" ? transposed(values) : values;
    const [rows, columns] = [block.length, block[0]?.length ?? 0];
    if (rows === 0 || columns === 0) return undefined;
    const to = overlap(target);
    const across = { rows: repeats(height(to), rows) * rows, columns: repeats(width(to), columns) * columns };
    growTo(context.book, target.sheet, to.startRow + across.rows, to.startColumn + across.columns);
    for (let r = 0; r < across.rows; r++)
      for (let c = 0; c < across.columns; c++) {
        const [row, column] = [to.startRow + r, to.startColumn + c];
        const cell = shift(block[r % rows]?.[c % columns], row - from.startRow - (r % rows), column - from.startColumn - (c % columns));
        target.sheet.grid.set(row, column, slim(paste(toRich(cell), toRich(target.sheet.grid.cell(row, column)))));
      }
    return undefined;
  },

  cutPaste({ book }, request) {
    const source = targetAt(book, request, "source");
    const { paste } = pasteOf(request);
    const destination = optionalObject(request, "destination") ?? {};
    const sheet = gridWith(book, intAt(destination, "sheetId"));
    const [startRow, startColumn] = [intAt(destination, "rowIndex") ?? 0, intAt(destination, "columnIndex") ?? 0];
    if (startRow < 0 || startColumn < 0) throw invalid("destination.rowIndex and destination.columnIndex must not be negative.");
    const from = overlap(source);
    const block = lift(source.sheet, from);
    const to = { startRow, startColumn, endRow: startRow + height(from), endColumn: startColumn + width(from) };
    growTo(book, sheet, to.endRow, to.endColumn);
    for (const [r, row] of block.entries())
      for (const c of row.keys()) source.sheet.grid.set(from.startRow + r, from.startColumn + c, undefined);
    for (const [r, row] of block.entries())
      for (const [c, cell] of row.entries()) {
        const old = toRich(sheet.grid.cell(startRow + r, startColumn + c));
        sheet.grid.set(startRow + r, startColumn + c, slim(paste(toRich(cell), old)));
      }
    return undefined;
  },
};

/** A destination that holds the block several times is filled with it; any other takes it once. */
const repeats = (room: number, size: number): number => (room > size && room % size === 0 ? room / size : 1);
