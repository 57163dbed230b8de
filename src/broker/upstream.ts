/** What the broker needs of Google, and all that can come of a call. */
import type { Timestamp } from "../base/units.ts";

export type Outcome<T> =
  | { readonly is: "ok"; readonly value: T }
  /** This account may not see the spreadsheet, or its key is not accepted: nothing helps but an operator. */
  | { readonly is: "denied"; readonly message: string }
  /** The quota is used up until then. */
  | { readonly is: "locked"; readonly message: string; readonly until: Timestamp }
  /** 5xx, no answer in time, no connection: it may work later. */
  | { readonly is: "unavailable"; readonly message: string; readonly cause?: "timeout" | "network" }
  /** An answer that is none: not JSON, a redirect, a request that Google does not understand. */
  | { readonly is: "malformed"; readonly message: string }
  /** A range that the spreadsheet does not have, as Google wrote it. */
  | { readonly is: "noRange"; readonly message: string; readonly range: string }
  /** Larger than may be read at once. */
  | { readonly is: "tooLarge"; readonly message: string };

/** The call was not made. */
export const GIVEN_UP = { is: "unavailable", message: "the call was given up before it was made" } as const;

export interface Upstream {
  /** One `values.batchGet`. @param signal gives it up. @returns the `values` of each range, in order, unread. @throws nothing. */
  read(ranges: readonly string[], signal?: AbortSignal): Promise<Outcome<readonly unknown[]>>;
  /** The titles of the spreadsheet's tabs that hold cells, in order. @throws nothing. */
  tabs(): Promise<Outcome<readonly string[]>>;
  /** A tab's title as the spreadsheet spells it, as far as its tabs were ever listed: case and forms of accents may differ. */
  titleOf?(title: string): string;
  close(): void;
}

/** @returns what gives the upstream of each spreadsheet. @param elsewhere makes that of another one; undefined: there is none. */
export function upstreams({
  spreadsheetId,
  upstream,
  elsewhere,
}: {
  readonly spreadsheetId: string;
  readonly upstream: Upstream;
  readonly elsewhere?: (spreadsheetId: string) => Upstream;
}): (id: string) => Upstream {
  const known = new Map([[spreadsheetId, upstream]]);
  return (id) => {
    const own = known.get(id) ?? elsewhere?.(id);
    if (own === undefined) throw new Error(`there is no way to the spreadsheet ${id}`);
    known.set(id, own);
    return own;
  };
}
