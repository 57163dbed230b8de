/** What a method of the API is to the engine. */
import type { Book } from "../book.ts";
import { notFound } from "../errors.ts";
import type { Mask } from "../fieldmask.ts";
import type { Ids } from "../ids.ts";
import type { JsonObject } from "../json.ts";

/** All spreadsheets, and the counter that invented their ids. */
export interface Library {
  readonly books: Map<string, Book>;
  readonly ids: Ids;
}

export interface Call {
  readonly library: Library;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly body: JsonObject;
  /** What the caller wants to see; the engine applies it, a method may use it to build less. */
  readonly mask: Mask | undefined;
}

export interface Method {
  readonly mutates: boolean;
  /** The answer's message in the discovery document. */
  readonly answers: string;
  run(call: Call): JsonObject;
}

/** A query parameter given once; of several the last counts. */
export const queryOf = ({ query }: Call, name: string): string | undefined => query[name]?.at(-1);

export const flagOf = (call: Call, name: string): boolean =>
  /^true$/i.test(queryOf(call, name) ?? "");

/** @throws Refusal 404 */
export function bookOf({ library, path }: Call): Book {
  const book = library.books.get(path["spreadsheetId"] ?? "");
  if (book === undefined) throw notFound();
  return book;
}
