/** What another process has said is input: a message is looked at field by field, and one that is not exactly what it should be is none. */

/** A message of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** A reader for each type of message: a type without one, or with one of another type, does not compile. */
export type Readers<T extends { type: string }> = { [K in T["type"]]: (m: Fields) => Extract<T, { type: K }> | undefined };

/** Whether it has fields: an object, and no array. */
export const record = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v);

/** @returns no entries for what is no list: Lua has one form for an empty list and an empty object. */
export const listOf = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);

/** @returns the object that a line of text is, or undefined: it is torn, of something else, or no JSON. */
export function objectOf(line: string): Fields | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return record(value) ? value : undefined;
  } catch {
    return undefined; // SyntaxError: the caller takes it as text
  }
}

/** Whether it is a finite number, 0 or more. */
export const count = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v) && v >= 0;

/** Whether it is a string of at most so many characters. */
export const text = (v: unknown, most = 200): v is string => typeof v === "string" && v.length <= most;

/** @returns the message as the reader of its type has it, or undefined when it is none of them. */
export function read<T extends { type: string }>(readers: Readers<T>, raw: unknown): T | undefined {
  if (!record(raw)) return undefined;
  const { type } = raw;
  if (typeof type !== "string" || !Object.hasOwn(readers, type)) return undefined;
  return readers[type as T["type"]](raw);
}
