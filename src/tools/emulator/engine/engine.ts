/** Google Sheets API v4 in memory, by method name: what the API does, without HTTP. */
import { createHash } from "node:crypto";
import { METHODS } from "../api/discovery.ts";
import { violationsOf } from "../api/validate.ts";
import type { Engine, EngineCall } from "../engine.types.ts";
import { GoogleError } from "../google-errors.ts";
import { badFields, invalid, notFound } from "./errors.ts";
import { applyMask, parseMask } from "./field-mask.ts";
import { last, type ReadMethods, type WriteMethods } from "./method.ts";
import { READ_METHODS } from "./read-methods.ts";
import { checkedSize, newSheet, type Spreadsheet, writeCells } from "./spreadsheet.ts";
import { batchUpdate, blank, create, getSpreadsheet } from "./spreadsheets.ts";
import { WRITE_METHODS } from "./write-methods.ts";

const CREATE = "sheets.spreadsheets.create";
const READS: ReadMethods = { "sheets.spreadsheets.get": getSpreadsheet, ...READ_METHODS };
const WRITES: WriteMethods = {
  [CREATE]: create,
  "sheets.spreadsheets.batchUpdate": batchUpdate,
  ...WRITE_METHODS,
};

/** Raised when the form of the state changes. */
const FORM = 2;

/** Everything that the engine keeps: immutable, and plain JSON. */
interface State {
  readonly form: typeof FORM;
  readonly spreadsheets: readonly Spreadsheet[];
}

/**
 * Spreadsheets in memory. A call that the API would refuse is answered with its error envelope and changes nothing. An
 * exception from `call` is a bug, and changes nothing either.
 * @param dump the state of an earlier engine, to go on from there
 * @throws TypeError for what no engine dumped
 */
export function createEngine(dump?: unknown): Engine {
  let state = stateOf(dump);
  return {
    call(call) {
      try {
        const { next, answer } = answered(state, call);
        const mutated = next !== state;
        state = next;
        return { status: 200, body: answer, mutated };
      } catch (error) {
        if (!(error instanceof GoogleError)) throw error;
        return { ...error.answer, mutated: false };
      }
    },
    dump: () => state,
    seed(id, title, tabs) {
      state = withSpreadsheet(state, seeded(state, id, title, tabs));
    },
  };
}

function stateOf(dump: unknown): State {
  if (dump === undefined) return { form: FORM, spreadsheets: [] };
  const { form, spreadsheets } = (dump ?? {}) as Partial<State>;
  if (form === FORM && Array.isArray(spreadsheets)) return { form, spreadsheets };
  throw new TypeError(`this is no dump of the emulator's engine in form ${FORM}`);
}

const withSpreadsheet = (state: State, next: Spreadsheet): State => ({
  ...state,
  spreadsheets: [...state.spreadsheets.filter(({ id }) => id !== next.id), next],
});

function answered(state: State, call: EngineCall): { next: State; answer: unknown } {
  const { path, query, body = {} } = call;
  const method = METHODS.get(call.method);
  const [read, write] = [READS[call.method], WRITES[call.method]];
  // 400, not 501: clients retry a 5xx
  if (method === undefined || (read ?? write) === undefined)
    throw invalid(`The method ${call.method} is not supported by this emulator.`);
  const violations = violationsOf(method, call);
  if (violations.length > 0) throw badFields(violations);
  const fields = last(query, "fields") ?? "";
  const mask = fields === "" ? undefined : parseMask(fields, method.response.$ref);
  const masked = (answer: object): unknown =>
    mask === undefined ? answer : applyMask(mask, answer);
  const spreadsheet =
    method.id === CREATE
      ? blank(newId(state))
      : state.spreadsheets.find(({ id }) => id === path["spreadsheetId"]);
  if (spreadsheet === undefined) throw notFound();
  const methodCall = { spreadsheet, path, query, body: body as object, mask };
  if (write === undefined) return { next: state, answer: masked(read?.(methodCall) ?? {}) };
  const { next, result } = write(methodCall);
  return { next: withSpreadsheet(state, next), answer: masked(result) };
}

/** 44 characters, as a Drive file's. It is no secret: knowing it gives nothing in an emulator. */
function newId({ spreadsheets }: State): string {
  const hash = createHash("sha256").update(`spreadsheet ${spreadsheets.length + 1}`);
  return `1${hash.digest("base64url")}`;
}

/** @throws TypeError when the spreadsheet exists already, or two tabs have one title */
function seeded(
  { spreadsheets }: State,
  id: string,
  title: string,
  tabs: Parameters<Engine["seed"]>[2],
): Spreadsheet {
  if (spreadsheets.some((s) => s.id === id))
    throw new TypeError(`the spreadsheet ${id} exists already: seed each once`);
  const titles = tabs.map((tab) => tab.title.toLowerCase());
  if (new Set(titles).size < titles.length)
    throw new TypeError(`the tabs of ${id} must have different titles: ${titles.join(", ")}`);
  const sheets = tabs.map((tab, i) => {
    const width = tab.rows.reduce((most, row) => Math.max(most, row.length), 0);
    const sheet = newSheet(i, tab.title, Math.max(1000, tab.rows.length), Math.max(26, width));
    const changes = tab.rows.flatMap((cells, row) =>
      cells.flatMap((cell, column) => (cell === "" ? [] : [{ row, column, cell }])),
    );
    return writeCells(sheet, changes);
  });
  const { properties, ...others } = blank(id);
  return checkedSize({
    ...others,
    properties: { ...properties, title },
    sheets: sheets.length === 0 ? [newSheet(0, "Sheet1")] : sheets,
  });
}
