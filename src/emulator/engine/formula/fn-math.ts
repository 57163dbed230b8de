/** Arithmetic and statistics. */
import { type Fn, type Functions, taking } from "./fn.ts";
import { eachNumber, fail, flat, numberOf, real, type Value } from "./value.ts";

const math = (fn: (n: number) => number): Fn => taking(1, 1, ([a]) => real(fn(numberOf(a))));

function folded(args: readonly Value[], start: number, step: (total: number, n: number) => number): number {
  let total = start;
  eachNumber(args, (n) => {
    total = step(total, n);
  });
  return real(total);
}

function mean(args: readonly Value[]): number {
  let [total, count] = [0, 0];
  eachNumber(args, (n) => {
    total += n;
    count += 1;
  });
  if (count === 0) throw fail("#DIV/0!", "Evaluation of function AVERAGE caused a divide by zero error.");
  return total / count;
}

function extreme(args: readonly Value[], better: (a: number, b: number) => boolean): number {
  let best: number | undefined;
  eachNumber(args, (n) => {
    if (best === undefined || better(n, best)) best = n;
  });
  return best ?? 0;
}

function count(args: readonly Value[], keep: (v: unknown) => boolean): number {
  let n = 0;
  for (const { value } of flat(args)) if (keep(value)) n += 1;
  return n;
}

/** Rounds the size of a number, half away from zero, by way of decimals: 1.005 to two places is 1.01. */
function toPlaces(n: number, places: number, how: (x: number) => number): number {
  const factor = 10 ** places;
  return real((Math.sign(n) * how(Number((Math.abs(n) * factor).toPrecision(15)))) / factor);
}

const rounding = (how: (x: number) => number): Fn =>
  taking(1, 2, ([n, places]) => toPlaces(numberOf(n), Math.trunc(places === undefined ? 0 : numberOf(places)), how));

export function divided(a: number, b: number, name: string): number {
  if (b === 0) throw fail("#DIV/0!", `Function ${name} parameter 2 cannot be zero.`);
  return a / b;
}

function modulo([a, b]: readonly Value[]): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  return x - y * Math.floor(divided(x, y, "MOD"));
}

export const MATH: Functions = {
  SUM: (args) => folded(args, 0, (total, n) => total + n),
  PRODUCT: (args) => folded(args, 1, (total, n) => total * n),
  AVERAGE: mean,
  MIN: (args) => extreme(args, (a, b) => a < b),
  MAX: (args) => extreme(args, (a, b) => a > b),
  COUNT: (args) => count(args, (v) => typeof v === "number"),
  COUNTA: (args) => count(args, (v) => v !== undefined),
  COUNTBLANK: (args) => count(args, (v) => v === undefined || v === ""),
  ABS: math(Math.abs),
  INT: math(Math.floor),
  SQRT: math(Math.sqrt),
  EXP: math(Math.exp),
  LN: math(Math.log),
  LOG10: math(Math.log10),
  SIGN: math(Math.sign),
  PI: taking(0, 0, () => Math.PI),
  ROUND: rounding((x) => Math.floor(x + 0.5)),
  ROUNDUP: rounding(Math.ceil),
  ROUNDDOWN: rounding(Math.floor),
  TRUNC: rounding(Math.floor),
  MOD: taking(2, 2, modulo),
  POWER: taking(2, 2, ([a, b]) => real(numberOf(a) ** numberOf(b))),
  DIVIDE: taking(2, 2, ([a, b]) => divided(numberOf(a), numberOf(b), "DIVIDE")),
};
