/**
 * Values of rows that stand in the sheet, by `values.batchUpdateByDataFilter` on their tags. An absolute value needs no fence against
 * landing twice. Against landing late, over a newer value, the tag is its fence: after an attempt whose end is not known its tags are
 * removed, and the rows pinned under new ones, before anything is written to them; what lands then finds no row.
 */
import { after } from "../../../base/units.ts";
import { holdsKey, keyColumn, writtenRow, type Value } from "./cells.ts";
import { placeOf, placesIn, rowsIn } from "./answer.ts";
import { keepHeader, standsAsKnown } from "./headers.ts";
import { HEADERS_AGAIN } from "./limits.ts";
import type { HandlerOf, Job, State, World } from "./model.ts";
import type { RowChange, Tag, Undo } from "./tagged.ts";
import { rowName } from "./queue.ts";
import { dropTag, failed, finish, hold, keepTag, locatedIn, parkedWith, renewTag, settle, settlement, trouble, worked } from "./steps.ts";
import { clearStray, strayCells, suspect, withValues } from "./undo.ts";

const encoder = new TextEncoder();

interface RowData {
  readonly tag: Tag;
  readonly values: readonly Value[];
}

/** Writes values to tagged rows. @param shown the tables whose header rows the answer shows: nothing is written to these. */
function bodyOf(rows: readonly RowData[], shown: readonly Place[]): Uint8Array {
  const data = [
    ...rows.map(({ tag, values }) => ({
      dataFilter: { developerMetadataLookup: { metadataId: tag.id } },
      majorDimension: "ROWS",
      values: [values],
    })),
    ...shown.map((place) => ({ dataFilter: { gridRange: headerRow(place) }, majorDimension: "ROWS", values: [[null]] })),
  ];
  const options = { responseValueRenderOption: "UNFORMATTED_VALUE", responseDateTimeRenderOption: "FORMATTED_STRING" };
  return encoder.encode(JSON.stringify({ valueInputOption: "RAW", includeValuesInResponse: true, ...options, data }));
}

/** Where a table stands. */
type Place = Pick<RowChange, "layout" | "sheetId">;

const headerRow = ({ layout: { row }, sheetId }: Place): object => ({ sheetId, startRowIndex: row, endRowIndex: row + 1 });
const headerAt = ({ layout: { row }, sheetId }: Place): string => placeOf({ sheetId, startRowIndex: row });
const tablesOf = (places: readonly Place[]): readonly Place[] => [
  ...new Map(places.map(({ layout, sheetId }) => [layout.table, { layout, sheetId }])).values(),
];

export function writingJob(rows: readonly RowChange[], state: State, world: World): Job {
  const shown = world.now < state.headersFrom ? [] : tablesOf(rows);
  const data = rows.map(({ tag, layout, values }) => ({ tag, values: writtenRow(layout, values) }));
  return { is: "writing", rows, body: bodyOf(data, shown) };
}

export const writing: HandlerOf<"writing"> = {
  go(job, state, world) {
    const sleep = hold(world.mayWrite, state, world);
    if (sleep !== undefined) return sleep;
    for (const change of job.rows) suspect(change, state, false); // until the answer shows where they stand
    return { do: "write", body: job.body, lsns: job.rows.flatMap((row) => row.lsns) };
  },
  on(job, event, state, world) {
    if (event.type !== "answered") return;
    const { outcome } = event;
    for (const { layout } of job.rows) state.wrote.set(layout.table, { layout, at: world.now });
    if (outcome.is !== "unavailable" && outcome.is !== "malformed") for (const { tag } of job.rows) clearStray(rowName(tag), state, world);
    switch (outcome.is) {
      case "ok":
        worked(state);
        return landed(job.rows, outcome.value, state, world);
      case "refused":
        worked(state);
        if (state.headersShown === "unknown") state.headersFrom = after(world.now, HEADERS_AGAIN); // perhaps it is these that Google refuses
        return refused(job.rows, outcome.message, state, world);
      case "locked":
      case "denied":
        failed(outcome, state, world);
        return finish(state); // nothing was done: what waits is looked at again
      default:
        for (const { tag } of job.rows) renewTag(state, tag); // what stands in these rows is compared when they are pinned again
        failed(outcome, state, world);
        return finish(state);
    }
  },
};

