/** Makes a batch: its bytes are fixed here, and never made again. */
import type { Batch } from "../../journal/journal.ts";
import { appendedRow } from "./cells.ts";
import type { Instant } from "../../../base/units.ts";
import { fenceValue, guardValue, METADATA_KEY, tagValue, voidOf } from "./fence.ts";
import { MOST_REMOVALS } from "./limits.ts";
import { guardRequests, type Guarded } from "./guards.ts";
import { renewTag, takeIds } from "./steps.ts";
import { headerRange } from "./headers.ts";
import type { Flight, Pin, State, World } from "./model.ts";
import { keyRanges } from "./pins.ts";
import { rowName } from "./queue.ts";
import type { PinWish, Unit } from "./plan.ts";

const TABS = "updatedSpreadsheet.sheets.properties(sheetId,title)";
/** Only this much of the answer is asked for. */
const PLAIN = `spreadsheetId,${TABS}`;
const WITH_CELLS = `spreadsheetId,updatedSpreadsheet.sheets(properties(sheetId,title),data(startRow,startColumn,rowData.values(effectiveValue,formattedValue)))`;

const encoder = new TextEncoder();

const create = (id: number, value: string, location: object): object => ({
  createDeveloperMetadata: {
    developerMetadata: { metadataId: id, metadataKey: METADATA_KEY, metadataValue: value, location, visibility: "DOCUMENT" },
  },
});
const remove = (metadataId: number): object => ({ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId } } } });
const fence = (id: number, value: string): object => create(id, value, { spreadsheet: true });
const rowLocation = ({ sheetId, row }: Pin): object => ({
  dimensionRange: { sheetId, dimension: "ROWS", startIndex: row, endIndex: row + 1 },
});

/** One request for each tab: its rows in their order. */
function appends(units: readonly Unit[]): object[] {
  const bySheet = Map.groupBy(units, ({ sheetId }) => sheetId);
  return Array.from(bySheet, ([sheetId, rows]) => ({
    appendCells: { sheetId, fields: "userEnteredValue", rows: rows.map(({ layout, values }) => appendedRow(layout, values)) },
  }));
}

export interface Contents {
  readonly units: readonly Unit[];
  readonly wishes: readonly PinWish[];
  /** With what may be refused for another reason than the units: pins and removals. */
  readonly riders: boolean;
  /** With a look at the header rows, which is refused when a tab has another name by now. */
  readonly shows: boolean;
  readonly proof: boolean;
  /** Tables whose columns must be where they are known to be, else nothing of it lands. */
  readonly guarded: readonly Guarded[];
}

/** Fences whose time is over, the oldest first. */
export const overdueFences = (state: State, now: Instant): readonly number[] =>
  [...state.fences].filter(([, from]) => from <= now).map(([id]) => id);

