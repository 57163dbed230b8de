/** What a function of formulas is. */
import { fail, type Value } from "./value.ts";

export type Fn = (args: readonly Value[]) => Value;
export type Functions = Readonly<Record<string, Fn>>;

/** Checks how many arguments there are: Sheets answers #N/A. */
export function taking(least: number, most: number, fn: Fn): Fn {
  return (args) => {
    if (args.length >= least && args.length <= most) return fn(args);
    const expected = least === most ? `${least}` : `between ${least} and ${most}`;
    throw fail("#N/A", `Wrong number of arguments. Expected ${expected} arguments, but got ${args.length} arguments.`);
  };
}
