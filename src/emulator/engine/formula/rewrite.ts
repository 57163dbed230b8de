/** References in formulas follow the cells: when rows or columns come and go, and when a formula is copied elsewhere. */
import { columnIndex, columnName, quoteTitle } from "../a1.ts";
import { type AxisChange, moveSpan } from "../axis.ts";
import { type Token, tokens } from "./lex.ts";

interface Axis {
  readonly fixed: boolean;
  readonly index: number;
}

interface End {
  readonly column?: Axis;
  readonly row?: Axis;
}

function readEnd(text: string): End {
  const match = /^(\$?)([A-Za-z]{1,3})?(\$?)(\d+)?$/.exec(text);
  const [, before = "", letters, between = "", digits] = match ?? [];
  return {
    ...(letters === undefined ? {} : { column: { fixed: before === "$", index: columnIndex(letters) } }),
    ...(digits === undefined ? {} : { row: { fixed: (letters === undefined ? before : between) === "$", index: Number(digits) - 1 } }),
  };
}

function writeEnd({ column, row }: End): string {
  const c = column === undefined ? "" : `${column.fixed ? "$" : ""}${columnName(column.index)}`;
  return c + (row === undefined ? "" : `${row.fixed ? "$" : ""}${row.index + 1}`);
}

type RefToken = Token & { is: "ref" };

/** Rewrites every reference; undefined from `change` makes it #REF!. */
function rewrite(formula: string, change: (ends: readonly [End, End], token: RefToken) => readonly [End, End] | undefined): string {
  const list = tokens(formula);
  if (list === undefined) return formula;
  let [out, at] = ["", 0];
  for (const token of list) {
    if (token.is !== "ref") continue;
    const [first = "", last] = token.area.split(":");
    const ends = [readEnd(first), readEnd(last ?? first)] as const;
    const changed = change(ends, token);
    const area = changed === undefined ? "#REF!" : writeEnd(changed[0]) + (last === undefined ? "" : `:${writeEnd(changed[1])}`);
    out += formula.slice(at, token.at) + token.text.slice(0, token.text.length - token.area.length) + area;
    at = token.at + token.text.length;
  }
  return out + formula.slice(at);
}

/** The formula as it reads when copied this far: relative parts move along, parts with $ stay. */
export function shifted(formula: string, rows: number, columns: number): string {
  if (rows === 0 && columns === 0) return formula;
  const slide = (axis: Axis, by: number): Axis => (axis.fixed ? axis : { ...axis, index: axis.index + by });
  const end = (e: End): End => ({
    ...(e.column === undefined ? {} : { column: slide(e.column, columns) }),
    ...(e.row === undefined ? {} : { row: slide(e.row, rows) }),
  });
  const exists = (e: End): boolean => (e.column?.index ?? 0) >= 0 && (e.row?.index ?? 0) >= 0;
  return rewrite(formula, ([a, b]) => {
    const moved = [end(a), end(b)] as const;
    return moved.every(exists) ? moved : undefined;
  });
}

/**
 * The formula after a change of rows or columns on the sheet titled `changed`.
 * @param own the title of the sheet that the formula is on: references without a title mean that
 */
export function followed(formula: string, change: AxisChange, changed: string, own: string): string {
  const name = change.dimension === "ROWS" ? "row" : "column";
  return rewrite(formula, ([a, b], token) => {
    const [first, last] = [a[name], b[name]];
    if ((token.sheet ?? own).toLowerCase() !== changed.toLowerCase() || first === undefined || last === undefined) return [a, b];
    const span = moveSpan(change, { start: Math.min(first.index, last.index), end: Math.max(first.index, last.index) + 1 });
    if (span === undefined) return undefined;
    return [
      { ...a, [name]: { ...first, index: span.start } },
      { ...b, [name]: { ...last, index: span.end - 1 } },
    ];
  });
}

/** The formula after the sheet titled `old` got another title. */
export function retitled(formula: string, old: string, title: string): string {
  const list = tokens(formula) ?? [];
  let [out, at] = ["", 0];
  for (const token of list) {
    if (token.is !== "ref" || token.sheet?.toLowerCase() !== old.toLowerCase()) continue;
    out += `${formula.slice(at, token.at)}${quoteTitle(title)}!${token.area}`;
    at = token.at + token.text.length;
  }
  return out + formula.slice(at);
}
