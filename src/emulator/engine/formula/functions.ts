/** The functions formulas may call. What isn't here is #NAME?, as in Sheets; clocks and dice are left out on purpose. */
import type { Fn } from "./fn.ts";
import { LOGIC } from "./fn-logic.ts";
import { LOOKUP } from "./fn-lookup.ts";
import { MATH } from "./fn-math.ts";
import { TEXT } from "./fn-text.ts";

export const FUNCTIONS: ReadonlyMap<string, Fn> = new Map([MATH, TEXT, LOGIC, LOOKUP].flatMap((family) => Object.entries(family)));
