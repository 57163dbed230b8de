/** CellData of the API, to and from a cell. */
import type { Sheet } from "./book.ts";
import { type Cell, type Rich, type Scalar, slim, toRich } from "./cell.ts";
import { normalised } from "./colours.ts";
import { effectiveFormat } from "./effective-format.ts";
import { invalid } from "./errors.ts";
import { below, type Mask, update } from "./fieldmask.ts";
import { parseFormula } from "./formula/parse.ts";
import { ERROR_TYPES, isFailure, type Single, textOf } from "./formula/value.ts";
import { intAt, isObject, type JsonObject, objectAt, objectsAt, present, stringAt } from "./json.ts";
import type { Renderer } from "./render.ts";

const extended = (value: Scalar): JsonObject =>
  typeof value === "string" ? { stringValue: value } : typeof value === "number" ? { numberValue: value } : { boolValue: value };

const entered = ({ value, formula }: Rich): JsonObject | undefined =>
  formula === undefined ? (value === undefined ? undefined : extended(value)) : { formulaValue: formula };

/** The fields of CellData that a request can write. */
function writable(cell: Cell | undefined): JsonObject {
  const rich = toRich(cell);
  const userEnteredValue = entered(rich);
  return {
    ...(userEnteredValue === undefined ? {} : { userEnteredValue }),
    ...(rich.format === undefined ? {} : { userEnteredFormat: rich.format }),
    ...(rich.note === undefined ? {} : { note: rich.note }),
    ...(rich.runs === undefined ? {} : { textFormatRuns: rich.runs }),
    ...(rich.validation === undefined ? {} : { dataValidation: rich.validation }),
  };
}

function effective(value: Single): JsonObject {
  if (value === undefined) return {};
  if (!isFailure(value)) return extended(value);
  return { errorValue: { type: ERROR_TYPES[value.error], ...(value.message === "" ? {} : { message: value.message }) } };
}

/** A cell as includeGridData answers it, the costly parts only where the mask wants them; undefined for no cell. */
export function cellData(
  renderer: Renderer,
  sheet: Sheet,
  { row, column }: { row: number; column: number },
  mask: Mask | undefined,
): JsonObject | undefined {
  const cell = sheet.grid.cell(row, column);
  if (cell === undefined) return undefined;
  const { userEnteredValue, userEnteredFormat, ...rest } = writable(cell);
  const wants = (name: string): boolean => below(mask, name) !== undefined;
  const filled = userEnteredValue !== undefined;
  const format = renderer.numberFormat(sheet, cell);
  const value = filled && (wants("effectiveValue") || wants("formattedValue")) ? renderer.evaluator.value(sheet, row, column) : undefined;
  return {
    ...(filled ? { userEnteredValue, effectiveValue: effective(value), formattedValue: renderer.formatted(value, format) } : {}),
    ...(userEnteredFormat === undefined ? {} : { userEnteredFormat }),
    ...((filled || userEnteredFormat !== undefined) && wants("effectiveFormat")
      ? { effectiveFormat: effectiveFormat(renderer, sheet, cell) }
      : {}),
    ...(wants("hyperlink") ? hyperlink(renderer, sheet, toRich(cell)) : {}),
    ...rest,
  };
}

/** The cell's one link: of HYPERLINK, of its format, or of a run over the whole text. */
function hyperlink(renderer: Renderer, sheet: Sheet, { formula, format, runs = [] }: Rich): JsonObject {
  if (formula !== undefined) return linkOf(renderer, sheet, formula);
  const [run] = runs;
  const whole = runs.length === 1 && run !== undefined && (intAt(run, "startIndex") ?? 0) === 0 ? objectAt(run, "format") : {};
  const uri = [format ?? {}, { textFormat: whole }]
    .map((f) => objectAt(objectAt(f, "textFormat"), "link")["uri"])
    .find((u) => u !== undefined);
  return present({ hyperlink: uri });
}

/** The address of a formula that is HYPERLINK, if it can be computed. */
function linkOf({ evaluator }: Renderer, sheet: Sheet, formula: string): JsonObject {
  const node = parseFormula(formula);
  const [address] = node?.is === "call" && node.name === "HYPERLINK" ? node.args : [];
  const url = address === undefined ? undefined : evaluator.result(sheet, address);
  return url === undefined || url === "" || isFailure(url) ? {} : { hyperlink: textOf(url) };
}

/** What an ExtendedValue enters. A stringValue is text whatever it looks like: "=1+1" stays a string. */
function contentOf(value: JsonObject): { value?: Scalar; formula?: string } {
  const { numberValue, boolValue } = value;
  const [formula, text] = [stringAt(value, "formulaValue"), stringAt(value, "stringValue")];
  if (formula !== undefined) {
    if (!formula.startsWith("=") || formula.length < 2) throw invalid("Invalid value: formulaValue must start with '='.");
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
  throw invalid(`Your input contains more than the maximum of ${LONGEST_TEXT} characters in a single cell.`);
}

/** The cell that CellData describes. */
function fromData(data: JsonObject): Cell | undefined {
  const value = isObject(data["userEnteredValue"]) ? contentOf(data["userEnteredValue"]) : {};
  const note = stringAt(data, "note");
  const [format, validation, runs] = [data["userEnteredFormat"], data["dataValidation"], objectsAt(data, "textFormatRuns")];
  return slim({
    ...value,
    ...(isObject(format) ? { format } : {}),
    ...(note === undefined ? {} : { note }),
    ...(isObject(validation) ? { validation } : {}),
    ...(runs.length === 0 ? {} : { runs: [...runs] }),
  });
}

/** CellData as a request sent it, with both spellings of colours. */
export function readCellData(data: JsonObject): JsonObject {
  const [format, runs] = [data["userEnteredFormat"], objectsAt(data, "textFormatRuns")];
  return {
    ...data,
    ...(isObject(format) ? { userEnteredFormat: normalised(format) } : {}),
    ...(runs.length === 0 ? {} : { textFormatRuns: runs.map(normalised) }),
  };
}

/** The cell after the fields of a mask were taken from `data` (of readCellData); what they lack is cleared. */
export function written(cell: Cell | undefined, data: JsonObject, mask: Mask): Cell | undefined {
  if (cell === undefined || mask.size === 0) return fromData(mask.size === 0 ? data : update({}, data, mask));
  return fromData(update(writable(cell), data, mask));
}
