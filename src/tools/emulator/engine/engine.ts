/** Google Sheets API v4 in memory, by method name: what the API does, without HTTP. */
import { METHODS } from "../api/discovery.ts";
import { violationsOf } from "../api/validate.ts";
import type { Engine, EngineAnswer, EngineCall } from "../engine.types.ts";
import { atomically, type Book, newSheet } from "./book.ts";
import { NEW_PROPERTIES } from "./defaults.ts";
import { dumpLibrary, loadLibrary } from "./dump.ts";
import { badFields, invalid, Refusal } from "./errors.ts";
import { applyMask, parseMask } from "./fieldmask.ts";
import { isObject } from "./json.ts";
import { FILTER_METHODS } from "./methods/by-filter.ts";
import type { Library, Method } from "./methods/method.ts";
import { SPREADSHEET_METHODS } from "./methods/spreadsheets.ts";
import { VALUES_METHODS } from "./methods/values.ts";

const HANDLERS: ReadonlyMap<string, Method> = new Map(
  [SPREADSHEET_METHODS, VALUES_METHODS, FILTER_METHODS].flatMap((methods) =>
    Object.entries(methods),
  ),
);

/**
 * Spreadsheets in memory. Calls that the API would refuse are answered with its error envelope and change nothing; an
 * exception from `call` is a bug, and then too nothing has changed.
 * @param dump what `dump()` gave, to go on from there
 */
export function createEngine(dump?: unknown): Engine {
  const library = loadLibrary(dump);
  return {
    call(call) {
      try {
        return answer(library, call);
      } catch (thrown) {
        if (thrown instanceof Refusal) return thrown.answer();
        throw thrown;
      }
    },
    dump: () => dumpLibrary(library),
    seed: (spreadsheetId, title, tabs) => seed(library, spreadsheetId, title, tabs),
  };
}

function answer(library: Library, call: EngineCall): EngineAnswer {
  const method = METHODS.get(call.method);
  const handler = HANDLERS.get(call.method);
  // 400, not 501: clients retry a 5xx
  if (method === undefined || handler === undefined)
    throw invalid(`The method ${call.method} is not supported by this emulator.`);
  const violations = violationsOf(method, call);
  if (violations.length > 0) throw badFields(violations);
  const { path, query, body } = call;
  const fields = query["fields"]?.at(-1);
  const mask =
    fields === undefined || fields === "" ? undefined : parseMask(fields, method.response.$ref);
  const whole = handler.run({ library, path, query, body: isObject(body) ? body : {}, mask });
  return {
    status: 200,
    body: mask === undefined ? whole : applyMask(mask, whole),
    mutated: handler.mutates,
  };
}

type Tabs = Parameters<Engine["seed"]>[2];

/** @throws TypeError when the spreadsheet exists already, or two tabs have one title */
function seed(library: Library, spreadsheetId: string, title: string, tabs: Tabs): void {
  if (library.books.has(spreadsheetId))
    throw new TypeError(`the spreadsheet ${spreadsheetId} exists already: seed each once`);
  const titles = tabs.map((tab) => tab.title.toLowerCase());
  if (new Set(titles).size < titles.length)
    throw new TypeError(
      `the tabs of ${spreadsheetId} must have different titles: ${titles.join(", ")}`,
    );
  const sheets = tabs.map((tab, i) => {
    const width = tab.rows.reduce((most, row) => Math.max(most, row.length), 0);
    return newSheet(i, tab.title, Math.max(1000, tab.rows.length), Math.max(26, width));
  });
  const book: Book = {
    id: spreadsheetId,
    state: { properties: { ...NEW_PROPERTIES, title }, metadata: [] },
    sheets: sheets.length === 0 ? [newSheet(0, "Sheet1")] : sheets,
  };
  atomically(book, library.ids, () => {
    for (const [i, tab] of tabs.entries())
      for (const [r, row] of tab.rows.entries())
        for (const [c, value] of row.entries()) if (value !== "") sheets[i]?.grid.set(r, c, value);
  });
  library.books.set(spreadsheetId, book);
}
