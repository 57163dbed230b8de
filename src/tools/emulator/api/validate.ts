/**
 * The checks of Google's JSON transcoder: which parameters and bodies it refuses, and in which words. Stricter than
 * Google in spelling: names are in camelCase, numbers are numbers, enums are names and lists are not nested.
 * Wordings: recorded answers of the Sheets and Docs APIs.
 */
import type { EngineCall } from "../engine.types.ts";
import { fieldOf, type Method, type Parameter, type Property } from "./discovery.ts";

/** One complaint, as in google.rpc.BadRequest.fieldViolations. */
export interface Violation {
  readonly field?: string;
  readonly description: string;
}

type Violations = Generator<Violation, void>;

const MOST_VIOLATIONS = 100;

/** Characters of a refused value that a message shows. */
const LONGEST_QUOTE = 1_000;

/** Messages of which only one field may be set, and the oneof's name in Google's refusal. */
const ONEOFS: Readonly<Record<string, string>> = {
  Request: "kind",
  ExtendedValue: "value",
  DataFilter: "filter",
};

const SHEETS = "type.googleapis.com/google.apps.sheets.v4";
const PROTOBUF = "type.googleapis.com/google.protobuf";

/** Enums that Google declares outside of a message; all others are named after the message that has the field. */
const SHARED_ENUMS = /^(Dimension|ValueRenderOption|DateTimeRenderOption|ValueInputOption)$/;

const isRecord = (v: unknown): v is Readonly<Record<string, unknown>> =>
  typeof v === "object" && v !== null && !Array.isArray(v);
const isInt32 = (n: number): boolean => Number.isInteger(n) && n >= -(2 ** 31) && n < 2 ** 31;
const isText = (v: unknown): boolean => typeof v === "string";

interface Scalar {
  readonly name: string;
  readonly holds: (value: unknown) => boolean;
}

/** By format or type. */
const SCALARS: Readonly<Record<string, Scalar>> = {
  boolean: { name: "TYPE_BOOL", holds: (v) => typeof v === "boolean" },
  int32: { name: "TYPE_INT32", holds: (v) => typeof v === "number" && isInt32(v) },
  double: { name: "TYPE_DOUBLE", holds: (v) => typeof v === "number" },
  "google-datetime": { name: `${PROTOBUF}.Timestamp`, holds: isText },
  "google-fieldmask": { name: `${PROTOBUF}.FieldMask`, holds: isText },
};
const TEXT: Scalar = { name: "TYPE_STRING", holds: isText };
const scalarOf = ({ format, type }: Property): Scalar => SCALARS[format ?? type ?? ""] ?? TEXT;

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const join = (at: string, name: string): string =>
  at === "" ? snake(name) : `${at}.${snake(name)}`;

/** A refused value or name as messages quote it. */
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

const violation = (at: string, description: string): Violation =>
  at === "" ? { description } : { field: at, description };

const invalidValue = (at: string, type: string, value: unknown): Violation =>
  violation(at, `Invalid value at '${at}' (${type}), ${quoted(value)}`);

const unknownName = (name: string, at: string, why: string): Violation =>
  violation(
    at,
    `Invalid JSON payload received. Unknown name ${quoted(name)}${at === "" ? "" : ` at '${at}'`}: ${why}`,
  );

/** Where a field is: its path, and the message and name that give an enum its own. */
interface Place {
  readonly path: string;
  readonly owner: string;
  readonly name: string;
}

function typeName(property: Property, { owner, name }: Place): string {
  if (property.$ref !== undefined)
    return property.$ref === "Color"
      ? "type.googleapis.com/google.type.Color"
      : `${SHEETS}.${property.$ref}`;
  if (property.type === "array") return `${PROTOBUF}.ListValue`;
  if (property.type === "object") return `${PROTOBUF}.Struct`;
  if (property.enum === undefined) return scalarOf(property).name;
  const bare = capital(name.replace(/^response(?=[A-Z])/, "").replace(/^major(?=[A-Z])/, ""));
  return `${SHEETS}.${SHARED_ENUMS.test(bare) ? bare : `${owner}.${bare}`}`;
}

/**
 * The violations of a message.
 * @param at where the message is in Google's request
 */
