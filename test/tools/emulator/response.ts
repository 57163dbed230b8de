/** Whether an answer is what the API's own tables promise: every name known, every value of its type, nothing null. */
import { enums, routes, schemas } from "../../../src/tools/emulator/api/newer.ts";

type Fields = Readonly<Record<string, unknown>>;
const isRecord = (v: unknown): v is Fields =>
  typeof v === "object" && v !== null && !Array.isArray(v);

const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (v) => typeof v === "string",
  datetime: (v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT/.test(v),
  fieldmask: (v) => typeof v === "string",
  boolean: (v) => typeof v === "boolean",
  int32: (v) => typeof v === "number" && Number.isInteger(v) && v >= -(2 ** 31) && v < 2 ** 31,
  number: (v) => typeof v === "number" && Number.isFinite(v),
};

/** A cell in values: what JSON has without structure. */
const isCell = (v: unknown): boolean => ["string", "number", "boolean"].includes(typeof v);

function* inValue(type: string, at: string, value: unknown): Generator<string> {
  if (type === "any[]") {
    if (!Array.isArray(value)) yield `${at}: expected a row, got ${JSON.stringify(value)}`;
    else
      for (const [i, cell] of value.entries())
        if (!isCell(cell)) yield `${at}[${i}]: expected a cell, got ${JSON.stringify(cell)}`;
  } else if (type.endsWith("[]")) {
    if (!Array.isArray(value)) yield `${at}: expected a list, got ${JSON.stringify(value)}`;
    else
      for (const [i, item] of value.entries())
        yield* inValue(type.slice(0, -2), `${at}[${i}]`, item);
  } else if (type.endsWith("{}")) {
    if (!isRecord(value)) yield `${at}: expected a map`;
    else
      for (const [key, item] of Object.entries(value))
        yield* inValue(type.slice(0, -2), `${at}.${key}`, item);
  } else if (type.startsWith("@")) yield* inMessage(type.slice(1), at, value);
  else if (type.startsWith("#")) {
    if (enums[type.slice(1)]?.includes(String(value)) !== true)
      yield `${at}: ${JSON.stringify(value)} is no ${type.slice(1)}`;
  } else if (type !== "any" && SCALARS[type]?.(value) !== true)
    yield `${at}: expected ${type}, got ${JSON.stringify(value)}`;
}

function* inMessage(schema: string, at: string, value: unknown): Generator<string> {
  const fields = schemas.get(schema);
  if (fields === undefined || !isRecord(value))
    return yield `${at}: expected ${schema}, got ${JSON.stringify(value)}`;
  for (const [name, inner] of Object.entries(value)) {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (type === undefined) yield `${at}.${name}: ${schema} has no such field`;
    else yield* inValue(type, `${at}.${name}`, inner);
  }
}

const STATUSES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  404: "NOT_FOUND",
  403: "PERMISSION_DENIED",
};

function* inError(status: number, body: unknown): Generator<string> {
  const error = isRecord(body) ? body["error"] : undefined;
  if (!isRecord(error)) return yield "an error answer has an error";
  if (error["code"] !== status)
    yield `error.code is ${String(error["code"])}, the status ${status}`;
  if (typeof error["message"] !== "string" || error["message"] === "")
    yield "error.message is missing";
  if (STATUSES[status] !== undefined && error["status"] !== STATUSES[status])
    yield `error.status is ${String(error["status"])}`;
}

/** @returns everything in an answer that the API's tables don't know. */
export function strange(
  method: string,
  { status, body }: { status: number; body: unknown },
): readonly string[] {
  if (status !== 200) return [...inError(status, body)];
  const schema = routes.find(({ id }) => id === method)?.response;
  return schema === undefined ? [`${method} is no method`] : [...inMessage(schema, method, body)];
}
