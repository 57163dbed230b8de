/** What a method of the API is to the engine: a pure function to an answer and, for a write, the next spreadsheet. */
import type { Mask } from "./field-mask.ts";
import type { Change, Spreadsheet } from "./spreadsheet.ts";

type Query = Readonly<Record<string, readonly string[]>>;

export interface MethodCall {
  readonly spreadsheet: Spreadsheet;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Query;
  /** As the method's message: it was checked before. */
  readonly body: object;
  /** The fields that the caller wants. The engine applies it; a method may use it to build less. */
  readonly mask: Mask | undefined;
}

/** By id. A method throws GoogleError for a call that Google would refuse. */
export type ReadMethods = Readonly<Record<string, (call: MethodCall) => object>>;
export type WriteMethods = Readonly<Record<string, (call: MethodCall) => Change<object>>>;

/** A query parameter given once; of several the last counts. */
export const last = (query: Query, name: string): string | undefined => query[name]?.at(-1);

export const flag = (query: Query, name: string): boolean =>
  /^true$/i.test(last(query, name) ?? "");

/** A field of an answer, left out when the list is empty. */
export const listed = (name: string, list: readonly unknown[]): object =>
  list.length === 0 ? {} : { [name]: list };
