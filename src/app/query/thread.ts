/** The work of a pool's thread: what reads a whole table, on tables too large for the loop. */
import { Snapshot } from "../../sheets/snapshot.ts";
import type { Query } from "./model.ts";
import { selectPage, type Page } from "./page.ts";
import { rowsOf } from "./rows.ts";

export type Task =
  | { readonly do: "page"; readonly hash: string; readonly bytes: ArrayBufferLike; readonly query: Query }
  | { readonly do: "find"; readonly hash: string; readonly bytes: ArrayBufferLike; readonly key: string };

/** Tables kept parsed, the last used at the end: a popular one is not parsed again for every question. */
const KEPT = 2;
const parsed = new Map<string, Snapshot>();

function snapshotOf(task: Task): Snapshot {
  const snapshot = parsed.get(task.hash) ?? new Snapshot(task.bytes);
  parsed.delete(task.hash);
  parsed.set(task.hash, snapshot);
  for (const oldest of parsed.keys()) {
    if (parsed.size <= KEPT) break;
    parsed.delete(oldest);
  }
  return snapshot;
}

/**
 * @returns the page with its bytes copied out of shared memory, or the row's place (-1: no such key).
 * The default export is piscina's contract.
 */
export default function work(task: Task): Page | number {
  const snapshot = snapshotOf(task);
  if (task.do === "find") return snapshot.indexOfKey(task.key) ?? -1;
  const page = selectPage(rowsOf(snapshot, task.hash), task.query);
  return { ...page, rows: Uint8Array.from(page.rows) };
}
