/**
 * JSON of rows, read strictly: RFC 8259 and nothing more, each name once in a row, cells that are text, numbers, true, false or
 * null, and numbers that a double holds exactly. JSON.parse keeps the last of two equal names, rounds numbers and nests as deep
 * as the client likes; here what is taken is what was sent.
 */
import { MOST_CHANGES, type Values } from "../../sheets/writes.ts";
import { problem, type Problem } from "../problem.ts";
import { quoted, type Cell } from "../query/model.ts";

/** Bytes of a body. What is made of it for the broker is a little longer, and must fit into a mebibyte. */
export const MAX_WRITE_BODY = 1_000_000;
/** A sheet ends with column ZZZ. */
const MOST_COLUMNS = 18_278;
/** Longer ones are no number that anybody means, and would take long to compare. */
const LONGEST_NUMBER = 400;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANK = /[ \t\n\r]*/y;
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;
const [SPACE, QUOTE, BACKSLASH] = [32, 34, 92] as const;

export type Body =
  /** `many`: they came as an array. */
  { readonly is: "rows"; readonly rows: readonly Values[]; readonly many: boolean } | { readonly is: "bad"; readonly problem: Problem };

/** What ends the reading: thrown and caught in this file. */
class Bad extends Error {
  readonly problem: Problem;
  constructor(is: Problem) {
    super(is.detail);
    this.problem = is;
  }
}

/** @param body undefined: there is none. @returns the one row, or the array of rows, that it holds, or why it can't be taken. */
export function readRows(body: Uint8Array | undefined): Body {
  try {
    return { is: "rows", ...new Reader(decode(body)).body() };
  } catch (thrown) {
    if (thrown instanceof Bad) return { is: "bad", problem: thrown.problem };
    throw thrown;
  }
}

function decode(body: Uint8Array | undefined): string {
  if (body === undefined || body.length === 0) throw new Bad(problem(400, "not-json", "there is no body: expected a row as a JSON object"));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new Bad(problem(400, "not-json", "the body is not UTF-8")); // the decoder says no more
  }
}

class Reader {
  readonly #text: string;
  #at = 0;
  /** Of several rows the one that is read. */
  #row: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  body(): { readonly rows: readonly Values[]; readonly many: boolean } {
    this.#skip();
    const many = this.#text[this.#at] === "[";
    const rows = many ? this.#array() : [this.#object()];
    this.#skip();
    if (this.#at < this.#text.length) throw this.#syntax("the end");
    return { rows, many };
  }

