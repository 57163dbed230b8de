/**
 * Computes formulas of constants: `=5/2`, `=1=1`, `=("a"&1)="A1"`. Any other formula is stored as typed and shows #NAME?, as
 * a function that Sheets does not know.
 */
import type { Scalar } from "./cell.ts";

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

/** Ends the evaluation; never leaves this file. */
class Failed extends Error {
  readonly error: Failure["error"];
  constructor(error: Failure["error"]) {
    super(error);
    this.error = error;
  }
}

const TOKEN =
  /\s*(?:("(?:[^"]|"")*")|((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(true|false)(?![\w(.!])|(<>|<=|>=|[-+*/^&=<>%()]))\s*/iy;
/** Longer and deeper formulas than people write are not computed: a client can nest deeper than the stack. */
const [LONGEST, DEEPEST] = [2_000, 100];

type Token = { readonly literal: Scalar } | { readonly mark: string };

/** @returns undefined for a text that holds anything but constants, operators and parentheses */
function tokens(text: string): Token[] | undefined {
  if (text.length > LONGEST) return undefined;
  const found: Token[] = [];
  const token = new RegExp(TOKEN);
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return undefined;
    const [, string, number, truth, mark = ""] = match;
    if (string !== undefined) found.push({ literal: string.slice(1, -1).replaceAll('""', '"') });
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
  typeof value === "boolean" ? (value ? "TRUE" : "FALSE") : String(value);

function finite(n: number): number {
  if (Number.isFinite(n)) return n;
  throw new Failed("#NUM!");
}

function divided(a: number, b: number): number {
  if (b === 0) throw new Failed("#DIV/0!");
  return finite(a / b);
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

interface Operator {
  readonly power: number;
  readonly apply: (a: Scalar, b: Scalar) => Scalar;
}

const comparison = (holds: (order: number) => boolean): Operator => ({
  power: 1,
  apply: (a, b) => holds(compare(a, b)),
});
const arithmetic = (power: number, apply: (a: number, b: number) => number): Operator => ({
  power,
  apply: (a, b) => apply(numberOf(a), numberOf(b)),
});

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["=", comparison((order) => order === 0)],
  ["<>", comparison((order) => order !== 0)],
  ["<", comparison((order) => order < 0)],
  ["<=", comparison((order) => order <= 0)],
  [">", comparison((order) => order > 0)],
  [">=", comparison((order) => order >= 0)],
  ["&", { power: 2, apply: (a, b) => textOf(a) + textOf(b) }],
  ["+", arithmetic(3, (a, b) => finite(a + b))],
  ["-", arithmetic(3, (a, b) => finite(a - b))],
  ["*", arithmetic(4, (a, b) => finite(a * b))],
  ["/", arithmetic(4, divided)],
  ["^", arithmetic(5, (a, b) => finite(a ** b))],
]);
/** A sign binds tighter than a power: -2^2 is 4. */
const SIGN = 6;

/** Computes by precedence climbing. */
class Evaluation {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  whole(): Scalar {
    const value = this.#expression(0);
    if (this.#at < this.#tokens.length) throw new Failed("#NAME?");
    return value;
  }

  #mark(): string | undefined {
    const token = this.#tokens[this.#at];
    return token !== undefined && "mark" in token ? token.mark : undefined;
  }

  #expression(least: number): Scalar {
    if (++this.#depth > DEEPEST) throw new Failed("#NAME?");
    let left = this.#signed();
    for (;;) {
      const operator = OPERATORS.get(this.#mark() ?? "");
      if (operator === undefined || operator.power <= least) break;
      this.#at += 1;
      left = operator.apply(left, this.#expression(operator.power));
    }
    this.#depth -= 1;
    return left;
  }

  #signed(): Scalar {
    const sign = this.#mark();
    if (sign === "+" || sign === "-") {
      this.#at += 1;
      const value = this.#expression(SIGN);
      return sign === "+" ? value : -numberOf(value);
    }
    let value = this.#operand();
    for (; this.#mark() === "%"; this.#at += 1) value = numberOf(value) / 100;
    return value;
  }

  #operand(): Scalar {
    const token = this.#tokens[this.#at++];
    if (token !== undefined && "literal" in token) return token.literal;
    if (token?.mark !== "(") throw new Failed("#NAME?");
    const value = this.#expression(0);
    if (this.#mark() !== ")") throw new Failed("#NAME?");
    this.#at += 1;
    return value;
  }
}

/** @param formula with its leading "=" */
export function computed(formula: string): Scalar | Failure {
  const list = tokens(formula.slice(1));
  if (list === undefined) return { error: "#NAME?" };
  try {
    return new Evaluation(list).whole();
  } catch (thrown) {
    if (thrown instanceof Failed) return { error: thrown.error };
    throw thrown;
  }
}
