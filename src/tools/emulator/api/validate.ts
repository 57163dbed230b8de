/**
 * Google's JSON transcoder, as far as clients meet it: which bodies and query parameters it
 * refuses, and in which words. It also normalises as protobuf's JSON mapping does, so that the
 * engine sees one form only: snake_case names, "5" for 5, enum numbers, a single value or nested
 * lists for a list; null, an empty list and an unspecified enum for absent. Wordings: recorded
 * answers of the Sheets and Docs APIs.
 */
import { flattened } from "./lists.ts";
import { enums, schemas } from "./newer.ts";
import type { Fields, Route } from "./generated.ts";

/** One complaint, as in google.rpc.BadRequest.fieldViolations. */
export interface Violation {
  readonly field?: string;
  readonly description: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** More complaints than this about one request help nobody. */
const MOST_VIOLATIONS = 100;

const LONGEST_QUOTE = 1_000;

/** Fields of which a message may carry only one, and the oneof's name in Google's refusal. */
const ONEOFS: Readonly<Record<string, string>> = {
  Request: "kind",
  ExtendedValue: "value",
  DataFilter: "filter",
};

const FOREIGN_TYPES: Readonly<Record<string, string>> = { Color: "google.type.Color" };
const typeName = (schema: string): string =>
  `type.googleapis.com/${FOREIGN_TYPES[schema] ?? `google.apps.sheets.v4.${schema}`}`;
const SCALARS: Readonly<Record<string, string>> = {
  string: "TYPE_STRING",
  boolean: "TYPE_BOOL",
  int32: "TYPE_INT32",
  number: "TYPE_DOUBLE",
  datetime: "type.googleapis.com/google.protobuf.Timestamp",
  fieldmask: "type.googleapis.com/google.protobuf.FieldMask",
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
const isRecord = (v: unknown): v is Readonly<Record<string, unknown>> =>
  typeof v === "object" && v !== null && !Array.isArray(v);

/** A field by its JSON name, or by its name in the .proto file. */
function fieldNamed(fields: Fields, name: string): string | undefined {
  if (Object.hasOwn(fields, name)) return name;
  const candidate = camel(name);
  return candidate !== name && Object.hasOwn(fields, candidate) && snake(candidate) === name
    ? candidate
    : undefined;
}

/** A refused value or name as messages quote it; what a client sent is not sent back by the megabyte. */
function quoted(value: unknown): string {
  let text: string;
  try {
    text =
      JSON.stringify(typeof value === "string" ? value.slice(0, LONGEST_QUOTE) : value) ?? "null";
  } catch {
    text = Array.isArray(value) ? "[…]" : "{…}"; // RangeError: nested deeper than the stack
  }
  return text.length > 2 * LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** Stands for a value that was refused: the refusal is in the list. */
const REFUSED = Symbol("refused");

class Checker {
  readonly violations: Violation[] = [];

  #refuse(field: string, description: string): typeof REFUSED {
    if (this.violations.length < MOST_VIOLATIONS)
      this.violations.push(field === "" ? { description } : { field, description });
    return REFUSED;
  }

  unknownName(name: string, at: string, why = "Cannot find field."): typeof REFUSED {
    const where = at === "" ? "" : ` at '${at}'`;
    return this.#refuse(
      at,
      `Invalid JSON payload received. Unknown name ${quoted(name)}${where}: ${why}`,
    );
  }

  #invalid(at: string, type: string, value: unknown): typeof REFUSED {
    return this.#refuse(at, `Invalid value at '${at}' (${type}), ${quoted(value)}`);
  }

