/**
 * Computes formulas of one constant, or of one operation on two: `=5/2`, `=1=1`, `="a"&1`. Any other formula is stored as
 * typed and shows #NAME?, like a function that Sheets does not know.
 */
import { type Cell, richCell, type Scalar } from "./spreadsheet.ts";

/** What a cell shows instead of a result, and ErrorValue.type in the API. */
export const ERROR_TYPES = {
  "#DIV/0!": "DIVIDE_BY_ZERO",
  "#VALUE!": "VALUE",
  "#NUM!": "NUM",
  "#NAME?": "NAME",
} as const;

/** A formula without a result. */
export interface Failure {
  readonly error: keyof typeof ERROR_TYPES;
}

export const isFailure = (value: Scalar | Failure | undefined): value is Failure =>
  typeof value === "object";

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const CONSTANT = String.raw`("(?:[^"]|"")*"|${NUMBER}%?|true|false)`;
const FORMULA = new RegExp(
  String.raw`^=\s*${CONSTANT}\s*(?:(<>|<=|>=|[-+*/^&=<>])\s*${CONSTANT}\s*)?$`,
  "i",
);

function constant(text: string): Scalar {
  if (text.startsWith('"')) return text.slice(1, -1).replaceAll('""', '"');
  if (/^[tf]/i.test(text)) return /^t/i.test(text);
  return text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
}

const RANKS: readonly string[] = ["number", "string", "boolean"];

/** Made at the first comparison of texts: to load a language's order takes 20 ms. */
let collator: Intl.Collator | undefined;

/** Numbers before text before booleans; text without regard to case. */
export function compare(a: Scalar, b: Scalar): number {
  if (typeof a !== typeof b) return RANKS.indexOf(typeof a) - RANKS.indexOf(typeof b);
  if (typeof a !== "string" || typeof b !== "string") return Number(a) - Number(b);
  collator ??= new Intl.Collator("en", { sensitivity: "accent", numeric: false });
  return collator.compare(a, b);
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
};

const textOf = (value: Scalar): string =>
  typeof value === "boolean" ? String(value).toUpperCase() : String(value);

/** @returns NaN for a text that is no number */
const numberOf = (value: Scalar): number =>
  typeof value !== "string" || new RegExp(`^${NUMBER}$`, "i").test(value) ? Number(value) : NaN;

function applied(operator: string, left: Scalar, right: Scalar): Scalar | Failure {
  if (operator === "&") return textOf(left) + textOf(right);
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) return comparison(compare(left, right));
  const [a, b] = [numberOf(left), numberOf(right)];
  if (Number.isNaN(a) || Number.isNaN(b)) return { error: "#VALUE!" };
  if (operator === "/" && b === 0) return { error: "#DIV/0!" };
  const result = ARITHMETIC[operator]?.(a, b) ?? NaN;
  return Number.isFinite(result) ? result : { error: "#NUM!" };
}

/** @param formula with its leading "=" */
export function computed(formula: string): Scalar | Failure {
  const [, left, operator, right] = FORMULA.exec(formula) ?? [];
  if (left === undefined) return { error: "#NAME?" };
  if (operator === undefined || right === undefined) return constant(left);
  return applied(operator, constant(left), constant(right));
}

/** What a cell holds: its literal, or its formula's result. */
export function resultOf(cell: Cell | null): Scalar | Failure | undefined {
  const { value, formula } = richCell(cell);
  return formula === undefined ? value : computed(formula);
}
