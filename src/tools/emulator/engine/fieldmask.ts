/**
 * Field masks, of answers (`fields=sheets(data/rowData,properties.title)`) and of updates (`gridProperties/rowCount`):
 * paths with `.` or `/`, lists with `,`, groups with `(…)`, everything with `*`. Names may be in
 * snake_case; spaces may surround a path.
 * https://developers.google.com/workspace/sheets/api/guides/field-masks
 */
import { fieldOf } from "../api/discovery.ts";
import { invalid, Refusal } from "./errors.ts";
import { type Json, type JsonObject, isObject } from "./json.ts";

/** A tree of names; a leaf (no children) selects all below it. */
export type Mask = ReadonlyMap<string, Mask>;
type Tree = Map<string, Tree>;

export const EVERYTHING: Mask = new Map();

/** Deeper masks than the API's messages are mistakes or attacks. */
const DEEPEST = 32;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Tree {
    const tree = this.#list(0);
    if (this.#at < this.#text.length) throw bad(this.#text);
    return tree;
  }

  #list(depth: number): Tree {
    const tree: Tree = new Map();
    do {
      this.#skipSpaces();
      const [name, child] = this.#path(depth);
      this.#skipSpaces();
      const known = tree.get(name);
      tree.set(name, known === undefined ? child : both(known, child));
    } while (this.#take(","));
    return tree;
  }

  #path(depth: number): [string, Tree] {
    if (depth > DEEPEST) throw bad(this.#text);
    const name = this.#name();
    if (this.#take("(")) {
      const group = this.#list(depth + 1);
      if (!this.#take(")")) throw bad(this.#text);
      return [name, group];
    }
    return [
      name,
      this.#take(".") || this.#take("/") ? new Map([this.#path(depth + 1)]) : new Map(),
    ];
  }

  #name(): string {
    const name = /^(\*|[A-Za-z_][A-Za-z0-9_]*)/.exec(
      this.#text.slice(this.#at, this.#at + 200),
    )?.[0];
    if (name === undefined) throw bad(this.#text);
    this.#at += name.length;
    return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === " ") this.#at += 1;
  }

  #take(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }
}

/** What two masks select together: a leaf selects all. */
function both(a: Tree, b: Tree): Tree {
  if (a.size === 0 || b.size === 0) return new Map();
  const out = new Map(a);
  for (const [name, child] of b) {
    const known = out.get(name);
    out.set(name, known === undefined ? child : both(known, child));
  }
  return out;
}

function bad(...paths: readonly string[]): Refusal {
  const violations = paths.map((path) => ({
    field: path,
    description: `Error expanding 'fields' parameter. Cannot find matching fields for path '${path}'.`,
  }));
  return new Refusal(400, "Request contains an invalid argument.", violations);
}

/**
 * Reads the mask of an answer.
 * @param schema the answer's message in Google's discovery document
 * @throws Refusal with a violation for a name that the message doesn't have
 */
export function parseMask(text: string, schema: string): Mask {
  const mask = new Parser(text).all();
  const missing = [...unknownPaths(mask, schema, "")];
  if (missing.length === 0) return mask;
  throw bad(...missing);
}

/** The paths of a mask that lead nowhere in `schema`. */
function* unknownPaths(mask: Mask, schema: string, before: string): Generator<string> {
  for (const [name, child] of mask) {
    const path = before === "" ? name : `${before}.${name}`;
    if (name === "*") continue;
    const type = fieldOf(schema, name);
    if (type === undefined) yield path;
    else if (child.size > 0 && type.additionalProperties === undefined) {
      const inner = type.$ref ?? type.items?.$ref;
      if (inner === undefined) yield `${path}.${[...child.keys()][0] ?? ""}`;
      else yield* unknownPaths(child, inner, path);
    }
  }
}

/** The part of a mask below a name; undefined when the mask doesn't select it. An absent mask selects everything. */
export function below(mask: Mask | undefined, ...names: readonly string[]): Mask | undefined {
  let at: Mask | undefined = mask ?? EVERYTHING;
  for (const name of names) {
    if (at === undefined || at.size === 0) return at;
    at = at.get(name) ?? at.get("*");
  }
  return at;
}

/** What a mask selects of an answer. Lists keep their length, so that indices stay true. */
export function applyMask(mask: Mask, value: Json): Json {
  if (mask.size === 0) return value;
  if (Array.isArray(value)) return value.map((item: Json) => applyMask(mask, item));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, inner]) => {
    const child = mask.get(key) ?? mask.get("*");
    return child === undefined || inner === undefined
      ? []
      : [[key, applyMask(child, inner)] as const];
  });
  return Object.fromEntries(kept);
}

/**
 * Reads the mask of an update.
 * @throws Refusal when it is empty or names a field that `schema` doesn't have
 */
export function parseUpdateMask(text: string | undefined, schema: string): Mask {
  if (text === undefined || text === "")
    throw invalid(
      "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)",
    );
  const mask = new Parser(text).all();
  const missing = unknownPaths(mask, schema, "").next().value;
  if (typeof missing !== "string") return mask.has("*") ? EVERYTHING : mask;
  throw invalid(`Invalid field: ${missing}`);
}

/** The target with every field that the mask names taken from the source; a field that the source lacks is cleared. */
export function update(target: JsonObject, source: JsonObject, mask: Mask): JsonObject {
  if (mask.size === 0) return source;
  const out: Record<string, Json | undefined> = { ...target };
  for (const [name, child] of mask) {
    if (name === "*") return source;
    const next = source[name];
    if (child.size === 0) out[name] = next;
    else {
      const [old, fresh] = [out[name], next];
      out[name] = update(isObject(old) ? old : {}, isObject(fresh) ? fresh : {}, child);
    }
    const kept = out[name];
    if (
      kept === undefined ||
      kept === null ||
      (isObject(kept) && child.size > 0 && Object.keys(kept).length === 0)
    )
      delete out[name];
  }
  return out;
}