export function* inMessage(schema: string, at: string, message: unknown): Violations {
  if (!isRecord(message)) return yield invalidValue(at, `${SHEETS}.${schema}`, message);
  const set: string[] = [];
  for (const [name, value] of Object.entries(message)) {
    const property = fieldOf(schema, name);
    if (property === undefined) yield unknownName(name, at, "Cannot find field.");
    else if (value !== null) {
      set.push(name);
      yield* inField(property, at, { path: join(at, name), owner: schema, name }, value);
    }
  }
  const [oneof, second] = [ONEOFS[schema], set[1]];
  if (oneof !== undefined && second !== undefined)
    yield violation(
      at,
      `Invalid value at '${at}' (oneof), oneof field '${oneof}' is already set. Cannot set '${second}'`,
    );
}

function* inField(property: Property, at: string, place: Place, value: unknown): Violations {
  if (property.type === "array") return yield* inList(property.items ?? {}, place, value);
  if (Array.isArray(value) && property.type !== "any")
    yield unknownName(place.name, at, "Proto field is not repeating, cannot start list.");
  else if (isRecord(value) && /^(string|boolean|integer|number)$/.test(property.type ?? ""))
    yield unknownName(place.name, at, "Starting an object on a scalar field.");
  else yield* inValue(property, place, value);
}

function* inList(items: Property, place: Place, list: unknown): Violations {
  if (!Array.isArray(list)) return yield invalidValue(place.path, typeName(items, place), list);
  for (const [i, item] of list.entries())
    yield* inValue(items, { ...place, path: `${place.path}[${i}]` }, item);
}

function* inValue(property: Property, place: Place, value: unknown): Violations {
  if (property.$ref !== undefined && isRecord(value))
    return yield* inMessage(property.$ref, place.path, value);
  if (!fits(property, value)) yield invalidValue(place.path, typeName(property, place), value);
}

/** Cells may be of any type, and a row of cells may be null. */
function fits(property: Property, value: unknown): boolean {
  if (property.type === "any") return true;
  if (property.type === "array") return Array.isArray(value) || value === null;
  if (property.$ref !== undefined || property.type === "object") return isRecord(value);
  if (property.enum !== undefined) return property.enum.includes(value as string);
  return scalarOf(property).holds(value);
}

/** A parameter's text as the value that it means. Python's clients write True and False into URLs. */
function parsed({ type }: Parameter, text: string): unknown {
  if (type === "integer" && /^-?\d+$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/i.test(text)) return /^true$/i.test(text);
  return text;
}

function* inParameters(method: Method, { path, query }: EngineCall): Violations {
  const owner = capital(method.id.split(".").at(-1) ?? "");
  const known = (name: string): Parameter | undefined =>
    Object.hasOwn(method.parameters, name) ? method.parameters[name] : undefined;
  for (const [name, value] of Object.entries(path)) {
    const parameter = known(name);
    if (parameter !== undefined)
      yield* inValue(parameter, { path: snake(name), owner, name }, parsed(parameter, value));
  }
  for (const [name, values] of Object.entries(query)) {
    const parameter = known(name);
    if (parameter === undefined) yield unknownName(name, "", notBound(name));
    else
      for (const value of parameter.repeated === true ? values : values.slice(-1))
        yield* inValue(parameter, { path: snake(name), owner, name }, parsed(parameter, value));
  }
  const alt = query["alt"]?.at(-1) ?? "json";
  if (alt !== "json" || query["callback"] !== undefined)
    yield { description: `the emulator answers alt=json without callback only, not alt=${alt}` };
}

const notBound = (name: string): string =>
  `Cannot bind query parameter. Field '${name.slice(0, LONGEST_QUOTE)}' could not be found in request message.`;

/** Where a body is in Google's own request message. */
const PREFIXES: Readonly<Record<string, string>> = {
  ValueRange: "data",
  Spreadsheet: "spreadsheet",
};

function* inBody({ request }: Method, body: unknown = {}): Violations {
  if (request === undefined) return;
  if (isRecord(body)) return yield* inMessage(request.$ref, PREFIXES[request.$ref] ?? "", body);
  yield unknownName("", "", "Root element must be a message.");
}

function first(violations: Violations): Violation[] {
  const found: Violation[] = [];
  for (const one of violations) if (found.push(one) === MOST_VIOLATIONS) break;
  return found;
}

/** @returns what Google would say against a call: against its parameters, else against its body. */
export function violationsOf(method: Method, call: EngineCall): readonly Violation[] {
  const found = first(inParameters(method, call));
  return found.length > 0 ? found : first(inBody(method, call.body));
}
