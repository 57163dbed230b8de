/** Changes of a row that must be the user's own: whose it is when it is written counts, not whose it was when it was looked at. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TableView } from "../../sheets/client.ts";
import { rowBody, rowTag, type Row } from "../../sheets/snapshot.ts";
import type { Change, WriteAnswer, WriteRequest, WriteWait } from "../../sheets/writes.ts";
import type { Threads } from "../../worker/app.ts";
import { placeOf } from "../select.ts";
import type { AppServices } from "../services.ts";
import { owns } from "../session/own.ts";
import { CHANGED } from "./answers.ts";
import type { Condition } from "./conditions.ts";

/** How often a row may change under our hands. */
const TRIES = 4;
/** For the change to reach this worker. */
const PAUSE = 25;
/** No row's: the broker says whether it knows the request already, and else refuses. */
const NO_TAG = "";

export interface OwnWrite {
  readonly asked: Pick<WriteRequest, "table" | "once">;
  readonly change: Exclude<Change, { op: "append" }>;
  readonly condition: Condition;
  readonly owner: string;
  readonly wait: WriteWait;
}

/**
 * Writes under the condition that the row is still the one that was the user's.
 * @returns a refusal for `unknown-key` when the row is somebody else's, or not there: which of the two is not told.
 */
export async function writeOwn(
  { asked, change, condition, owner, wait }: OwnWrite,
  { tables, threads }: AppServices,
  signal: AbortSignal,
): Promise<WriteAnswer> {
  const unknown: WriteAnswer = { is: "refused", refusal: { reason: "unknown-key", message: "no such row" } };
  for (let nr = 1; ; nr += 1) {
    const view = await tables.table(asked.table, signal);
    const found = await rowOf(view, change.key, threads, signal);
    const tag = found !== undefined && owns(found.row, view.info, owner) ? found.tag : undefined;
    const wanted = condition.is === "any" || (tag !== undefined && condition.tags.includes(tag)) ? tag : NO_TAG;
    const answer = await tables.write({ ...asked, changes: [{ ...change, ifMatch: wanted ?? NO_TAG }] }, wait, signal);
    const conflict = answer.is === "refused" && answer.refusal.reason === "conflict";
    if (tag === undefined) return conflict ? unknown : answer;
    if (!conflict) return answer;
    if (wanted !== tag || nr === TRIES) return { is: "refused", refusal: { reason: "conflict", message: CHANGED.detail } };
    await sleep(PAUSE, undefined, { signal });
  }
}

/** @returns a row and its tag, by key. */
export async function rowOf(
  view: TableView,
  key: string,
  threads: Threads,
  signal: AbortSignal,
): Promise<{ readonly row: Row | undefined; readonly tag: string } | undefined> {
  const place = await placeOf(view, key, threads, signal);
  if (place === undefined) return undefined;
  const body = rowBody(view.info.name, view.snapshot.rowSlice(place, place + 1));
  return { row: view.snapshot.row(place), tag: rowTag(body) };
}
