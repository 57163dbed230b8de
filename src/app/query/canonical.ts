/** Names for what a query selects: equal for equal selections, whatever order the client wrote its filters in. */
import { createHash } from "node:crypto";
import type { Filter, SortKey } from "./model.ts";

/** @returns 11 characters (64 bits of SHA-256, base64url) over table, filters and sort; limit and cursor have no part. */
export function selectionOf(table: string, filters: readonly Filter[], sort: readonly SortKey[]): string {
  const ordered = filters
    .map((filter) => JSON.stringify([filter.column, filter.operator, filter.wanted.map((wanted) => wanted.text)]))
    .sort((a, b) => (a < b ? -1 : 1));
  return digest(JSON.stringify([table, ordered, sort.map((key) => [key.column, key.descending])]), 8);
}

/** @returns the first `size` bytes of the text's SHA-256 in base64url. */
export function digest(text: string | Uint8Array, size: number): string {
  return createHash("sha256").update(text).digest().subarray(0, size).toString("base64url");
}
