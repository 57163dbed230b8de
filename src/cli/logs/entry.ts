/** A line of the log, read, and whether somebody wants to see it. */
import { objectOf, type Fields } from "../../base/fields.ts";
import type { Timestamp } from "../../base/units.ts";

export const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Level = (typeof LEVELS)[number];
export type { Fields };

/** `fields` undefined: it is no line that drover wrote whole; it is shown as it is. */
export interface Entry {
  readonly text: string;
  readonly fields: Fields | undefined;
}

export interface Wanted {
  readonly level?: Level | undefined;
  readonly worker?: number | undefined;
  readonly request?: string | undefined;
  readonly since?: Timestamp | undefined;
}

/** What comes through `docker compose logs` or syslog has a name or a date before it. */
const PREFIX = /^[^{]{1,200}(?=\{")/;

export function readEntry(text: string): Entry {
  const fields = objectOf(text) ?? objectOf(text.replace(PREFIX, ""));
  return { text, fields };
}

/** Milliseconds since 1970; NaN: it names none. */
export function timeOf({ fields }: Entry): number {
  const time = fields?.["time"];
  return typeof time === "string" ? Date.parse(time) : Number.NaN;
}

/** What can't be judged is shown: a broken line is something to look at. */
export function wants({ level, worker, request, since }: Wanted, entry: Entry): boolean {
  const { fields, text } = entry;
  if (request !== undefined && !(fields === undefined ? text.includes(request) : names(fields, request))) return false;
  if (fields === undefined) return true;
  const rank = LEVELS.indexOf(fields["level"] as Level);
  if (level !== undefined && rank >= 0 && rank < LEVELS.indexOf(level)) return false;
  if (worker !== undefined && !isOf(fields, worker)) return false;
  return since === undefined || !(timeOf(entry) < since);
}

const isOf = ({ role, slot, place }: Fields, worker: number): boolean =>
  (role === "worker" && slot === worker) || place === `worker/${worker}`;

const NAMES = ["id", "requestId", "reqId"] as const;

/** By a field of its own, or among those that were in flight when a worker died. */
function names(fields: Fields, request: string): boolean {
  if (NAMES.some((name) => fields[name] === request)) return true;
  return Object.values(fields).some((value) => Array.isArray(value) && value.some((one) => (one as Fields | null)?.["id"] === request));
}
