/**
 * Reads faults from specs:
 *
 *   SPECS = SPEC *( ";" SPEC )        SPEC = KIND [ "=" VALUE ] *( "," NAME [ "=" VALUE ] )
 *
 * For example `status=503,method=write,every=3,applied` and `latency=2s,for=1m`.
 */
import { EDITS, isForTokens, KINDS, SELECTION } from "./fault.ts";
import type { Edit, Fault, KindName } from "./fault.ts";
import type { Field } from "./field.ts";

type Fields = Readonly<Record<string, Field<unknown>>>;
type Values = Readonly<Record<string, unknown>>;
/** NAME and VALUE. */
type Part = readonly [string, string | undefined];
type Texts = Map<string, string>;

/** @returns what is wrong with the first spec that is none, or the faults. */
export const parseFaults = (text: string): readonly Fault[] | string => parseAll(text, parseFault);

/** The same for edits alone, which select no calls. */
export const parseEdits = (text: string): readonly Edit[] | string =>
  parseAll(text, (spec) => parseSpec(spec, EDITS, {}) as Edit | string);

function parseAll<T>(text: string, parse: (spec: string) => T | string): readonly T[] | string {
  const found: T[] = [];
  for (const spec of text.split(/[;\n]/).map((part) => part.trim())) {
    if (spec === "") continue;
    const one = parse(spec);
    if (typeof one === "string") return `${spec}: ${one}`;
    found.push(one);
  }
  return found.length === 0 ? "it holds no spec (expected KIND[=VALUE][,NAME=VALUE…])" : found;
}

/** A fault affects one call, unless a field says how many. */
function parseFault(spec: string): Fault | string {
  const values = parseSpec(spec, Object.keys(KINDS), SELECTION);
  if (typeof values === "string") return values;
  const isRepeated = ["times", "every", "chance", "for"].some((name) => name in values);
  const fault = (isRepeated ? values : { ...values, times: 1 }) as Fault;
  return fault.method === "oauth.token" && !isForTokens(fault)
    ? `${fault.kind} does not apply to the token endpoint: name a method of the API`
    : fault;
}

/** @param common the fields that every kind has. */
function parseSpec(spec: string, kinds: readonly string[], common: Fields): Values | string {
  const [head, ...rest] = spec.split(",").map((part) => halves(part.trim())) as [Part, ...Part[]];
  const [kind, value] = head;
  if (!kinds.includes(kind)) return `kind must be one of ${kinds.join(", ")}`;
  const { fields: own, value: main } = KINDS[kind as KindName];
  if (value !== undefined && main === undefined)
    return `${kind} takes no value: write ${kind} alone`;
  const fields: Fields = { ...own, ...common };
  const texts: Texts = new Map(value === undefined ? [] : [[main ?? "", value]]);
  for (const [name, text] of rest) {
    if (!Object.hasOwn(fields, name))
      return `${kind} has no ${name}: it takes ${Object.keys(fields).join(", ")}`;
    if (texts.has(name)) return `${name} is given twice`;
    texts.set(name, text ?? "");
  }
  return readFields(kind, fields, texts);
}

function readFields(kind: string, fields: Fields, texts: Texts): Values | string {
  const values: [string, unknown][] = [["kind", kind]];
  for (const [name, { expected, read, otherwise }] of Object.entries(fields)) {
    const text = texts.get(name);
    const value = text === undefined ? otherwise?.value : read(text);
    if (value !== undefined) values.push([name, value]);
    else if (text !== undefined || otherwise === undefined) return `${name} must be ${expected}`;
  }
  return Object.fromEntries(values);
}

function halves(part: string): Part {
  const at = part.indexOf("=");
  return at < 0 ? [part, undefined] : [part.slice(0, at), part.slice(at + 1)];
}
