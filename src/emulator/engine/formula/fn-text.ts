/** Text. No result is longer than a cell holds. */
import { type Functions, taking } from "./fn.ts";
import { bounded, fail, flat, numberOf, single, textOf, type Value } from "./value.ts";

function words(args: readonly Value[]): string {
  let out = "";
  for (const { value } of flat(args)) out = bounded(out + textOf(value));
  return out;
}

function joined(mark: string, args: readonly Value[], skipBlank: boolean): string {
  const parts = Array.from(flat(args), ({ value }) => textOf(value)).filter((part) => !skipBlank || part !== "");
  let out = parts[0] ?? "";
  for (const part of parts.slice(1)) out = bounded(out + mark + part);
  return out;
}

function length(value: Value | undefined, otherwise: number): number {
  const n = value === undefined ? otherwise : Math.trunc(numberOf(value));
  if (n < 0) throw fail("#VALUE!", `Parameter value is ${n}. It should be greater than or equal to 0.`);
  return n;
}

function middle([text, from, size]: readonly Value[]): string {
  const at = Math.max(1, length(from, 1)) - 1;
  return textOf(text).slice(at, at + length(size, 0));
}

function right([text, size]: readonly Value[]): string {
  const n = length(size, 1);
  return n === 0 ? "" : textOf(text).slice(-n);
}

function repeated([text, times]: readonly Value[]): string {
  const [unit, n] = [textOf(text), length(times, 0)];
  return unit === "" ? "" : bounded(unit.length * n > 50_000 ? " ".repeat(50_001) : unit.repeat(n));
}

function substituted([text, from, to]: readonly Value[]): string {
  const [source, find, by] = [textOf(text), textOf(from), textOf(to)];
  if (find === "") return source;
  let out = "";
  for (const [i, part] of source.split(find).entries()) out = bounded(i === 0 ? part : out + by + part);
  return out;
}

function placeOf(what: string, text: string, from: Value | undefined): number {
  const at = text.indexOf(what, length(from, 1) - 1);
  if (at < 0) throw fail("#VALUE!", `Did not find '${what}'.`);
  return at + 1;
}

function character([code]: readonly Value[]): string {
  const n = numberOf(code);
  if (n >= 1 && n <= 0x10_ffff) return String.fromCodePoint(Math.trunc(n));
  throw fail("#NUM!", `Function CHAR parameter 1 value is ${n}: no character.`);
}

const proper = (text: string): string =>
  text.toLowerCase().replace(/(^|[^\p{L}])(\p{L})/gu, (_, b: string, c: string) => b + c.toUpperCase());

function plainText([value]: readonly Value[]): string {
  const one = single(value);
  return typeof one === "string" ? one : "";
}

export const TEXT: Functions = {
  CONCATENATE: words,
  CONCAT: taking(2, 2, words),
  JOIN: (args) => joined(textOf(args[0]), args.slice(1), false),
  TEXTJOIN: (args) => joined(textOf(args[0]), args.slice(2), args[1] !== undefined && single(args[1]) !== false),
  LEN: taking(1, 1, ([a]) => textOf(a).length),
  LEFT: taking(1, 2, ([a, n]) => textOf(a).slice(0, length(n, 1))),
  RIGHT: taking(1, 2, right),
  MID: taking(3, 3, middle),
  UPPER: taking(1, 1, ([a]) => bounded(textOf(a).toUpperCase())),
  LOWER: taking(1, 1, ([a]) => bounded(textOf(a).toLowerCase())),
  PROPER: taking(1, 1, ([a]) => bounded(proper(textOf(a)))),
  TRIM: taking(1, 1, ([a]) => textOf(a).trim().replace(/ +/g, " ")),
  REPT: taking(2, 2, repeated),
  SUBSTITUTE: taking(3, 3, substituted),
  FIND: taking(2, 3, ([what, text, from]) => placeOf(textOf(what), textOf(text), from)),
  SEARCH: taking(2, 3, ([what, text, from]) => placeOf(textOf(what).toLowerCase(), textOf(text).toLowerCase(), from)),
  EXACT: taking(2, 2, ([a, b]) => textOf(a) === textOf(b)),
  CHAR: taking(1, 1, character),
  T: taking(1, 1, plainText),
  HYPERLINK: taking(1, 2, ([url, label]) => textOf(label ?? url)),
};
