/** For each claim an API that breaks it: without them a probe that accepts everything would go unnoticed. */
import { ms } from "../../src/base/units.ts";
import type { Answer, Ask, Call, Json } from "./sheet.ts";
import type { ClaimId } from "./suite.ts";

type Asked = (call: Call) => Promise<Answer>;
interface Seen {
  /** Title of the tab that was added last. */
  readonly tab: string;
  /** Ranges that were read. */
  readonly ranges: number;
  /** There was a 429 before. */
  readonly isLocked: boolean;
}
export interface Lie {
  readonly to: RegExp;
  readonly call?: (call: Call, seen: Seen) => Call;
  readonly answer?: (answer: Answer, call: Call, ask: Asked, seen: Seen) => Answer | Promise<Answer>;
  /** The JSON of an answer. */
  readonly json?: (json: Json, call: Call) => Json;
}

const requestsOf = ({ path, body }: Call): readonly Json[] => (path === ":batchUpdate" ? body.requests : []);
export const has = (call: Call, kind: string): boolean => requestsOf(call).some((request) => kind in request);
const withJson = (answer: Answer, json: Json): Answer => ({ ...answer, json, text: JSON.stringify(json) });
export const refusal = (status: number, message: string): Answer =>
  withJson({ status, headers: {}, text: "", json: {}, took: ms(0) }, { error: { code: status, message } });

/** Changes calls to the emulator, and its answers. */
export function lying(ask: Ask, { to, call: change = (call) => call, json, answer: said = (answer) => answer }: Lie): Ask {
  let seen: Seen = { tab: "", ranges: 0, isLocked: false };
  const asked: Asked = async (call) => {
    const outcome = await ask(call);
    if (outcome.is === "ok") return outcome.value;
    throw new Error(outcome.message);
  };
  return async (call) => {
    const tab = requestsOf(call)[0]?.addSheet?.properties.title ?? seen.tab;
    seen = { ...seen, tab, ranges: seen.ranges + [call.query?.["ranges"] ?? []].flat().length };
    if (!to.test(call.path)) return ask(call);
    const answer = await asked(change(call, seen));
    const value = await said(json === undefined ? answer : withJson(answer, json(answer.json, call)), call, asked, seen);
    seen = { ...seen, isLocked: seen.isLocked || answer.status === 429 };
    return { is: "ok", value };
  };
}

const BATCH = /^:batchUpdate$/;
const READ = /^.values:batchGet$/;
const CHANGE = /ByDataFilter$/;
const METADATA = /^.developerMetadata.\d/;

const isTaken = ({ status, json }: Answer): boolean => status === 400 && String(json.error.message).includes("already exists");
const requested = (call: Call, change: (requests: readonly Json[]) => readonly Json[]): Call => ({
  ...call,
  body: { ...call.body, requests: change(call.body.requests) },
});
/** A read with another query. */
const queried = (more: Call["query"]): Lie => ({ to: READ, call: (call) => ({ ...call, query: { ...call.query, ...more } }) });
/** Metadata of rows and columns that seems to be in one place, wherever it is. */
const stuck = (startIndex: number): Lie => ({
  to: METADATA,
  json: (json) => (json.location?.dimensionRange === undefined ? json : { ...json, location: { dimensionRange: { startIndex } } }),
});
const refused = (when: (call: Call, seen: Seen) => boolean, to = BATCH, status = 400): Lie => ({
  to,
  answer: (answer, call, _, seen) => (when(call, seen) ? refusal(status, "Not so") : answer),
});
/** Appended rows with other cells. */
const appended = (change: (cells: readonly Json[]) => readonly Json[]): Lie => ({
  to: BATCH,
  call: (call) => requested(call, (all) => all.map((one) => ("appendCells" in one ? withCells(one.appendCells, change) : one))),
});
const withCells = (append: Json, change: (cells: readonly Json[]) => readonly Json[]): Json => ({
  appendCells: { ...append, rows: append.rows.map(({ values }: Json) => ({ values: change(values) })) },
});
const NUMBERS = new Map(Object.entries({ "007": 7, "=1+1": 2 }));
/** Cells as if they were typed. */
const typed = (cells: readonly Json[]): readonly Json[] =>
  cells.map((cell) => {
    const numberValue = NUMBERS.get(cell.userEnteredValue?.stringValue);
    return numberValue === undefined ? cell : { userEnteredValue: { numberValue } };
  });
const unlocated = ({ deleteDeveloperMetadata, ...other }: Json): Json => {
  const { metadataId } = deleteDeveloperMetadata?.dataFilter.developerMetadataLookup ?? {};
  return metadataId === undefined ? other : { deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId } } } };
};
/** The JSON of the first 429, and its headers. */
const locked = (answer: (answer: Answer) => Answer): Lie => ({ to: READ, answer: (one) => (one.status === 429 ? answer(one) : one) });
const readsBack = ({ body }: Call): boolean => body?.responseIncludeGridData === true;
const found = { to: METADATA, answer: (answer: Answer): Answer => ({ ...answer, status: 200 }) };

