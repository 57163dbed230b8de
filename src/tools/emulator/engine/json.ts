/**
 * Reading JSON that nobody may have checked. As in protobuf's JSON mapping null is absent, and numbers may come as strings.
 */
import { badFields } from "./errors.ts";

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const refuse = (at: string, type: string, value: unknown) => {
  const description = `Invalid value at '${at}' (${type}), ${JSON.stringify(value) ?? "null"}`;
  return badFields([{ field: at, description }]);
};

/** The object under `key`; an absent one is empty. */
export function objectAt(from: JsonObject, key: string): JsonObject {
  return optionalObject(from, key) ?? {};
}

export function optionalObject(from: JsonObject, key: string): JsonObject | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw refuse(key, "message", value);
  return value;
}

function listAt(from: JsonObject, key: string): readonly Json[] {
  const value = from[key];
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function objectsAt(from: JsonObject, key: string): readonly JsonObject[] {
  return listAt(from, key).map((item, i) => {
    if (!isObject(item)) throw refuse(`${key}[${i}]`, "message", item);
    return item;
  });
}

export function stringsAt(from: JsonObject, key: string): readonly string[] {
  return listAt(from, key).map((item, i) => {
    if (typeof item !== "string") throw refuse(`${key}[${i}]`, "TYPE_STRING", item);
    return item;
  });
}

/** @returns undefined when absent. */
export function intAt(from: JsonObject, key: string): number | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  const n = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof n !== "number" || !Number.isInteger(n) || Math.abs(n) > 2 ** 31)
    throw refuse(key, "TYPE_INT32", value);
  return n;
}

export function stringAt(from: JsonObject, key: string): string | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw refuse(key, "TYPE_STRING", value);
  return value;
}

/** The text under `key`, "" for none: for what the engine stored itself. */
export const textAt = (from: JsonObject, key: string): string => stringAt(from, key) ?? "";

export const isTrue = (from: JsonObject, key: string): boolean =>
  from[key] === true || from[key] === "true";

/** A copy without the keys whose value is undefined, null, false, 0, "" or an empty list: protobuf's defaults. */
export function withoutDefaults(from: JsonObject): JsonObject {
  const kept = Object.entries(from).filter(
    ([, v]) =>
      v !== undefined &&
      v !== null &&
      v !== false &&
      v !== 0 &&
      v !== "" &&
      !(Array.isArray(v) && v.length === 0),
  );
  return Object.fromEntries(kept);
}

/** A copy without undefined and null values. */
export function present(from: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([, v]) => v !== undefined && v !== null));
}
