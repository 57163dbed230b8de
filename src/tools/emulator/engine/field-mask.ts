/**
 * Field masks, of answers (`fields=sheets(data/rowData,properties.title)`) and of updates (`gridProperties/rowCount`):
 * paths with `.` or `/`, lists with `,`, groups with `(…)`, everything with `*`. Spaces may surround a path.
 * https://developers.google.com/workspace/sheets/api/guides/field-masks
 */
import { fieldOf } from "../api/discovery.ts";
import type { GoogleError } from "../google-errors.ts";
import { badFields, invalid } from "./errors.ts";

/** A tree of names; a leaf (no children) selects all below it. */
export type Mask = ReadonlyMap<string, Mask>;

/** Deeper masks than the API's messages are mistakes or attacks. */
const DEEPEST = 32;

/** Both masks together: a leaf selects all. */
function merged(a: Mask | undefined, b: Mask): Mask {
  if (a === undefined) return b;
  if (a.size === 0 || b.size === 0) return new Map();
  const out = new Map(a);
  for (const [name, child] of b) out.set(name, merged(a.get(name), child));
  return out;
}

/** @throws GoogleError when the text is no mask */
function read(text: string): Mask {
  let rest = text.replaceAll(/ *[,)] *|\( */g, (mark) => mark.trim()).trim();
  const take = (token: RegExp): string | undefined => {
    const found = token.exec(rest)?.[0];
    rest = rest.slice(found?.length ?? 0);
    return found;
  };
  const list = (depth: number): Mask => {
    let tree: Mask | undefined;
    do {
      tree = merged(tree, readPath(depth));
    } while (take(/^,/) !== undefined);
    return tree;
  };
  const readPath = (depth: number): Mask => {
    const name = take(/^(\*|[A-Za-z]\w*)/);
    if (name === undefined || depth > DEEPEST) throw noSuchFields([text]);
    if (take(/^[./]/) !== undefined) return new Map([[name, readPath(depth + 1)]]);
    if (take(/^\(/) === undefined) return new Map([[name, new Map()]]);
    const group = list(depth + 1);
    if (take(/^\)/) === undefined) throw noSuchFields([text]);
    return new Map([[name, group]]);
  };
  const mask = list(0);
  if (rest !== "") throw noSuchFields([text]);
  return mask;
}

function noSuchFields(paths: readonly string[]): GoogleError {
  const violations = paths.map((path) => ({
    field: path,
    description: `Error expanding 'fields' parameter. Cannot find matching fields for path '${path}'.`,
  }));
  return badFields(violations, "Request contains an invalid argument.");
}

/** The paths of a mask that a message does not have. */
function* unknownPaths(mask: Mask, schema: string, before = ""): Generator<string, void> {
  for (const [name, child] of mask) {
    if (name === "*") continue;
    const path = `${before}${name}`;
    const type = fieldOf(schema, name);
    const inner = type?.$ref ?? type?.items?.$ref;
    if (type === undefined) yield path;
    else if (inner !== undefined) yield* unknownPaths(child, inner, `${path}.`);
    else if (child.size > 0) yield `${path}.${[...child.keys()].join()}`;
  }
}

/**
 * Reads the mask of an answer.
 * @param schema the answer's message in Google's discovery document
 * @throws GoogleError with a violation for each name that the message doesn't have
 */
export function parseMask(text: string, schema: string): Mask {
  const mask = read(text);
  const missing = [...unknownPaths(mask, schema)];
  if (missing.length > 0) throw noSuchFields(missing);
  return mask;
}

/**
 * Reads the mask of an update; one with `*` is empty and selects all.
 * @throws GoogleError when it names no field, or one that `schema` doesn't have
 */
export function parseUpdateMask(text: string | null | undefined, schema: string): Mask {
  if (text === undefined || text === null || text === "")
    throw invalid(
      "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)",
    );
  const mask = read(text);
  const [missing] = unknownPaths(mask, schema);
  if (missing !== undefined) throw invalid(`Invalid field: ${missing}`);
  return mask.has("*") ? new Map() : mask;
}

/** The part of a mask below a field; undefined when the mask does not select it. No mask selects everything. */
export function below(mask: Mask | undefined, ...names: readonly string[]): Mask | undefined {
  let at: Mask | undefined = mask ?? new Map();
  for (const name of names) {
    if (at === undefined || at.size === 0) return at;
    at = at.get(name) ?? at.get("*");
  }
  return at;
}

/** Whether a mask selects a field, or something below it. */
export const selects = (mask: Mask | undefined, ...names: readonly string[]): boolean =>
  below(mask, ...names) !== undefined;

/** The part of an answer that a mask selects. Lists keep their length, so that indices stay true. */
export function applyMask(mask: Mask, value: unknown): unknown {
  if (mask.size === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => applyMask(mask, item));
  const kept = Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const child = mask.get(key) ?? mask.get("*");
    return child === undefined ? [] : [[key, applyMask(child, inner)] as const];
  });
  return Object.fromEntries(kept);
}
