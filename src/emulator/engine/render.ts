/** A cell's content in the form a reader asks for. */
import type { Book, Sheet } from "./book.ts";
import { type Cell, isBlank, isRich, type Scalar } from "./cell.ts";
import { Evaluator } from "./formula/evaluate.ts";
import { isFailure, type Single } from "./formula/value.ts";
import { invalid } from "./errors.ts";
import { general } from "./general.ts";
import type { JsonObject } from "./json.ts";
import { formatNumber, isDateFormat } from "./number-format.ts";

const VALUES = ["FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"] as const;
const DATES = ["SERIAL_NUMBER", "FORMATTED_STRING"] as const;

export interface RenderOptions {
  readonly value: (typeof VALUES)[number];
  readonly date: (typeof DATES)[number];
}

/** @throws Refusal for a name that is no option */
export function renderOptions(value: string | undefined, date: string | undefined): RenderOptions {
  return {
    value: oneOf(VALUES, value, "value_render_option", "ValueRenderOption"),
    date: oneOf(DATES, date, "date_time_render_option", "DateTimeRenderOption"),
  };
}

function oneOf<T extends string>(options: readonly [T, ...T[]], given: string | undefined, field: string, type: string): T {
  if (given === undefined || given === "") return options[0];
  const found = options.find((o) => o === given);
  if (found === undefined) throw invalid(`Invalid value at '${field}' (type.googleapis.com/google.apps.sheets.v4.${type}), "${given}"`);
  return found;
}

/** Reads the cells of one spreadsheet during one call. */
export class Renderer {
  readonly evaluator: Evaluator;

  constructor(book: Book) {
    this.evaluator = new Evaluator(book);
  }

  /** A cell as values.get answers it; undefined for a cell with nothing to read. */
  render(sheet: Sheet, row: number, column: number, options: RenderOptions): Scalar | undefined {
    return this.cell(sheet, sheet.grid.cell(row, column), { row, column }, options);
  }

  /** The same for a cell already at hand: reading a whole range looks up no cell twice. */
  cell(sheet: Sheet, cell: Cell | undefined, { row, column }: { row: number; column: number }, options: RenderOptions): Scalar | undefined {
    if (typeof cell === "string") return cell;
    if (cell === undefined || isBlank(cell)) return undefined;
    if (options.value === "FORMULA" && isRich(cell) && cell.formula !== undefined) return cell.formula;
    if (!isRich(cell)) return options.value === "FORMATTED_VALUE" ? this.#plain(cell) : cell;
    const value = this.evaluator.value(sheet, row, column);
    return this.#shown(value, cell.numberFormat, options);
  }

  #plain(value: Scalar): string {
    if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
    return typeof value === "number" ? general(value) : value;
  }

  #shown(value: Single, format: JsonObject | undefined, options: RenderOptions): Scalar {
    if (value === undefined) return "";
    if (isFailure(value)) return value.error;
    if (options.value === "FORMATTED_VALUE") return this.formatted(value, format);
    if (typeof value !== "number" || options.date === "SERIAL_NUMBER" || !isDateFormat(format)) return value;
    return this.formatted(value, format);
  }

  /** As the cell shows it on screen. */
  formatted(value: Single, format: JsonObject | undefined): string {
    if (value === undefined) return "";
    if (isFailure(value)) return value.error;
    return typeof value === "number" ? formatNumber(value, format) : this.#plain(value);
  }
}
