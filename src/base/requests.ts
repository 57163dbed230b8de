import type { Ms } from "./units.ts";

/** A request that is being answered, as a death record names it. The query is left out: it may hold what must not be logged. */
export interface RequestInFlight {
  readonly method: string;
  readonly path: string;
  readonly age: Ms;
  /** The X-Request-Id of its answer, or empty: it has none yet. */
  readonly id: string;
}

/** The oldest so many are told: a list that says what hangs, not what is busy. */
export const MOST_REQUESTS = 8;
const LONGEST_PATH = 200;
const LONGEST_METHOD = 32;
const LONGEST_ID = 100;

/** What a worker calls itself by for the debugger: a function on its global object that gives the list above. */
export const IN_FLIGHT = "drover.inFlight";

/** One request, its texts cut to their bounds. `path` is without a query. */
export const requestInFlight = (method: string, path: string, age: Ms, id: string): RequestInFlight => ({
  method: method.slice(0, LONGEST_METHOD),
  path: path.slice(0, LONGEST_PATH),
  age,
  id: id.slice(0, LONGEST_ID),
});

/** Reads a list that came from a child, which runs application code. @returns undefined when it is not one within the bounds. */
export function readRequests(raw: unknown): readonly RequestInFlight[] | undefined {
  if (!Array.isArray(raw) || raw.length > MOST_REQUESTS) return undefined;
  const list = raw.map(readRequest);
  return list.every((one) => one !== undefined) ? list : undefined;
}

function readRequest(raw: unknown): RequestInFlight | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { method, path, age, id } = raw as Record<string, unknown>;
  if (!text(method, LONGEST_METHOD) || !text(path, LONGEST_PATH) || !text(id, LONGEST_ID)) return undefined;
  if (typeof age !== "number" || !Number.isFinite(age) || age < 0) return undefined;
  return { method, path, age: Math.round(age) as Ms, id };
}

const text = (raw: unknown, most: number): raw is string => typeof raw === "string" && raw.length <= most;
