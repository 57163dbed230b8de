/** Finding and counting in ranges. */
import { type Functions, taking } from "./fn.ts";
import { asMatrix, compare, fail, isFailure, numberOf, single, textOf, truthOf, type Value } from "./value.ts";

const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, "\\$&");

/** Of "te*t", "te?t", "~*": a pattern for whole texts, without regard to case. */
function wildcard(text: string): RegExp {
  const parts = text.match(/~[*?~]|\*+|\?|[^*?~]+|~/g) ?? [];
  const source = parts.map((part) => {
    if (part.startsWith("*")) return "[^]*";
    if (part === "?") return "[^]";
    return part.startsWith("~") && part.length > 1 ? `\\${part.slice(1)}` : escaped(part);
  });
  return new RegExp(`^${source.join("")}$`, "i");
}

/** More stars than this make a pattern that takes for ever on a text that doesn't match. */
const MOST_STARS = 4;

/** A criterion of COUNTIF and SUMIF: ">=5", "<>x", "te*t", 3. */
function criterion(value: Value): (cell: Value) => boolean {
  const wanted = single(value);
  const match = typeof wanted === "string" ? /^(<>|<=|>=|=|<|>)?([^]*)$/.exec(wanted) : null;
  const operator = match?.[1] ?? "=";
  const rest = match === null ? wanted : match[2];
  const number = typeof rest === "string" && rest.trim() !== "" ? Number(rest) : Number.NaN;
  const operand = Number.isNaN(number) ? rest : number;
  if (typeof operand === "string" && (operand.match(/\*+/g)?.length ?? 0) > MOST_STARS)
    throw fail("#ERROR!", `A criterion may have ${MOST_STARS} stars.`);
  const like = typeof operand === "string" ? wildcard(operand) : undefined;
  return (cell) => {
    if (typeof cell === "object") return false;
    const same = like === undefined ? cell === operand : like.test(cell === undefined ? "" : String(cell));
    if (operator === "=" || operator === "<>") return same === (operator === "=");
    if (typeof cell !== typeof operand) return false;
    const order = compare(cell, operand);
    if (order === 0) return operator.length === 2;
    return operator.startsWith("<") ? order < 0 : order > 0;
  };
}

function sumIf([range, test, other]: readonly Value[]): number {
  const fits = criterion(test);
  const values = asMatrix(other ?? range).rows;
  let total = 0;
  for (const [r, row] of asMatrix(range).rows.entries())
    for (const [c, cell] of row.entries()) {
      const value = values[r]?.[c];
      if (fits(cell) && typeof value === "number") total += value;
    }
  return total;
}

/** Where a key is in a list; -1 is nowhere. Mode 1: the last that isn't greater, in an ascending list; -1 the reverse. */
function position(list: readonly Value[], wanted: Value, mode: number): number {
  const key = single(wanted);
  if (mode === 0) return list.findIndex((v) => typeof v !== "object" && typeof v === typeof key && compare(v, key) === 0);
  const fits = (v: Value): boolean => typeof v !== "object" && v !== undefined && (mode > 0 ? compare(v, key) <= 0 : compare(v, key) >= 0);
  const past = list.findIndex((v) => !fits(v));
  return (past < 0 ? list.length : past) - 1;
}

function found(at: number, key: Value): number {
  if (at < 0) throw fail("#N/A", `Did not find value '${textOf(key)}'.`);
  return at;
}

function index(range: Value, row: number, column: number): Value {
  const { rows } = asMatrix(range);
  const width = rows[0]?.length ?? 0;
  if (!(row >= 0 && column >= 0 && row <= rows.length && column <= width))
    throw fail("#NUM!", "INDEX evaluates to an out of bounds range.");
  if (row === 0) return { rows: column === 0 ? rows : rows.map((r) => [r[column - 1]]) };
  const line = rows[Math.trunc(row) - 1] ?? [];
  return column === 0 && line.length > 1 ? { rows: [line] } : line[Math.max(Math.trunc(column), 1) - 1];
}

function lookUp([key, range, column, sorted]: readonly Value[]): Value {
  const { rows } = asMatrix(range);
  const mode = sorted === undefined || truthOf(sorted) ? 1 : 0;
  const at = position(
    rows.map((r) => r[0]),
    key,
    mode,
  );
  const wanted = numberOf(column);
  if (wanted < 1) throw fail("#VALUE!", `VLOOKUP parameter 3 value is ${wanted}. It should be at least 1.`);
  return index(range, found(at, key) + 1, wanted);
}

const optional = (value: Value, otherwise: number): number => (value === undefined || isFailure(value) ? otherwise : numberOf(value));

export const LOOKUP: Functions = {
  COUNTIF: taking(2, 2, ([range, test]) => asMatrix(range).rows.flat().filter(criterion(test)).length),
  SUMIF: taking(2, 3, sumIf),
  ROWS: taking(1, 1, ([a]) => asMatrix(a).rows.length),
  COLUMNS: taking(1, 1, ([a]) => asMatrix(a).rows[0]?.length ?? 0),
  INDEX: taking(1, 3, ([range, row, column]) => index(range, optional(row, 0), optional(column, 0))),
  MATCH: taking(2, 3, ([key, range, mode]) => found(position(asMatrix(range).rows.flat(), key, optional(mode, 1)), key) + 1),
  VLOOKUP: taking(3, 4, lookUp),
};
