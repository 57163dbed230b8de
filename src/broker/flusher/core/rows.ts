/**
 * Values of rows that stand in the sheet, by `values.batchUpdateByDataFilter` on their tags. An absolute value needs no fence against
 * landing twice. Against landing late, over a newer value, the tag is its fence: after an attempt whose end is not known its tags are
 * removed, and the rows pinned under new ones, before anything is written to them; what lands then finds no row.
 */
import { holdsKey, keyColumn, writtenRow } from "./cells.ts";
import { rowsIn } from "./answer.ts";
import type { HandlerOf, Job, RowChange, State, World } from "./model.ts";
import { rowName } from "./queue.ts";
import { dropTag, failed, finish, hold, keepTag, locatedIn, parkedWith, renewTag, settle, settlement, trouble, worked } from "./steps.ts";

const encoder = new TextEncoder();

export function writingJob(rows: readonly RowChange[]): Job {
  const data = rows.map(({ tag, layout, values }) => ({
    dataFilter: { developerMetadataLookup: { metadataId: tag.id } },
    majorDimension: "ROWS",
    values: [writtenRow(layout, values)],
  }));
  const shown = { responseValueRenderOption: "UNFORMATTED_VALUE", responseDateTimeRenderOption: "FORMATTED_STRING" };
  const body = { valueInputOption: "RAW", includeValuesInResponse: true, ...shown, data };
  return { is: "writing", rows, body: encoder.encode(JSON.stringify(body)) };
}

export const writing: HandlerOf<"writing"> = {
  go: (job, state, world) =>
    hold(world.mayWrite, state, world) ?? { do: "write", body: job.body, lsns: job.rows.flatMap((row) => row.lsns) },
  on(job, event, state, world) {
    if (event.type !== "answered") return;
    const { outcome } = event;
    switch (outcome.is) {
      case "ok":
        worked(state);
        return landed(job.rows, rowsIn(outcome.value), state, world);
      case "refused":
        worked(state);
        return refused(job.rows, outcome.message, state, world);
      case "locked":
      case "denied":
        failed(outcome, state, world);
        return finish(state); // nothing was done: what waits is looked at anew
      default:
        for (const { tag } of job.rows) renewTag(state, tag);
        failed(outcome, state, world);
        return finish(state);
    }
  },
};

function landed(rows: readonly RowChange[], found: ReadonlyMap<number, readonly unknown[]>, state: State, world: World): void {
  const lsns: number[] = [];
  for (const { tag, layout, lsns: these, values } of rows) {
    const row = found.get(tag.id);
    const given = Object.hasOwn(values, layout.key) ? values[layout.key] : tag.key;
    const isHere = row !== undefined && holdsKey(emptyAsNull(row[keyColumn(layout)]), given === null ? "" : String(given));
    if (isHere) {
      lsns.push(...these);
      if (given === tag.key) keepTag(state, { ...tag, seenAt: world.now });
      else dropTag(state, tag);
      if (given !== tag.key) locatedIn(state, tag.table).rows.delete(tag.key);
      continue;
    }
    if (row === undefined) state.tags.delete(rowName(tag));
    else {
      dropTag(state, tag);
      state.stats.astray += 1;
    }
    lost(tag, state, world);
  }
  if (lsns.length > 0) settle(state, undefined, settlement(world, { landed: lsns }));
  else finish(state);
}

const emptyAsNull = (cell: unknown): unknown => (cell === "" ? null : cell);

/** The row is not where it was thought to be. */
export function lost(row: { readonly table: string; readonly key: string }, state: State, world: World): void {
  locatedIn(state, row.table).rows.delete(row.key);
  trouble(state, rowName(row), { lost: true }, world);
}

/** One of the rows is at fault: they are halved until it stands alone. */
function refused(rows: readonly RowChange[], reason: string, state: State, world: World): void {
  const [only] = rows;
  const lsns = rows.length === 1 ? (only?.lsns ?? []).map((lsn) => [lsn]) : rows.map((row) => row.lsns);
  if (only === undefined) return finish(state);
  if (lsns.length > 1) {
    const half = lsns.length >> 1;
    state.pieces = cut(state.pieces, lsns.slice(0, half).flat(), lsns.slice(half).flat());
    return finish(state);
  }
  const [lsn = 0] = only.lsns;
  if (state.troubles.get(rowName(only.tag))?.refused === true) {
    return settle(state, undefined, settlement(world, { parked: parkedWith(state, lsn, reason) }));
  }
  dropTag(state, only.tag); // the row may be gone: it is looked up and pinned once more before its value is blamed
  locatedIn(state, only.tag.table).rows.delete(only.tag.key);
  trouble(state, rowName(only.tag), { lost: true, refused: true }, world);
  finish(state);
}

/** The pieces with these lsns taken out of them, and the two parts before them. */
export function cut(pieces: readonly (readonly number[])[], ...parts: readonly (readonly number[])[]): (readonly number[])[] {
  const taken = new Set(parts.flat());
  const rest = pieces.map((piece) => piece.filter((lsn) => !taken.has(lsn)));
  return [...parts, ...rest].filter((piece) => piece.length > 0);
}
