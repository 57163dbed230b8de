/** CellData of the API, to and from a cell. */
import type { sheets_v4 } from "@googleapis/sheets";
import { ERROR_TYPES, type Failure, isFailure, resultOf } from "./constant-formula.ts";
import { invalid } from "./errors.ts";
import { type Mask, parseUpdateMask, selects } from "./field-mask.ts";
import { formatNumber } from "./number-formats.ts";
import {
  type Cell,
  compactCell,
  type NumberFormat,
  richCell,
  type RichCell,
  type Scalar,
} from "./spreadsheet.ts";

/** A value as its cell shows it on screen. */
export function formatted(
  value: Scalar | Failure | undefined,
  format: NumberFormat | undefined,
): string {
  if (isFailure(value)) return value.error;
  if (typeof value === "number") return formatNumber(value, format);
  return typeof value === "boolean" ? String(value).toUpperCase() : (value ?? "");
}

const extended = (value: Scalar): object => ({
  [`${typeof value === "boolean" ? "bool" : typeof value}Value`]: value,
});

function effective(value: Scalar | Failure | undefined): object {
  if (value === undefined) return {};
  return isFailure(value) ? { errorValue: { type: ERROR_TYPES[value.error] } } : extended(value);
}

/** A cell as grid data has it. */
export function cellData(cell: Cell): object {
  const { value, formula, format, note } = richCell(cell);
  const result = resultOf(cell);
  const filled = value !== undefined || formula !== undefined;
  return {
    ...(filled
      ? {
          userEnteredValue: formula === undefined ? effective(value) : { formulaValue: formula },
          effectiveValue: effective(result),
          formattedValue: formatted(result, format),
        }
      : {}),
    ...(format === undefined ? {} : { userEnteredFormat: { numberFormat: format } }),
    ...(note === undefined ? {} : { note }),
  };
}

/** What an ExtendedValue enters. A stringValue is text whatever it looks like: "=1+1" stays a string. */
function enteredBy(sent: sheets_v4.Schema$ExtendedValue): RichCell {
  const { formulaValue: formula, stringValue: text, boolValue, numberValue } = sent;
  if (formula !== undefined && formula !== null) {
    if (formula.startsWith("=") && formula.length > 1) return { formula };
    throw invalid("Invalid value: formulaValue must start with '='.");
  }
  if (text !== undefined && text !== null) return text === "" ? {} : { value: checkText(text) };
  const value = boolValue ?? numberValue ?? undefined;
  return value === undefined || !Number.isFinite(Number(value)) ? {} : { value };
}

const LONGEST_TEXT = 50_000;

/** @throws GoogleError for more than a cell can hold */
export function checkText(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  throw invalid(
    `Your input contains more than the maximum of ${LONGEST_TEXT} characters in a single cell.`,
  );
}

const WRITABLE = ["userEnteredValue", "note"];

function checkWritable(name: string): void {
  if (!WRITABLE.includes(name)) throw invalid(`Writing ${name} is not supported by this emulator.`);
}

/**
 * Reads the mask of an update of cells.
 * @throws GoogleError when it names a field, or a part of a value, that the emulator does not write
 */
export function parseCellMask(text: string | null | undefined): Mask {
  const mask = parseUpdateMask(text, "CellData");
  for (const [name, child] of mask) {
    checkWritable(name);
    for (const part of child.keys()) checkWritable(`${name}.${part}`);
  }
  return mask;
}

/**
 * The cell after the fields of a mask were taken from `data`; fields that `data` lacks are cleared.
 * @throws GoogleError when the mask takes all fields and `data` has one that the emulator does not write
 */
export function written(
  cell: Cell | null,
  data: sheets_v4.Schema$CellData,
  mask: Mask,
): Cell | null {
  const all = mask.size === 0;
  if (all) for (const [name, sent] of Object.entries(data)) if (sent !== null) checkWritable(name);
  const { value, formula, format, note } = richCell(cell);
  return compactCell({
    ...(selects(mask, "userEnteredValue")
      ? enteredBy(data.userEnteredValue ?? {})
      : { value, formula }),
    note: (selects(mask, "note") ? data.note : note) ?? undefined,
    format: all ? undefined : format,
  });
}
