/**
 * Computes formulas of constants: `=5/2`, `=1=1`, `=("a"&1)="A1"`. Any other formula is stored as typed and shows #NAME?,
 * like a function that Sheets does not know.
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

/** Ends an evaluation; never leaves this file. */
class Failed extends Error {
  readonly error: Failure["error"];
  constructor(error: Failure["error"]) {
    super(error);
    this.error = error;
  }
}

const TOKEN =
  /\s*(?:"(?<text>(?:[^"]|"")*)"|(?<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(?<truth>true|false)(?![\w(.!])|(?<mark><>|<=|>=|[-+*/^&=<>%()]))\s*/iy;

/** Longer and deeper formulas are not computed: a client can nest deeper than the stack. */
const [LONGEST, DEEPEST] = [2_000, 100];

type Token = { readonly literal: Scalar } | { readonly mark: string };

/** @returns undefined for a text that holds anything but constants, operators and parentheses */
function tokensOf(text: string): Token[] | undefined {
  if (text.length > LONGEST) return undefined;
  const found: Token[] = [];
  const token = new RegExp(TOKEN);
  while (token.lastIndex < text.length) {
    const groups = token.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const { text: quoted, number, truth, mark = "" } = groups;
    if (quoted !== undefined) found.push({ literal: quoted.replaceAll('""', '"') });
    else if (number !== undefined) found.push({ literal: Number(number) });
    else if (truth !== undefined) found.push({ literal: /^true$/i.test(truth) });
    else found.push({ mark });
  }
  return found;
}

function numberOf(value: Scalar): number {
  if (typeof value !== "string") return Number(value);
  if (/^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) return Number(value);
  throw new Failed("#VALUE!");
}

const textOf = (value: Scalar): string =>
  typeof value === "boolean" ? String(value).toUpperCase() : String(value);

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

/** The operators, from the weakest binding to the strongest. */
const PRECEDENCE: readonly (readonly string[])[] = [
  ["=", "<>", "<", "<=", ">", ">="],
  ["&"],
  ["+", "-"],
  ["*", "/"],
  ["^"],
];
/** A sign binds tighter than a power: -2^2 is 4. */
const SIGN = PRECEDENCE.length;

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

function apply(mark: string, left: Scalar, right: Scalar): Scalar {
  if (mark === "&") return textOf(left) + textOf(right);
  const comparison = COMPARISONS[mark];
  if (comparison !== undefined) return comparison(compare(left, right));
  const [a, b] = [numberOf(left), numberOf(right)];
  if (mark === "/" && b === 0) throw new Failed("#DIV/0!");
  const result = ARITHMETIC[mark]?.(a, b) ?? NaN;
  if (!Number.isFinite(result)) throw new Failed("#NUM!");
  return result;
}

/** Computes by precedence climbing. */
function evaluate(tokens: readonly Token[]): Scalar {
  let at = 0;
  let depth = 0;
  const mark = (): string => {
    const token = tokens[at];
    return token !== undefined && "mark" in token ? token.mark : "";
  };
  const operand = (): Scalar => {
    const token = tokens[at++];
    if (token !== undefined && "literal" in token) return token.literal;
    if (token?.mark === "+") return expression(SIGN);
    if (token?.mark === "-") return -numberOf(expression(SIGN));
    const value = token?.mark === "(" ? expression(0) : undefined;
    if (value === undefined || mark() !== ")") throw new Failed("#NAME?");
    at += 1;
    return value;
  };
  const expression = (least: number): Scalar => {
    if (++depth > DEEPEST) throw new Failed("#NAME?");
    let left = operand();
    for (; mark() === "%"; at += 1) left = numberOf(left) / 100;
    for (;;) {
      const operator = mark();
      const rank = PRECEDENCE.findIndex((marks) => marks.includes(operator));
      if (rank < least) break;
      at += 1;
      left = apply(operator, left, expression(rank + 1));
    }
    depth -= 1;
    return left;
  };
  const value = expression(0);
  if (at < tokens.length) throw new Failed("#NAME?");
  return value;
}

/** @param formula with its leading "=" */
export function computed(formula: string): Scalar | Failure {
  const tokens = tokensOf(formula.slice(1));
  if (tokens === undefined) return { error: "#NAME?" };
  try {
    return evaluate(tokens);
  } catch (error) {
    if (error instanceof Failed) return { error: error.error };
    throw error;
  }
}

/** What a cell holds: its literal, or its formula's result. */
export function resultOf(cell: Cell | null): Scalar | Failure | undefined {
  const { value, formula } = richCell(cell);
  return formula === undefined ? value : computed(formula);
}
