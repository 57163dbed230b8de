/** The work of a pool's thread: what reads a whole table, on tables too large for the loop. */
import { keptSnapshot } from "./kept.ts";
import type { Query } from "./model.ts";
import { selectPage, type Page } from "./page.ts";
import { rowsOf } from "./rows.ts";

export type Task =
  | { readonly do: "page"; readonly hash: string; readonly bytes: ArrayBufferLike; readonly query: Query }
  | { readonly do: "find"; readonly hash: string; readonly bytes: ArrayBufferLike; readonly key: string };

/**
 * @returns the page with its bytes copied out of shared memory, or the row's place (-1: no such key).
 * The default export is piscina's contract.
 */
export default function work(task: Task): Page | number {
  const snapshot = keptSnapshot(task.hash, task.bytes);
  if (task.do === "find") return snapshot.indexOfKey(task.key) ?? -1;
  const page = selectPage(rowsOf(snapshot, task.hash), task.query);
  return { ...page, rows: Uint8Array.from(page.rows) };
}
