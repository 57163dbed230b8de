/** The fields of a profile that drover reads. Others are ignored, and the run names them. */
import type { Fields } from "./profile-fields.ts";

const KNOWN: ReadonlySet<string> = new Set([
  "users",
  "actions",
  "distribution",
  "endpoints",
  "login",
  "stages",
  "think",
  "thresholds",
  "frequency",
  "name",
  "description",
]);
const OF_USERS: ReadonlySet<string> = new Set(["total", "simultaneous", "distribution", "personas"]);
const OF_ACTION: ReadonlySet<string> = new Set(["duration", "requests", "frequency"]);
const OF_PHASE: ReadonlySet<string> = new Set(["duration", "users"]);
const OF_PERSONA: ReadonlySet<string> = new Set(["share", "frequency"]);

/** A field of the profile itself. */
export const isKnown = (name: string): boolean => KNOWN.has(name);

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const others = (value: unknown, known: ReadonlySet<string>, place: string): string[] =>
  Object.keys(fieldsOf(value))
    .filter((name) => !known.has(name))
    .map((name) => (place === "" ? name : `${place}.${name}`));

const inside = (value: unknown, known: ReadonlySet<string>, place: string): string[] =>
  Object.entries(fieldsOf(value)).flatMap(([name, inner]) => others(inner, known, `${place}.${name}`));

/** The places of all fields that drover does not read, in the profile's order. */
export function unusedOf(profile: Fields): string[] {
  const users = fieldsOf(profile["users"]);
  return [
    ...others(profile, KNOWN, ""),
    ...others(users, OF_USERS, "users"),
    ...inside(users["distribution"], OF_PHASE, "users.distribution"),
    ...inside(users["personas"], OF_PERSONA, "users.personas"),
    ...inside(profile["actions"], OF_ACTION, "actions"),
  ];
}
