/**
 * Faults in one line, for command lines:
 *
 *   SPECS = SPEC *( ";" SPEC )        SPEC = KIND [ "=" VALUE ] *( "," NAME [ "=" VALUE ] )
 *
 * `status=503,method=write,every=3,applied` · `latency=2s,for=1m` · `late=170s,method=batchUpdate`. KIND's own value is its
 * main field, a NAME alone is true. Values: numbers, durations (`500ms`, `2s`, `3m`, `1h`), sizes (`64KB`, `100MB`), words.
 */
import type { Edit, Fault } from "./fault-kinds.ts";
import { KINDS, mainField, readEdit, readFault } from "./fault-read.ts";

const DURATION: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZE: Readonly<Record<string, number>> = {
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};
/** Fields whose values are words, whatever they look like. */
const WORDS: ReadonlySet<string> = new Set([
  "tab",
  "to",
  "value",
  "message",
  "answer",
  "at",
  "column",
  "method",
  "location",
]);

/** A row is a number also where its field is a word of another kind: `to` of move. */
function valueOf(kind: string, name: string, text: string): unknown {
  if (WORDS.has(name) && !(kind === "move" && name === "to")) return text;
  if (text === "true" || text === "false") return text === "true";
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === "" ? 1 : (DURATION[unit] ?? SIZE[unit]);
  return digits === undefined || factor === undefined ? text : Number(digits) * factor;
}

/** One line as the object that it stands for, or what is wrong with it. */
function fieldsOf(spec: string): Readonly<Record<string, unknown>> | string {
  const [head = "", ...rest] = spec.split(",").map((part) => part.trim());
  const [kind, main] = halves(head);
  const fields: [string, unknown][] = [["kind", kind]];
  const name = mainField(kind);
  if (main !== undefined && name === undefined && KINDS.includes(kind))
    return `${kind} takes no value: write ${kind} alone`;
  if (main !== undefined && name !== undefined) fields.push([name, valueOf(kind, name, main)]);
  for (const part of rest) {
    const [key, value] = halves(part);
    if (fields.some(([known]) => known === key)) return `${key} is given twice`;
    fields.push([key, value === undefined ? true : valueOf(kind, key, value)]);
  }
  return Object.fromEntries(fields);
}

function halves(part: string): [string, string | undefined] {
  const at = part.indexOf("=");
  return at < 0 ? [part, undefined] : [part.slice(0, at), part.slice(at + 1)];
}

/** @returns the faults of one or several specs, or what is wrong with the first that is none. */
export function readFaultSpecs(text: string): readonly Fault[] | string {
  return readAll(text, readFault);
}

/** @returns edits of one or several specs, or what is wrong with the first that is none. */
export function readEditSpecs(text: string): readonly Edit[] | string {
  return readAll(text, readEdit);
}

function readAll<T extends object>(
  text: string,
  read: (fields: unknown) => T | string,
): readonly T[] | string {
  const found: T[] = [];
  for (const spec of text.split(/[;\n]/).filter((part) => part.trim() !== "")) {
    const fields = fieldsOf(spec.trim());
    const one = typeof fields === "string" ? fields : read(fields);
    if (typeof one === "string") return `${spec.trim()}: ${one}`;
    found.push(one);
  }
  return found.length === 0 ? "there is no fault in it: write KIND[=VALUE][,NAME=VALUE…]" : found;
}
