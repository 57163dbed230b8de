/** A cell's content in the form a reader asks for. */
import { type Cell, isBlank, isRich, type Scalar } from "./cell.ts";
import { computed, type Failure, isFailure } from "./constant-formula.ts";
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

function oneOf<T extends string>(
  options: readonly [T, ...T[]],
  given: string | undefined,
  field: string,
  type: string,
): T {
  if (given === undefined || given === "") return options[0];
  const found = options.find((o) => o === given);
  if (found === undefined)
    throw invalid(
      `Invalid value at '${field}' (type.googleapis.com/google.apps.sheets.v4.${type}), "${given}"`,
    );
  return found;
}

/** What a cell holds: its literal, or its formula's result. */
export function resultOf(cell: Cell | undefined): Scalar | Failure | undefined {
  if (!isRich(cell)) return cell;
  return cell.formula === undefined ? cell.value : computed(cell.formula);
}

/** A cell as values.get answers it; undefined for a cell with nothing to read. */
export function rendered(cell: Cell | undefined, options: RenderOptions): Scalar | undefined {
  if (typeof cell === "string") return cell;
  if (cell === undefined || isBlank(cell)) return undefined;
  if (!isRich(cell)) return options.value === "FORMATTED_VALUE" ? plain(cell) : cell;
  if (options.value === "FORMULA" && cell.formula !== undefined) return cell.formula;
  const value = resultOf(cell);
  if (value === undefined) return "";
  if (isFailure(value)) return value.error;
  const isDate = typeof value === "number" && isDateFormat(cell.numberFormat);
  const formats =
    options.value === "FORMATTED_VALUE" || (isDate && options.date === "FORMATTED_STRING");
  return formats ? formatted(value, cell.numberFormat) : value;
}

function plain(value: Scalar): string {
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  return typeof value === "number" ? general(value) : value;
}

/** As the cell shows it on screen. */
export function formatted(
  value: Scalar | Failure | undefined,
  format: JsonObject | undefined,
): string {
  if (value === undefined) return "";
  if (isFailure(value)) return value.error;
  return typeof value === "number" ? formatNumber(value, format) : plain(value);
}
