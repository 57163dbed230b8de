/** A formula's tree, by precedence climbing: comparison, &, + -, * /, ^, signs, %. */
import { type Token, tokens } from "./lex.ts";

export type Node =
  | { readonly is: "literal"; readonly value: number | string | boolean | undefined }
  | { readonly is: "ref"; readonly sheet?: string; readonly area: string }
  | { readonly is: "name"; readonly name: string }
  | { readonly is: "error"; readonly error: string }
  | { readonly is: "call"; readonly name: string; readonly args: readonly Node[] }
  | { readonly is: "unary"; readonly operator: "+" | "-" | "%"; readonly of: Node }
  | { readonly is: "binary"; readonly operator: string; readonly left: Node; readonly right: Node };

const PRECEDENCE: Readonly<Record<string, number>> = {
  "=": 1,
  "<>": 1,
  "<": 1,
  ">": 1,
  "<=": 1,
  ">=": 1,
  "&": 2,
  "+": 3,
  "-": 3,
  "*": 4,
  "/": 4,
  "^": 6,
};
/** A sign binds tighter than a power: -2^2 is 4. */
const SIGN = 7;
/** Deeper nesting than anyone writes: beyond it the formula is an error, not a stack overflow. */
const DEEPEST = 100;
/** A chain of operators is a left-leaning tree: it counts too. */
const LONGEST = 2000;

class SyntaxFault extends Error {}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  all(): Node {
    const node = this.#expression(0);
    if (this.#at < this.#tokens.length) throw new SyntaxFault();
    return node;
  }

  #mark(...texts: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    return token?.is === "mark" && texts.includes(token.text) ? token.text : undefined;
  }

  #take(...texts: readonly string[]): string | undefined {
    const found = this.#mark(...texts);
    if (found !== undefined) this.#at += 1;
    return found;
  }

  #expression(least: number): Node {
    if (++this.#depth > DEEPEST) throw new SyntaxFault();
    let left = this.#unary();
    for (;;) {
      const token = this.#tokens[this.#at];
      const power = token?.is === "mark" ? PRECEDENCE[token.text] : undefined;
      if (token === undefined || power === undefined || power <= least) break;
      this.#at += 1;
      left = { is: "binary", operator: token.text, left, right: this.#expression(power) };
    }
    this.#depth -= 1;
    return left;
  }

  #unary(): Node {
    const sign = this.#take("+", "-");
    if (sign === "+" || sign === "-") return { is: "unary", operator: sign, of: this.#expression(SIGN) };
    let node = this.#primary();
    while (this.#take("%") !== undefined) node = { is: "unary", operator: "%", of: node };
    return node;
  }

  #primary(): Node {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new SyntaxFault();
    switch (token.is) {
      case "number":
      case "string":
        return { is: "literal", value: token.value };
      case "ref":
        return { is: "ref", area: token.area, ...(token.sheet === undefined ? {} : { sheet: token.sheet }) };
      case "error":
        return { is: "error", error: token.text.slice(token.text.lastIndexOf("#")) };
      case "name":
        return this.#name(token.text);
      case "mark":
        return this.#group(token.text);
    }
  }

  #group(text: string): Node {
    if (text !== "(") throw new SyntaxFault();
    const node = this.#expression(0);
    if (this.#take(")") === undefined) throw new SyntaxFault();
    return node;
  }

  #name(name: string): Node {
    if (this.#take("(") !== undefined) return { is: "call", name: name.toUpperCase(), args: this.#args() };
    if (/^true$/i.test(name)) return { is: "literal", value: true };
    return /^false$/i.test(name) ? { is: "literal", value: false } : { is: "name", name };
  }

  #args(): Node[] {
    const args: Node[] = [];
    if (this.#take(")") !== undefined) return args;
    do args.push(this.#mark(",", ";", ")") === undefined ? this.#expression(0) : { is: "literal", value: undefined });
    while (this.#take(",", ";") !== undefined);
    if (this.#take(")") === undefined) throw new SyntaxFault();
    return args;
  }
}

/** @returns undefined for what can't be read: the cell shows #ERROR! */
export function parseFormula(formula: string): Node | undefined {
  const list = tokens(formula);
  if (list === undefined || list.length === 0 || list.length > LONGEST) return undefined;
  try {
    return new Parser(list).all();
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return undefined;
    throw thrown;
  }
}
