/** What a formula computes with. */
import type { Scalar } from "../cell.ts";

/** As ErrorValue of the API: its type and what the cell shows. */
export const ERROR_TYPES = {
  "#ERROR!": "ERROR",
  "#NULL!": "NULL_VALUE",
  "#DIV/0!": "DIVIDE_BY_ZERO",
  "#VALUE!": "VALUE",
  "#REF!": "REF",
  "#NAME?": "NAME",
  "#NUM!": "NUM",
  "#N/A": "N_A",
} as const;

export type ErrorCode = keyof typeof ERROR_TYPES;

/** A failed computation. It is a value: IFERROR catches it, everything else passes it on. */
export interface Failure {
  readonly error: ErrorCode;
  readonly message: string;
}

export type Single = Scalar | Failure | undefined;

/** A range's cells by row; undefined is blank. */
export interface Matrix {
  readonly rows: readonly (readonly Single[])[];
}

export type Value = Single | Matrix;

export const failure = (error: ErrorCode, message = ""): Failure => ({ error, message });

export const isFailure = (value: Value): value is Failure => typeof value === "object" && "error" in value;
export const isMatrix = (value: Value): value is Matrix => typeof value === "object" && "rows" in value;

/** Carries a failure out of nested evaluation; never leaves the evaluator. */
export class Failed extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.failure = reason;
  }
}

export const fail = (error: ErrorCode, message: string): Failed => new Failed(failure(error, message));

/** One value of a formula's part; a range of one cell stands for it, a longer one doesn't. */
export function single(value: Value): Scalar | undefined {
  const one = isMatrix(value)
    ? value.rows.length === 1 && value.rows[0]?.length === 1
      ? value.rows[0][0]
      : failure("#VALUE!", "An array value could not be found.")
    : value;
  if (isFailure(one)) throw new Failed(one);
  return one;
}

/** A number, as arithmetic takes it: blank is 0, TRUE is 1, text of a number is that number. */
export function numberOf(value: Value): number {
  const one = single(value);
  if (typeof one === "number") return one;
  if (one === undefined) return 0;
  if (typeof one === "boolean") return one ? 1 : 0;
  const text = one.trim();
  const n = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(n)) throw fail("#VALUE!", `The text '${one}' can't be coerced to a number.`);
  return n;
}

export function textOf(value: Value): string {
  const one = single(value);
  if (one === undefined) return "";
  return typeof one === "boolean" ? (one ? "TRUE" : "FALSE") : String(one);
}

export function truthOf(value: Value): boolean {
  const one = single(value);
  if (typeof one !== "string") return Boolean(one);
  if (/^true$/i.test(one)) return true;
  if (/^false$/i.test(one)) return false;
  throw fail("#VALUE!", `The text '${one}' can't be coerced to a boolean.`);
}

/** Every single value in the arguments; failures among them are thrown. */
export function* flat(values: readonly Value[]): Generator<{ readonly value: Scalar | undefined; readonly fromRange: boolean }> {
  for (const value of values) {
    if (!isMatrix(value)) yield { value: single(value), fromRange: false };
    else for (const row of value.rows) for (const cell of row) yield { value: single(cell), fromRange: true };
  }
}

/**
 * Visits the numbers that SUM and its like take: of ranges only numbers, of other arguments what can be read as one. A
 * callback and plain loops: a generator costs ten times as much, and columns are long.
 */
export function eachNumber(values: readonly Value[], visit: (n: number) => void): void {
  for (const value of values) {
    if (!isMatrix(value)) visit(numberOf(value));
    else for (const row of value.rows) visitRow(row, visit);
  }
}

function visitRow(row: readonly Single[], visit: (n: number) => void): void {
  for (let i = 0; i < row.length; i++) {
    const cell = row[i];
    if (typeof cell === "number") visit(cell);
    else if (isFailure(cell)) throw new Failed(cell);
  }
}

const RANK = { number: 0, string: 1, boolean: 2 } as const;

/** Numbers before text before booleans; text without regard to case. A blank equals 0, "" and FALSE. */
export function compare(a: Scalar | undefined, b: Scalar | undefined): number {
  const [x, y] = [a ?? blankLike(b), b ?? blankLike(a)];
  const [rx, ry] = [RANK[typeof x as keyof typeof RANK], RANK[typeof y as keyof typeof RANK]];
  if (rx !== ry) return rx - ry;
  if (typeof x === "string" && typeof y === "string") return compareText(x, y);
  return Number(x) - Number(y);
}

const blankLike = (other: Scalar | undefined): Scalar => (typeof other === "string" ? "" : typeof other === "boolean" ? false : 0);

/** Made at the first comparison: to load a language's order takes 20 ms, and most workbooks compare no texts. */
let collator: Intl.Collator | undefined;

function compareText(a: string, b: string): number {
  collator ??= new Intl.Collator("en", { sensitivity: "accent", numeric: false });
  return collator.compare(a, b);
}

/** Longer texts than a cell holds are no results: a chain of cells that double each other stays small. */
const LONGEST_TEXT = 50_000;

export function bounded(text: string): string {
  if (text.length > LONGEST_TEXT) throw fail("#VALUE!", `The text result is longer than the limit of ${LONGEST_TEXT} characters.`);
  return text;
}

/** A finite number, or #NUM!. */
export function real(n: number): number {
  if (!Number.isFinite(n)) throw fail("#NUM!", "The result is not a number.");
  return n;
}

export const asMatrix = (value: Value): Matrix => (isMatrix(value) ? value : { rows: [[value]] });
