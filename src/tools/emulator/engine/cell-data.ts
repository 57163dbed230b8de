/** CellData of the API, to and from a cell. */
import { type Cell, type Rich, type Scalar, slim, toRich } from "./cell.ts";
import { ERROR_TYPES, type Failure, isFailure } from "./constant-formula.ts";
import { invalid } from "./errors.ts";
import { below, type Mask, parseUpdateMask, update } from "./fieldmask.ts";
import { isObject, type JsonObject, present, stringAt } from "./json.ts";
import { formatted, resultOf } from "./render.ts";

const extended = (value: Scalar): JsonObject =>
  typeof value === "string"
    ? { stringValue: value }
    : typeof value === "number"
      ? { numberValue: value }
      : { boolValue: value };

const entered = ({ value, formula }: Rich): JsonObject | undefined =>
  formula === undefined
    ? value === undefined
      ? undefined
      : extended(value)
    : { formulaValue: formula };

/** The fields of CellData that a request can write. */
const WRITABLE = new Set(["userEnteredValue", "note"]);

function writable(cell: Cell | undefined): JsonObject {
  const rich = toRich(cell);
  const userEnteredValue = entered(rich);
  return {
    ...(userEnteredValue === undefined ? {} : { userEnteredValue }),
    ...(rich.note === undefined ? {} : { note: rich.note }),
  };
}

/** Reads the mask of an update of cells. @throws Refusal when it names a field that the emulator does not write */
export function parseCellMask(text: string | undefined): Mask {
  const mask = parseUpdateMask(text, "CellData");
  checkWritable(mask.keys());
  return mask;
}

function checkWritable(names: Iterable<string>): void {
  for (const name of names)
    if (!WRITABLE.has(name)) throw invalid(`Writing ${name} is not supported by this emulator.`);
}

function effective(value: Scalar | Failure | undefined): JsonObject {
  if (value === undefined) return {};
  return isFailure(value) ? { errorValue: { type: ERROR_TYPES[value.error] } } : extended(value);
}

/** A cell as includeGridData answers it, computed only where the mask wants it; undefined for no cell. */
export function cellData(cell: Cell | undefined, mask: Mask | undefined): JsonObject | undefined {
  if (cell === undefined) return undefined;
  const { userEnteredValue, ...rest } = writable(cell);
  const wants = (name: string): boolean => below(mask, name) !== undefined;
  const filled = userEnteredValue !== undefined;
  const { numberFormat } = toRich(cell);
  const value =
    filled && (wants("effectiveValue") || wants("formattedValue")) ? resultOf(cell) : undefined;
  return {
    ...(filled
      ? {
          userEnteredValue,
          effectiveValue: effective(value),
          formattedValue: formatted(value, numberFormat),
        }
      : {}),
    ...(numberFormat === undefined ? {} : { userEnteredFormat: { numberFormat } }),
    ...rest,
  };
}

/** What an ExtendedValue enters. A stringValue is text whatever it looks like: "=1+1" stays a string. */
function contentOf(value: JsonObject): { value?: Scalar; formula?: string } {
  const { numberValue, boolValue } = value;
  const [formula, text] = [stringAt(value, "formulaValue"), stringAt(value, "stringValue")];
  if (formula !== undefined) {
    if (!formula.startsWith("=") || formula.length < 2)
      throw invalid("Invalid value: formulaValue must start with '='.");
    return { formula };
  }
  if (text !== undefined) return text === "" ? {} : { value: checkText(text) };
  if (typeof boolValue === "boolean") return { value: boolValue };
  const n = typeof numberValue === "string" ? Number(numberValue) : numberValue;
  return typeof n === "number" && Number.isFinite(n) ? { value: n } : {};
}

const LONGEST_TEXT = 50_000;

/** @throws Refusal for more than a cell can hold */
export function checkText(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  throw invalid(
    `Your input contains more than the maximum of ${LONGEST_TEXT} characters in a single cell.`,
  );
}

/** The cell that CellData describes. */
function fromData(data: JsonObject): Rich {
  const value = isObject(data["userEnteredValue"]) ? contentOf(data["userEnteredValue"]) : {};
  const note = stringAt(data, "note");
  return { ...value, ...(note === undefined ? {} : { note }) };
}

/**
 * The cell after the fields of a mask were taken from `data`; fields that `data` lacks are cleared.
 * @throws Refusal when the mask takes all fields and `data` has one that the emulator does not write
 */
export function written(cell: Cell | undefined, data: JsonObject, mask: Mask): Cell | undefined {
  if (mask.size === 0) {
    checkWritable(Object.keys(present(data)));
    return slim(fromData(data));
  }
  const { numberFormat } = toRich(cell);
  return slim({
    ...fromData(update(writable(cell), data, mask)),
    ...(numberFormat === undefined ? {} : { numberFormat }),
  });
}
