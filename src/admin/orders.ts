/** What an order's body must hold: read strictly, with the bounds in the refusal, before the master hears of it. */
import type { Wrong } from "./request.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A field of a body that is read; `undefined` in `value`: it is not there, and need not be. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly wrong: Wrong };

export const NO_OBJECT: Wrong = { status: 400, code: "body", detail: "the body must be one JSON object" };

/** @returns undefined for what is no object, or names a field that the order does not know: a misspelt one must not mean "all". */
export function readBody(body: string, known: readonly string[]): Read<Fields> {
  let parsed: unknown;
  try {
    parsed = body.trim() === "" ? {} : JSON.parse(body);
  } catch {
    return { ok: false, wrong: NO_OBJECT }; // a SyntaxError would quote the body
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return { ok: false, wrong: NO_OBJECT };
  const strange = Object.keys(parsed).find((name) => !known.includes(name));
  if (strange === undefined) return { ok: true, value: parsed as Fields };
  const expected = known.length === 0 ? "no fields" : known.join(", ");
  return {
    ok: false,
    wrong: unprocessable("unknown-field", `there is no field ${JSON.stringify(strange.slice(0, 60))}: expected ${expected}`),
  };
}

export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** A whole number within bounds. */
export function readNumber(fields: Fields, name: string, bounds: Bounds): Read<number> {
  const value = fields[name];
  const { least, most } = bounds;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return { ok: true, value };
  const shown = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
  const wrong = unprocessable("bounds", `${name} must be a whole number from ${least} to ${most}, not ${shown}`, { field: name, bounds });
  return { ok: false, wrong };
}

/** A text that is not empty. */
export function readText(fields: Fields, name: string, longest: number): Read<string> {
  const value = fields[name];
  if (typeof value === "string" && value !== "" && value.length <= longest) return { ok: true, value };
  return { ok: false, wrong: unprocessable("text", `${name} must be a text of 1 to ${longest} characters`, { field: name }) };
}

const unprocessable = (code: string, detail: string, more?: Readonly<Record<string, unknown>>): Wrong => ({
  status: 422,
  code,
  detail,
  ...(more === undefined ? {} : { more }),
});
