/** What an order's body must hold: read strictly, with the bounds in the refusal, before the master hears of it. */
import { LONGEST_WRITE_ID, MOST_IDS } from "../base/aside.ts";
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

/** One of some words. */
export function readChoice<const T extends string>(fields: Fields, name: string, words: readonly T[]): Read<T> {
  const found = words.find((word) => word === fields[name]);
  if (found !== undefined) return { ok: true, value: found };
  return { ok: false, wrong: unprocessable("choice", `${name} must be one of ${words.join(", ")}`, { field: name }) };
}

/** Which writes are meant: `ids`, or `all`; never both, and never neither. @returns undefined for all. */
export function readIds({ ids, all }: Fields): Read<readonly string[] | undefined> {
  if (all === true && ids === undefined) return { ok: true, value: undefined };
  const sound =
    all === undefined &&
    Array.isArray(ids) &&
    ids.length > 0 &&
    ids.length <= MOST_IDS &&
    ids.every((id) => typeof id === "string" && id !== "" && id.length <= LONGEST_WRITE_ID);
  if (sound) return { ok: true, value: [...new Set(ids as string[])] };
  const detail = `ids must be a list of 1 to ${MOST_IDS} ids of writes, or all must be true: one of the two`;
  return { ok: false, wrong: unprocessable("ids", detail, { field: "ids", bounds: { least: 1, most: MOST_IDS } }) };
}

const unprocessable = (code: string, detail: string, more?: Readonly<Record<string, unknown>>): Wrong => ({
  status: 422,
  code,
  detail,
  ...(more === undefined ? {} : { more }),
});