export const LIES: Readonly<Record<ClaimId, Lie>> = {
  "taken-id": { to: BATCH, answer: (answer) => (isTaken(answer) ? { ...answer, status: 200 } : answer) },
  "whole-batch": {
    to: BATCH,
    answer: async (answer, call, ask) => {
      if (isTaken(answer)) await ask(requested(call, (all) => all.filter((request) => !("createDeveloperMetadata" in request))));
      return answer;
    },
  },
  "refused-whole": {
    to: BATCH,
    answer: async (answer, call, ask) => {
      if (answer.status === 400) await ask(requested(call, (all) => all.slice(0, -1)));
      return answer;
    },
  },
  "get-metadata": found,
  "search-metadata": {
    to: /search$/,
    json: ({ matchedDeveloperMetadata: all = [] }) => ({
      matchedDeveloperMetadata: all.filter(({ developerMetadata: { location } }: Json) => location.dimensionRange === undefined),
    }),
  },
  "absent-metadata": refused((call) => has(call, "deleteDeveloperMetadata") && requestsOf(call).length === 2),
  "id-range": refused((call) => requestsOf(call)[0].createDeveloperMetadata?.developerMetadata.metadataId > 2 ** 31 - 20_000),
  "metadata-room": refused((call) => requestsOf(call).length > 500),
  // As values.append: finds a table, and begins where that begins.
  "append-place": appended((cells) => (Object.keys(cells[0]).length === 0 ? cells.slice(2) : cells)),
  "append-grows": refused((call) => has(call, "appendCells")),
  "append-text": appended(typed),
  "append-kinds": appended(typed),
  "cell-length": {
    to: BATCH,
    answer: (answer, call, ask) => (answer.status === 400 ? ask(requested(call, ([first]) => [first])) : answer),
  },
  "append-speed": { to: BATCH, answer: (answer) => ({ ...answer, took: ms(1e6) }) },
  "batch-names": { to: BATCH, json: () => ({}) },
  "batch-cells": {
    to: BATCH,
    json: ({ updatedSpreadsheet: { sheets = [] } = {} }) => ({
      updatedSpreadsheet: { sheets: sheets.map((tab: Json) => ({ ...tab, data: tab.data?.map(({ rowData }: Json) => ({ rowData })) })) },
    }),
  },
  "renamed-tab": refused((call) => has(call, "appendCells")),
  "tag-sorts": stuck(2),
  "tag-shifts": stuck(2),
  "tag-goes": found,
  "tag-stays": stuck(9),
  "tag-by-hand": stuck(2),
  "guard-moves": stuck(1),
  "guard-place": { to: BATCH, call: (call) => requested(call, (all) => all.map(unlocated)) },
  "filter-header": {
    to: CHANGE,
    json: ({ responses }) => ({ responses: responses.filter(({ dataFilter }: Json) => dataFilter.gridRange === undefined) }),
  },
  // Writes to the row's old place.
  "filter-writes": {
    to: CHANGE,
    call: (call, { tab }) => {
      const data = call.body.data.map((one: Json) => ({ ...one, dataFilter: { a1Range: `${tab}!A3:C3` } }));
      return { ...call, body: { ...call.body, data } };
    },
  },
  // Shows written cells alone.
  "filter-shows": {
    to: CHANGE,
    json: ({ responses }, { body }) => {
      const written = (i: number): unknown => body.data[i].values[0].filter((cell: unknown) => cell !== null);
      return { responses: responses.map((one: Json, i: number) => ({ ...one, updatedData: { values: [written(i)] } })) };
    },
  },
  "filter-text": { to: CHANGE, call: (call) => ({ ...call, body: { ...call.body, valueInputOption: "USER_ENTERED" } }) },
  "filter-absent": {
    to: CHANGE,
    answer: (answer, { body }) => (answer.json.responses?.length === body.data.length ? answer : refusal(400, "No metadata found")),
  },
  "read-cells": queried({ dateTimeRenderOption: "SERIAL_NUMBER" }),
  "read-booleans": queried({ valueRenderOption: "FORMATTED_VALUE" }),
  "read-trimmed": { to: READ, json: ({ valueRanges: all }) => ({ valueRanges: all.map((range: Json) => ({ values: [], ...range })) }) },
  // One row behind.
  "read-own": {
    to: READ,
    json: ({ valueRanges: all }) => ({ valueRanges: all.map(({ values = [] }: Json) => ({ values: values.slice(0, -1) })) }),
  },
  "no-validators": { to: READ, answer: (answer) => ({ ...answer, headers: { etag: '"1"' } }) },
  gzip: { to: READ, answer: (answer) => ({ ...answer, headers: {} }) },
  masks: queried({ fields: "*" }),
  "no-range": { to: READ, answer: (answer) => (answer.status === 400 ? refusal(400, "Request contains an invalid argument.") : answer) },
  unseen: refused(({ spreadsheetId }) => spreadsheetId !== undefined, /^$/),
  "one-call": refused((_, { ranges }) => ranges > 60, READ, 429),
  "quota-answer": locked((answer) => ({ ...answer, headers: { "retry-after": "30" } })),
  "quota-window": locked((answer) => withJson(answer, { error: { details: [{ metadata: { window_start_time: "1" } }] } })),
  "quota-apart": refused((call, { isLocked }) => isLocked && !readsBack(call), /^/, 429),
  "quota-readback": refused((call, { isLocked }) => isLocked && readsBack(call), /^/, 429),
  "quota-ends": refused((_, { isLocked }) => isLocked, READ, 429),
};
