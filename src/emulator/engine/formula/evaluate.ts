/**
 * Computes formulas, each once a call: a cell's result is remembered, and a chain of any length is walked without deep
 * recursion. A circle is #REF!, as in Sheets.
 */
import { parseArea, type Rect, rectName } from "../a1.ts";
import { type Book, type Sheet, sheetByTitle } from "../book.ts";
import { type Cell, isRich, type Scalar } from "../cell.ts";
import { clip, type Target } from "../ranges.ts";
import { Refusal } from "../errors.ts";
import { SPECIAL } from "./special.ts";
import { FUNCTIONS } from "./functions.ts";
import { binary, unary } from "./operators.ts";
import { type Node, parseFormula } from "./parse.ts";
import { ERROR_TYPES, type ErrorCode, Failed, fail, failure, type Failure, type Matrix, type Single, single, type Value } from "./value.ts";

/** Cells evaluated inside one another before the evaluator starts anew from the innermost. */
const DEEPEST = 60;
/** Cells that the formulas of one call may read through ranges: seconds of work, not hours. */
const MOST_OPERANDS = 20_000_000;

/** Cells of ranges that are kept for the next formula that reads them. */
const MOST_LIFTED = 2_000_000;

/** Asks for another cell to be computed first. */
class First extends Error {
  readonly sheet: Sheet;
  readonly row: number;
  readonly column: number;
  constructor(sheet: Sheet, row: number, column: number) {
    super("compute another cell first");
    this.sheet = sheet;
    this.row = row;
    this.column = column;
  }
}

interface Place {
  readonly sheet: Sheet;
  readonly row: number;
  readonly column: number;
}

const keyOf = ({ sheet, row, column }: Place): string => `${sheet.state.id} ${row} ${column}`;

export class Evaluator {
  readonly #book: Book;
  readonly #results = new Map<string, Single>();
  readonly #matrices = new Map<string, Matrix>();
  #lifted = 0;
  #operands = 0;
  readonly #trees = new Map<string, Node | undefined>();
  /** Being computed, outermost first. */
  readonly #open = new Set<string>();

  constructor(book: Book) {
    this.#book = book;
  }

  /** What a cell holds: its literal, or its formula's result. */
  value(sheet: Sheet, row: number, column: number): Single {
    const cell = sheet.grid.cell(row, column);
    if (!isRich(cell)) return cell;
    if (cell.formula === undefined) return cell.value;
    return this.#settle({ sheet, row, column });
  }

