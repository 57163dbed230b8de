/** BooleanConditions of conditional formats: whether one holds for a cell. */
import type { Sheet } from "./book.ts";
import { parseFormula } from "./formula/parse.ts";
import { shifted } from "./formula/rewrite.ts";
import { isFailure, type Single } from "./formula/value.ts";
import { type JsonObject, objectsAt, stringAt, textAt } from "./json.ts";
import { parseInput } from "./parse-input.ts";
import type { Renderer } from "./render.ts";

export interface Place {
  readonly row: number;
  readonly column: number;
}

/** A cell as a condition sees it. `operands` are the condition's values, formulas computed. */
interface Subject {
  readonly value: Single;
  /** The text on screen, in lower case. */
  readonly text: string;
  readonly operands: readonly Single[];
}

type Test = (subject: Subject) => boolean;

/** Compares numbers; text, booleans and blanks fulfil no such condition. */
const number =
  (holds: (n: number, ...operands: readonly number[]) => boolean, round = (n: number): number => n): Test =>
  ({ value, operands }) => {
    const numbers = operands.filter((operand) => typeof operand === "number");
    return (
      typeof value === "number" && numbers.length > 0 && numbers.length === operands.length && holds(round(value), ...numbers.map(round))
    );
  };

const text =
  (holds: (text: string, operand: string) => boolean): Test =>
  (subject) =>
    holds(subject.text, lower(subject.operands[0]));

const day = (holds: (day: number, other: number) => boolean): Test => number((n, other = 0) => holds(n, other), Math.floor);

const between = (n: number, a = 0, b = a): boolean => n >= Math.min(a, b) && n <= Math.max(a, b);
const isBlank: Test = ({ value }) => value === undefined || value === "";
const lower = (value: Single): string => (value === undefined || isFailure(value) ? "" : String(value).toLowerCase());

/** Relative dates ("TODAY") are absent: the emulator's answers don't depend on a clock. */
const TESTS: ReadonlyMap<string, Test> = new Map([
  ["NUMBER_GREATER", number((n, other = 0) => n > other)],
  ["NUMBER_GREATER_THAN_EQ", number((n, other = 0) => n >= other)],
  ["NUMBER_LESS", number((n, other = 0) => n < other)],
  ["NUMBER_LESS_THAN_EQ", number((n, other = 0) => n <= other)],
  ["NUMBER_EQ", number((n, other) => n === other)],
  ["NUMBER_NOT_EQ", number((n, other) => n !== other)],
  ["NUMBER_BETWEEN", number(between)],
  ["NUMBER_NOT_BETWEEN", number((n, a, b) => !between(n, a, b))],
  ["TEXT_CONTAINS", text((whole, part) => matches(whole, `*${part}*`))],
  ["TEXT_NOT_CONTAINS", text((whole, part) => !matches(whole, `*${part}*`))],
  ["TEXT_STARTS_WITH", text((whole, part) => whole.startsWith(part))],
  ["TEXT_ENDS_WITH", text((whole, part) => whole.endsWith(part))],
  ["TEXT_EQ", text((whole, other) => whole === other)],
  ["DATE_EQ", day((n, other) => n === other)],
  ["DATE_BEFORE", day((n, other) => n < other)],
  ["DATE_AFTER", day((n, other) => n > other)],
  ["BLANK", isBlank],
  ["NOT_BLANK", (subject) => !isBlank(subject)],
  ["CUSTOM_FORMULA", ({ operands: [result] }) => result === true || (typeof result === "number" && result !== 0)],
]);

/**
 * Wildcards: `*` is any text, `?` any character. Backtracks to the last `*` only: quadratic at
 * worst.
 */
function matches(whole: string, pattern: string): boolean {
  let [at, p, star, resume] = [0, 0, -1, 0];
  while (at < whole.length) {
    if (pattern[p] === "*") [star, resume, p] = [p, at, p + 1];
    else if (pattern[p] === "?" || pattern[p] === whole[at]) [at, p] = [at + 1, p + 1];
    else if (star < 0) return false;
    else [resume, at, p] = [resume + 1, resume + 1, star + 1];
  }
  return /^\**$/.test(pattern.slice(p));
}

/**
 * Whether `condition` holds for the cell at `place`.
 * @param origin first cell of the rule's range: formulas in the condition are relative to it
 */
export function holds(renderer: Renderer, sheet: Sheet, condition: JsonObject, place: Place, origin: Place): boolean {
  const test = TESTS.get(textAt(condition, "type"));
  if (test === undefined) return false;
  const { evaluator, locale } = renderer;
  const operands = objectsAt(condition, "values").map((value): Single => {
    const { formula, value: literal } = parseInput(stringAt(value, "userEnteredValue") ?? "", locale);
    if (formula === undefined) return literal;
    return evaluator.result(sheet, parseFormula(shifted(formula, place.row - origin.row, place.column - origin.column)));
  });
  const value = evaluator.value(sheet, place.row, place.column);
  const format = renderer.numberFormat(sheet, sheet.grid.cell(place.row, place.column));
  return test({ value, text: lower(renderer.formatted(value, format)), operands });
}