  #array(): readonly Values[] {
    this.#at += 1;
    const rows: Values[] = [];
    if (this.#takes("]")) throw new Bad(problem(422, "invalid", "the array is empty: expected 1 or more rows"));
    do {
      if (rows.length === MOST_CHANGES)
        throw new Bad(problem(413, "too-many-rows", `there are more than ${MOST_CHANGES} rows: send them in several requests`));
      this.#row = rows.length;
      rows.push(this.#object());
    } while (this.#takes(","));
    if (!this.#takes("]")) throw this.#syntax("“,” or “]”");
    this.#row = undefined;
    return rows;
  }

  #object(): Values {
    if (!this.#takes("{")) {
      if (this.#at >= this.#text.length || !/["[\d\-tfn]/.test(this.#text[this.#at] ?? "")) throw this.#syntax("“{”");
      throw this.#invalid("a row is an object of values by column name");
    }
    const cells = new Map<string, Cell>();
    if (this.#takes("}")) return {};
    do {
      this.#skip();
      const name = this.#string("a column's name in quotes");
      if (!name.isWellFormed()) throw this.#invalid(`the column name ${quoted(name)} has half a character in it (a lone surrogate)`);
      if (cells.has(name)) throw this.#invalid(`the column ${quoted(name)} is named twice`, name);
      if (cells.size === MOST_COLUMNS) throw this.#invalid(`a row has over ${MOST_COLUMNS} columns: no sheet has more`);
      if (!this.#takes(":")) throw this.#syntax("“:”");
      this.#skip();
      cells.set(name, this.#cell(name));
    } while (this.#takes(","));
    if (!this.#takes("}")) throw this.#syntax("“,” or “}”");
    return Object.fromEntries(cells); // own properties, so that __proto__ is a name like any other
  }

  #cell(column: string): Cell {
    const first = this.#text[this.#at];
    if (first === '"') {
      const text = this.#string("a text");
      if (!text.isWellFormed()) throw this.#invalid(`${quoted(column)} has half a character in it (a lone surrogate)`, column);
      return text;
    }
    if (first === "{" || first === "[")
      throw this.#invalid(
        `${quoted(column)} is an ${first === "{" ? "object" : "array"}: a cell holds a text, a number, true, false or null`,
        column,
      );
    return first === "t" || first === "f" || first === "n" ? this.#word() : this.#number(column);
  }

  #word(): true | false | null {
    const [word, value] = WORDS.find(([known]) => this.#text.startsWith(known, this.#at)) ?? [];
    if (word === undefined || value === undefined) throw this.#syntax("true, false or null");
    this.#at += word.length;
    return value;
  }

  #number(column: string): number {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) throw this.#syntax("a text, a number, true, false or null");
    this.#at += text.length;
    const number = Number(text);
    if (!isExact(text, number))
      throw this.#invalid(`${quoted(column)} is ${quoted(text, 40)}: a number can't hold that exactly; send it as text`, column);
    return number === 0 ? 0 : number; // there is no -0 in a sheet
  }

  #string(expected: string): string {
    const from = this.#at;
    if (this.#text.charCodeAt(from) !== QUOTE) throw this.#syntax(expected);
    let at = from + 1;
    let plain = true;
    for (let code = this.#text.charCodeAt(at); code !== QUOTE; code = this.#text.charCodeAt(at)) {
      if (Number.isNaN(code)) throw this.#syntax("the end of a text");
      plain &&= code !== BACKSLASH && code >= SPACE;
      at += code === BACKSLASH ? 2 : 1;
    }
    this.#at = at + 1;
    return plain ? this.#text.slice(from + 1, at) : this.#unescaped(from);
  }

  #unescaped(from: number): string {
    try {
      return JSON.parse(this.#text.slice(from, this.#at)) as string;
    } catch {
      this.#at = from; // it says where in the text, not where in the body
      throw this.#syntax("a text without bare control characters or unknown escapes");
    }
  }

  /** Skips blanks and, if it stands there, this character. */
  #takes(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skip(): void {
    if (this.#text.charCodeAt(this.#at) > SPACE) return;
    BLANK.lastIndex = this.#at;
    BLANK.exec(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #syntax(expected: string): Bad {
    const what = this.#at >= this.#text.length ? "it ends too early" : `${quoted(this.#text.slice(this.#at, this.#at + 10))} stands there`;
    return new Bad(problem(400, "not-json", `the body is not JSON: at character ${this.#at} ${expected} was expected, and ${what}`));
  }

  #invalid(detail: string, column?: string): Bad {
    const row = this.#row === undefined ? {} : { row: this.#row };
    return new Bad(
      problem(422, "invalid", detail, { ...row, ...(column === undefined ? {} : { column: column.slice(0, 200).toWellFormed() }) }),
    );
  }
}

/** Whether a number is what its text says. */
function isExact(text: string, number: number): boolean {
  const written = String(number);
  if (written === text) return true; // as JSON.stringify writes it: nearly all
  return text.length <= LONGEST_NUMBER && Number.isFinite(number) && decimal(text) === decimal(written);
}

/** A number's digits and the power of ten of the last one, without a sign: the same text for the same number. */
function decimal(text: string): string {
  const [, whole = "", fraction = "", exponent = "0"] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return significant === "" ? "0" : `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