  #settle(wanted: Place): Single {
    const pending: Place[] = [wanted];
    const waiting = new Set([keyOf(wanted)]);
    for (let place = pending.at(-1); place !== undefined; place = pending.at(-1)) {
      try {
        this.#compute(place);
        waiting.delete(keyOf(place));
        pending.pop();
      } catch (thrown) {
        this.#open.clear();
        if (!(thrown instanceof First)) throw thrown;
        const key = keyOf(thrown);
        if (waiting.has(key)) this.#results.set(key, circle());
        else {
          waiting.add(key);
          pending.push(thrown);
        }
      }
    }
    return this.#results.get(keyOf(wanted));
  }

  #compute(place: Place): Single {
    const key = keyOf(place);
    if (this.#results.has(key)) return this.#results.get(key);
    if (this.#open.has(key)) return circle();
    if (this.#open.size >= DEEPEST) throw new First(place.sheet, place.row, place.column);
    this.#open.add(key);
    const result = this.#run(place);
    this.#open.delete(key);
    this.#results.set(key, result);
    return result;
  }

  #run({ sheet, row, column }: Place): Single {
    const cell = sheet.grid.cell(row, column);
    const formula = isRich(cell) ? cell.formula : undefined;
    const tree = formula === undefined ? undefined : this.#tree(formula);
    if (tree === undefined) return failure("#ERROR!", "Formula parse error.");
    try {
      return single(this.#evaluate(tree, sheet)) ?? blank(tree);
    } catch (thrown) {
      if (thrown instanceof Failed) return thrown.failure;
      throw thrown;
    }
  }

  #tree(formula: string): Node | undefined {
    if (!this.#trees.has(formula)) this.#trees.set(formula, parseFormula(formula));
    return this.#trees.get(formula);
  }

  #evaluate(node: Node, sheet: Sheet): Value {
    switch (node.is) {
      case "literal":
        return node.value;
      case "ref":
        return this.#range(this.#target(sheet, node));
      case "error":
        throw fail(Object.hasOwn(ERROR_TYPES, node.error) ? (node.error as ErrorCode) : "#ERROR!", "Reference does not exist.");
      case "name":
        throw fail("#NAME?", `Unknown range name: '${node.name.toUpperCase()}'.`);
      case "unary":
        return unary(node.operator, this.#evaluate(node.of, sheet));
      case "binary":
        return binary(node.operator, this.#evaluate(node.left, sheet), this.#evaluate(node.right, sheet));
      case "call":
        return this.#call(node.name, node.args, sheet);
    }
  }

  #target(sheet: Sheet, ref: { readonly sheet?: string; readonly area: string }): Target | undefined {
    const on = ref.sheet === undefined ? sheet : sheetByTitle(this.#book, ref.sheet);
    const parsed = parseArea(ref.area);
    return on === undefined || parsed === undefined ? undefined : { sheet: on, ...parsed, text: ref.area };
  }

  #range(target: Target | undefined): Value {
    if (target === undefined) throw fail("#REF!", "Unresolved sheet name.");
    const rect = this.#existing(target);
    const { sheet } = target;
    if (target.single) return this.#cell({ sheet, row: rect.startRow, column: rect.startColumn });
    const endRow = Math.max(rect.startRow + 1, Math.min(rect.endRow, sheet.grid.used));
    const size = (endRow - rect.startRow) * (rect.endColumn - rect.startColumn);
    this.#operands += size;
    if (this.#operands > MOST_OPERANDS) throw fail("#ERROR!", "The formulas of this spreadsheet read too many cells for this emulator.");
    return this.#matrix(sheet, { ...rect, endRow });
  }

  /** Formulas often read the same range: it is lifted once. */
  #matrix(sheet: Sheet, rect: Rect): Matrix {
    const key = `${sheet.state.id} ${rectName(rect)}`;
    const known = this.#matrices.get(key);
    if (known !== undefined) return known;
    const width = rect.endColumn - rect.startColumn;
    const blank: readonly Single[] = Array.from({ length: width }, () => undefined);
    const rows = Array.from({ length: rect.endRow - rect.startRow }, (_, r) => {
      const row = rect.startRow + r;
      if (sheet.grid.row(row) === undefined) return blank;
      return Array.from({ length: width }, (_, c) => this.#cell({ sheet, row, column: rect.startColumn + c }));
    });
    const size = rows.length * width;
    if (this.#open.size > 1 || this.#lifted + size > MOST_LIFTED) return { rows };
    this.#lifted += size;
    this.#matrices.set(key, { rows });
    return { rows };
  }

  #existing(target: Target): ReturnType<typeof clip> {
    try {
      return clip(target);
    } catch (thrown) {
      if (thrown instanceof Refusal) throw fail("#REF!", "Reference does not exist.");
      throw thrown;
    }
  }

  #cell(place: Place): Single {
    const cell: Cell | undefined = place.sheet.grid.cell(place.row, place.column);
    if (!isRich(cell)) return cell;
    return cell.formula === undefined ? cell.value : this.#compute(place);
  }

  #call(name: string, args: readonly Node[], sheet: Sheet): Value {
    const special = SPECIAL.get(name);
    if (special !== undefined)
      return special(args, { evaluate: (node) => this.#evaluate(node, sheet), origin: (ref) => originOf(this.#target(sheet, ref)) });
    const fn = FUNCTIONS.get(name);
    if (fn === undefined) throw fail("#NAME?", `Unknown function: '${name}'.`);
    return fn(args.map((arg) => this.#evaluate(arg, sheet)));
  }
}

function originOf(target: Target | undefined): { row: number; column: number } {
  if (target === undefined) throw fail("#REF!", "Unresolved sheet name.");
  return { row: target.area.startRow ?? 0, column: target.area.startColumn ?? 0 };
}

/** What a formula shows that gives nothing: a reference to a blank cell is 0. */
const blank = (tree: Node): Scalar => (tree.is === "ref" ? 0 : "");

const circle = (): Failure => failure("#REF!", "Circular dependency detected.");