/** Takes the numbers it needs out of the state; tags of rows that it pins anew go. */
export function makeFlight({ units, wishes, riders, shows, proof, guarded }: Contents, state: State, world: World): Flight {
  const id = takeIds(state, 1, world.random);
  const pinned = riders ? wishes : [];
  const from = takeIds(state, pinned.length, world.random);
  const pins = pinned.map(({ layout, sheetId, key, row }, i): Pin => ({ id: from + i, table: layout.table, key, sheetId, row }));
  for (const { layout, key } of pinned) {
    const old = state.tags.get(rowName({ table: layout.table, key }));
    if (old !== undefined) renewTag(state, old);
  }
  const removed = riders ? [...state.drops, ...overdueFences(state, world.now).slice(0, MOST_REMOVALS)] : [];
  const tag = tagValue(state.mark, world.wall);
  const mark = guardValue(state.mark, world.wall);
  const guards = guardRequests(guarded, (guard, location) => create(guard, mark, location), state);
  const tags = pins.map((pin) => create(pin.id, tag, rowLocation(pin)));
  const requests = [...removed.map(remove), ...guards, ...tags, ...appends(units)];
  const lsns = units.flatMap((unit) => unit.lsns);
  const upTo = state.queue.settledUpTo(new Set(lsns));
  const value = fenceValue(state.mark, world.wall, upTo, JSON.stringify(requests));
  const layouts = [...new Map(units.map(({ layout }) => [layout.table, layout])).values()];
  const watched = [...new Set([...layouts, ...guarded.map(({ layout }) => layout)])];
  const shown = [...new Set([...(shows ? watched.map(headerRange) : []), ...keyRanges(pinned, state)])];
  const fenced = proof || state.delivery !== "at-least-once";
  const body = {
    requests: fenced ? [fence(id, value), ...requests] : requests,
    includeSpreadsheetInResponse: true,
    ...(shown.length === 0 ? {} : { responseRanges: shown, responseIncludeGridData: true }),
  };
  const bytes = encoder.encode(JSON.stringify(body));
  const batch: Batch = { nr: id, fence: { id, value }, body: bytes, lsns, sealedAt: world.wall, sentAt: undefined };
  const fields = shown.length === 0 ? PLAIN : WITH_CELLS;
  const rest = {
    unsure: false,
    triedAt: world.now,
    proof: proof ? "first" : "no",
    refusal: "",
    odd: 0,
    layouts,
    guards: guarded.map(({ layout }) => layout),
    checked: false,
    shows,
    moved: false,
  } as const;
  return { batch, fields, units: units.map((unit) => unit.lsns), pins, removed, fenced, ...rest };
}

/** A batch of the last life: it may have been sent, its tags are never used, and of its answer nothing is needed. */
export function recoveredFlight(batch: Batch, state: State, world: World): Flight {
  const { requests, responseRanges } = JSON.parse(new TextDecoder().decode(batch.body)) as SealedBody;
  const rows = Map.groupBy(state.queue.of(batch.lsns), ({ entry }) => `${entry.table}\0${entry.key}`);
  const removed = requests.flatMap((request) => {
    const lookup = request.deleteDeveloperMetadata?.dataFilter.developerMetadataLookup;
    return lookup === undefined || lookup.metadataLocation !== undefined ? [] : [lookup.metadataId]; // a guard is created again
  });
  const pins = requests.flatMap((request): Pin[] => {
    const made = request.createDeveloperMetadata?.developerMetadata;
    const range = made?.location.dimensionRange;
    return made === undefined || range === undefined
      ? []
      : [{ id: made.metadataId, table: "", key: "", sheetId: range.sheetId, row: range.startIndex }];
  });
  const units = [...rows.values()].map((row) => row.map(({ entry }) => entry.lsn));
  const unsure = batch.sentAt !== undefined;
  const fenced = requests.some((request) => request.createDeveloperMetadata?.developerMetadata.metadataId === batch.fence.id);
  const rest = {
    proof: "no",
    refusal: "",
    odd: 0,
    layouts: [],
    guards: [],
    checked: false,
    shows: responseRanges !== undefined,
    moved: false,
  } as const;
  return { batch, fields: PLAIN, units, pins, removed, fenced, unsure, triedAt: world.now, ...rest };
}

interface SealedBody {
  readonly requests: readonly Sealed[];
  readonly responseRanges?: readonly string[];
}

interface Sealed {
  readonly deleteDeveloperMetadata?: {
    readonly dataFilter: { readonly developerMetadataLookup: { readonly metadataId: number; readonly metadataLocation?: object } };
  };
  readonly createDeveloperMetadata?: {
    readonly developerMetadata: {
      readonly metadataId: number;
      readonly location: { readonly dimensionRange?: { readonly sheetId: number; readonly startIndex: number } };
    };
  };
}

/** The batch's fence with nothing behind it, marked as void. */
export const voidBody = ({ fence: { id, value } }: Batch): Uint8Array =>
  encoder.encode(JSON.stringify({ requests: [fence(id, voidOf(value))] }));
export const VOID_FIELDS = "spreadsheetId";