  message(schema: string, at: string, value: unknown): unknown {
    const fields = schemas.get(schema);
    if (fields === undefined || !isRecord(value)) return this.#invalid(at, typeName(schema), value);
    const out: [string, unknown][] = [];
    for (const [given, inner] of Object.entries(value)) {
      const name = fieldNamed(fields, given);
      if (name === undefined) this.unknownName(given, at);
      else if (inner !== null) {
        const read = this.#field(
          fields[name] ?? "any",
          { name: given, at, path: join(at, name) },
          inner,
        );
        if (read !== undefined) out.push([name, read]);
      }
    }
    this.#oneof(schema, at, out);
    return Object.fromEntries(out);
  }

  #oneof(schema: string, at: string, out: readonly (readonly [string, unknown])[]): void {
    const oneof = ONEOFS[schema];
    const second = out[1]?.[0];
    if (oneof === undefined || second === undefined) return;
    this.#refuse(
      at,
      `Invalid value at '${at}' (oneof), oneof field '${oneof}' is already set. Cannot set '${second}'`,
    );
  }

  #field(type: string, where: { name: string; at: string; path: string }, value: unknown): unknown {
    if (type.endsWith("[]")) return this.#list(type.slice(0, -2), where.path, value);
    if (Array.isArray(value) && type !== "any")
      return this.unknownName(
        where.name,
        where.at,
        "Proto field is not repeating, cannot start list.",
      );
    if (type.endsWith("{}")) return this.#map(type.slice(0, -2), where.path, value);
    if (isRecord(value) && SCALARS[type] !== undefined)
      return this.unknownName(where.name, where.at, "Starting an object on a scalar field.");
    const read = this.value(type, where.path, value);
    return type.startsWith("#") && typeof read === "string" && read.endsWith("_UNSPECIFIED")
      ? undefined
      : read;
  }

  /** @returns undefined for an empty list: protobuf can't tell it from an absent one. */
  #list(type: string, at: string, value: unknown): unknown {
    if (!Array.isArray(value)) return [this.value(type, at, value)];
    const items = isCells(type) ? value : flattened(value);
    return items.length === 0
      ? undefined
      : items.map((item, i) => this.value(type, `${at}[${i}]`, item));
  }

  #map(type: string, at: string, value: unknown): unknown {
    if (!isRecord(value))
      return this.#invalid(at, "type.googleapis.com/google.protobuf.Struct", value);
    return Object.fromEntries(
      Object.entries(value).map(([k, v], i) => [k, this.value(type, `${at}[${i}].value`, v)]),
    );
  }

  value(type: string, at: string, value: unknown): unknown {
    if (type === "any") return value;
    if (type === "any[]") return this.#row(at, value);
    if (type.startsWith("@")) return this.message(type.slice(1), at, value);
    if (type.startsWith("#")) return this.#enum(type.slice(1), at, value);
    const parsed = parseScalar(type, value);
    return parsed === undefined ? this.#invalid(at, SCALARS[type] ?? type, value) : parsed;
  }

  /** One row of cells: a google.protobuf.ListValue, whose null is an empty list. */
  #row(at: string, value: unknown): unknown {
    if (value === null) return [];
    return Array.isArray(value)
      ? value
      : this.#invalid(at, "type.googleapis.com/google.protobuf.ListValue", value);
  }

  #enum(name: string, at: string, value: unknown): unknown {
    const values = enums[name] ?? [];
    if (typeof value === "number" && values[value] !== undefined) return values[value];
    return typeof value === "string" && values.includes(value)
      ? value
      : this.#invalid(at, typeName(name), value);
  }
}

/** Cells and rows of cells: JSON values of any kind. Lists and null count in them. */
const isCells = (type: string): boolean => type.startsWith("any");

const join = (at: string, name: string): string =>
  at === "" ? snake(name) : `${at}.${snake(name)}`;

/** @returns the value in the form the engine gets, or undefined when it is none of this type. */
function parseScalar(type: string, value: unknown): unknown {
  switch (type) {
    case "boolean":
      return typeof value === "boolean"
        ? value
        : value === "true"
          ? true
          : value === "false"
            ? false
            : undefined;
    case "int32": {
      const n = numeric(value);
      return n !== undefined && Number.isInteger(n) && n >= -(2 ** 31) && n < 2 ** 31
        ? n
        : undefined;
    }
    case "number":
      return numeric(value);
    default:
      return typeof value === "string" ? value : undefined;
  }
}

function numeric(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return undefined;
  const n = Number(value);
  return Number.isFinite(n) ? n : undefined;
}

/**
 * Checks a body against a method's request schema.
 * @param prefix where the body stands in Google's own request message: "data" for values.update, "" when it is the message.
 * @returns the body in the one form the engine gets, or what Google would say against it.
 */
export function checkBody(schema: string, prefix: string, body: unknown): Checked<unknown> {
  const checker = new Checker();
  if (!isRecord(body)) {
    const description =
      'Invalid JSON payload received. Unknown name "": Root element must be a message.';
    return { ok: false, violations: [{ description }] };
  }
  const value = checker.message(schema, prefix, body);
  return checker.violations.length === 0
    ? { ok: true, value }
    : { ok: false, violations: checker.violations };
}

/** Python's clients write True and False into URLs, and Google takes them. */
const lowered = (value: string): string =>
  /^(true|false)$/i.test(value) ? value.toLowerCase() : value;

/** A method's query: every name known, every value of its type; booleans and enums in their one spelling. */
export function checkQuery(
  route: Route,
  query: ReadonlyMap<string, readonly string[]>,
): Checked<Readonly<Record<string, readonly string[]>>> {
  const checker = new Checker();
  const out: [string, readonly string[]][] = [];
  for (const [given, values] of query) {
    const name = fieldNamed(route.query, given);
    if (name === undefined) {
      checker.unknownName(
        given,
        "",
        `Cannot bind query parameter. Field '${given.slice(0, LONGEST_QUOTE)}' could not be found in request message.`,
      );
      continue;
    }
    const type = route.query[name] ?? "string";
    const single = type.endsWith("[]") ? type.slice(0, -2) : type;
    const kept = type === single ? values.slice(-1) : values;
    out.push([
      name,
      kept.map((v) =>
        String(checker.value(single, snake(name), single === "boolean" ? lowered(v) : v)),
      ),
    ]);
  }
  return checker.violations.length === 0
    ? { ok: true, value: Object.fromEntries(out) }
    : { ok: false, violations: checker.violations };
}

/** The path parameters that are numbers: Google refuses others before it looks for anything. */
export function checkPath(
  route: Route,
  path: Readonly<Record<string, string>>,
): Checked<Readonly<Record<string, string>>> {
  const checker = new Checker();
  for (const [name, value] of Object.entries(path))
    checker.value(route.params[name] ?? "string", snake(name), value);
  return checker.violations.length === 0
    ? { ok: true, value: path }
    : { ok: false, violations: checker.violations };
}