function landed(rows: readonly RowChange[], answer: unknown, state: State, world: World): void {
  const [found, headers] = [rowsIn(answer), placesIn(answer)];
  if (headers.size > 0) state.headersShown = "yes";
  const lsns: number[] = [];
  const undo: Undo[] = [];
  const moved = movedTables(rows, headers, state, world);
  for (const change of rows) {
    const { tag, layout, lsns: these, values } = change;
    const row = found.get(tag.id);
    const header = moved.get(layout.table);
    if (header !== undefined) {
      undo.push(...strayed(change, header, row, state, world));
      continue;
    }
    const given = Object.hasOwn(values, layout.key) ? values[layout.key] : tag.key;
    const isHere = row !== undefined && holdsKey(emptyAsNull(row[keyColumn(layout)]), given === null ? "" : String(given));
    if (isHere) {
      lsns.push(...these);
      if (given === tag.key) keepTag(state, { ...tag, seenAt: world.now, image: withValues(tag.image, values) });
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
  if (undo.length === 0) return;
  state.next.unshift(state.job);
  state.job = undoingJob(undo, state);
}

/** Tables whose columns are not those that the rows were written by → their header rows. */
function movedTables(
  rows: readonly RowChange[],
  headers: ReadonlyMap<string, readonly unknown[]>,
  state: State,
  world: World,
): ReadonlyMap<string, readonly unknown[]> {
  return new Map(
    tablesOf(rows).flatMap((place) => {
      const { layout } = place;
      const header = headers.get(headerAt(place));
      const stands = header === undefined || keepHeader(layout, standsAsKnown(layout, header.slice(layout.column)), state, world);
      return stands ? [] : [[layout.table, header] as const];
    }),
  );
}

/** The row's values were written by columns that had moved. @returns what is to be put back. */
function strayed(
  change: RowChange,
  header: readonly unknown[],
  row: readonly unknown[] | undefined,
  state: State,
  world: World,
): readonly Undo[] {
  const { tag, layout, lsns } = change;
  const stray = suspect(change, state, true);
  const cells = row === undefined ? new Map<number, Value>() : strayCells(layout, header, row, stray);
  if (row !== undefined && (cells.size > 0 || stray.image === undefined)) state.stats.misplaced += lsns.length;
  if (cells.size > 0) return [{ tag, cells }];
  clearStray(rowName(tag), state, world);
  return [];
}

/** After so many attempts the columns are moved in step with our calls: what stands where is left as it is, and counted. */
const MOST_UNDONE = 10;

export function undoingJob(rows: readonly Undo[], state: State, tries = 0): Extract<Job, { is: "undoing" }> {
  const places = tablesOf(rows.flatMap(({ tag }) => state.strays.get(rowName(tag)) ?? []));
  for (const { tag, cells } of rows) {
    const stray = state.strays.get(rowName(tag));
    if (stray !== undefined) state.strays.set(rowName(tag), { ...stray, seen: true, wrote: new Set([...stray.wrote, ...cells.values()]) });
  }
  const data = rows.map(({ tag, cells }) => {
    const values = Array.from({ length: Math.max(...cells.keys()) + 1 }, (_, at) => cells.get(at) ?? null);
    return { tag, values };
  });
  return { is: "undoing", rows, body: bodyOf(data, places), tries };
}

export const undoing: HandlerOf<"undoing"> = {
  go: (job, state, world) => hold(world.mayUndo, state, world) ?? { do: "write", body: job.body, lsns: [] },
  on(job, event, state, world) {
    if (event.type !== "answered") return;
    const { outcome } = event;
    switch (outcome.is) {
      case "ok": {
        worked(state);
        const left = job.tries < MOST_UNDONE ? leftOver(job.rows, outcome.value, state, world) : [];
        for (const { tag } of job.rows) if (!left.some((row) => row.tag === tag)) clearStray(rowName(tag), state, world);
        if (left.length > 0) state.job = undoingJob(left, state, job.tries + 1);
        else finish(state);
        return;
      }
      case "locked":
      case "denied":
        return failed(outcome, state, world); // nothing was done: the same again
      case "refused":
        worked(state);
        for (const { tag } of job.rows) clearStray(rowName(tag), state, world);
        return finish(state);
      default:
        for (const { tag } of job.rows) renewTag(state, tag); // they are pinned again, and compared
        failed(outcome, state, world);
        return finish(state);
    }
  },
};

/** Columns may have moved once more before the cells were put back. */
function leftOver(rows: readonly Undo[], answer: unknown, state: State, world: World): readonly Undo[] {
  const [found, headers] = [rowsIn(answer), placesIn(answer)];
  return rows.flatMap(({ tag }) => {
    const stray = state.strays.get(rowName(tag));
    const [header, row] = [stray && headers.get(headerAt(stray)), found.get(tag.id)];
    if (stray === undefined || header === undefined || row === undefined) return [];
    if (!standsAsKnown(stray.layout, header.slice(stray.layout.column))) keepHeader(stray.layout, false, state, world);
    const cells = strayCells(stray.layout, header, row, stray);
    return cells.size === 0 ? [] : [{ tag, cells }];
  });
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
