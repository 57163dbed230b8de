/** Operators of formulas. */
import { divided } from "./fn-math.ts";
import { bounded, compare, numberOf, real, single, textOf, type Value } from "./value.ts";

export function unary(operator: "+" | "-" | "%", value: Value): Value {
  if (operator === "+") return value;
  const n = numberOf(value);
  return operator === "-" ? -n : n / 100;
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

export function binary(operator: string, left: Value, right: Value): Value {
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) return comparison(compare(single(left), single(right)));
  if (operator === "&") return bounded(textOf(left) + textOf(right));
  const [a, b] = [numberOf(left), numberOf(right)];
  switch (operator) {
    case "+":
      return real(a + b);
    case "-":
      return real(a - b);
    case "*":
      return real(a * b);
    case "/":
      return divided(a, b, "DIVIDE");
    default:
      return real(a ** b);
  }
}
