/** Functions that don't evaluate all their arguments first: branches, guards, and those that want a reference itself. */
import type { Node } from "./parse.ts";
import { Failed, fail, isMatrix, single, truthOf, type Value } from "./value.ts";

/** What a special form may do with its arguments. */
export interface Scope {
  evaluate(node: Node): Value;
  /** The first row and column of a reference, from zero. */
  origin(ref: Node & { is: "ref" }): { readonly row: number; readonly column: number };
}

type Special = (args: readonly Node[], scope: Scope) => Value;

const missing = (name: string): Failed => fail("#N/A", `Wrong number of arguments to ${name}.`);

function branch([condition, then, otherwise]: readonly Node[], scope: Scope): Value {
  if (condition === undefined || then === undefined) throw missing("IF");
  if (truthOf(scope.evaluate(condition))) return scope.evaluate(then);
  return otherwise === undefined ? false : scope.evaluate(otherwise);
}

/** The value, or the failure that came instead; a range stands for itself. */
function attempt(node: Node, scope: Scope): { readonly value: Value } | { readonly failed: Failed } {
  try {
    const value = scope.evaluate(node);
    return { value: isMatrix(value) ? value : single(value) };
  } catch (thrown) {
    if (thrown instanceof Failed) return { failed: thrown };
    throw thrown;
  }
}

const guard =
  (catches: (failed: Failed) => boolean): Special =>
  ([node, instead], scope) => {
    if (node === undefined) throw missing("IFERROR");
    const result = attempt(node, scope);
    if ("value" in result) return result.value;
    if (!catches(result.failed)) throw result.failed;
    return instead === undefined ? "" : scope.evaluate(instead);
  };

function isError([node]: readonly Node[], scope: Scope): Value {
  if (node === undefined) throw missing("ISERROR");
  return "failed" in attempt(node, scope);
}

const origin =
  (side: "row" | "column"): Special =>
  ([node], scope) => {
    if (node?.is !== "ref") throw fail("#N/A", "The argument must be a range.");
    return scope.origin(node)[side] + 1;
  };

export const SPECIAL: ReadonlyMap<string, Special> = new Map([
  ["IF", branch],
  ["IFERROR", guard(() => true)],
  ["IFNA", guard(({ failure }) => failure.error === "#N/A")],
  ["ISERROR", isError],
  ["ROW", origin("row")],
  ["COLUMN", origin("column")],
]);
