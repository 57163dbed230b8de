/** Where a question to a table is answered: a slice and a small table on the loop, a large one in a thread. */
import { ownModule } from "../base/place.ts";
import type { TableView } from "../sheets/client.ts";
import type { Query } from "./query/model.ts";
import { isSlice, selectPage, type Page } from "./query/page.ts";
import { rowsOf } from "./query/rows.ts";
import type { Task } from "./query/thread.ts";
import type { Threads } from "../worker/app.ts";

/** From so many rows on, a query that reads the whole table leaves the loop: below, handing it over costs more than it saves. */
export const THREAD_ROWS = 5_000;
/** The same for few rows of long texts. */
export const THREAD_BYTES = 1_048_576;

const MODULE = ownModule("app/query/thread");

/** @throws what `threads.run` throws: its queue is full, or the signal aborts. */
export async function pageOf(view: TableView, query: Query, threads: Threads, signal: AbortSignal): Promise<Page> {
  const rows = rowsOf(view.snapshot, view.head.hash);
  if (isSlice(query, rows) || !isLarge(view)) return selectPage(rows, query);
  return await threads.run<Page>(MODULE, { do: "page", ...shared(view), query } satisfies Task, { signal });
}

/** @returns the place of the row with this key, or undefined. @throws as `pageOf`. */
export async function placeOf(view: TableView, key: string, threads: Threads, signal: AbortSignal): Promise<number | undefined> {
  const { snapshot } = view;
  const place = isLarge(view)
    ? await threads.run<number>(MODULE, { do: "find", ...shared(view), key } satisfies Task, { signal })
    : snapshot.indexOfKey(key);
  if (place === undefined || place < 0) return undefined;
  // An empty key cell is no key: "null" must not find it.
  return snapshot.key !== undefined && snapshot.row(place)?.[snapshot.key] === null ? undefined : place;
}

const isLarge = ({ snapshot }: TableView) => snapshot.rowCount >= THREAD_ROWS || snapshot.buffer.byteLength >= THREAD_BYTES;
const shared = (view: TableView) => ({ hash: view.head.hash, bytes: view.snapshot.buffer });
