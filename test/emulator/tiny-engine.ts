/** The smallest engine that keeps rows: enough to hold the HTTP side to its promises. */
import type { Engine, EngineAnswer, EngineCall } from "../../src/emulator/engine.types.ts";

type Book = { title: string; tabs: Record<string, unknown[][]> };
type Fields = Readonly<Record<string, unknown>>;

const ok = (body: unknown, mutated = false): EngineAnswer => ({ status: 200, body, mutated });
const fail = (code: number, message: string, status: string): EngineAnswer => ({
  status: code,
  body: { error: { code, message, status } },
  mutated: false,
});

export function tinyEngine(dump?: unknown): Engine {
  const state = structuredClone((dump ?? { books: {}, created: 0 }) as { books: Record<string, Book>; created: number });
  const tabOf = (range: string): string => range.split("!")[0]?.replaceAll("'", "") ?? "";
  const methods: Readonly<Record<string, (call: EngineCall, book: Book) => EngineAnswer>> = {
    "sheets.spreadsheets.get": ({ path }, book) =>
      ok({
        spreadsheetId: path["spreadsheetId"],
        properties: { title: book.title },
        sheets: Object.keys(book.tabs).map((title) => ({ properties: { title } })),
      }),
    "sheets.spreadsheets.values.get": ({ path }, book) => values(book, path["range"] ?? ""),
    "sheets.spreadsheets.values.batchGet": ({ path, query }, book) =>
      ok({ spreadsheetId: path["spreadsheetId"], valueRanges: (query["ranges"] ?? []).map((r) => values(book, r).body) }),
    "sheets.spreadsheets.values.update": ({ path, body }, book) => {
      book.tabs[tabOf(path["range"] ?? "")] = (body as { values: unknown[][] }).values;
      return ok({ spreadsheetId: path["spreadsheetId"], updatedRange: path["range"] }, true);
    },
    "sheets.spreadsheets.values.append": ({ path, body }, book) => {
      const rows = (book.tabs[tabOf(path["range"] ?? "")] ??= []);
      rows.push(...(body as { values: unknown[][] }).values);
      return ok({ spreadsheetId: path["spreadsheetId"], updates: { updatedRows: rows.length } }, true);
    },
    "sheets.spreadsheets.batchUpdate": ({ path, body }, book) => {
      for (const request of (body as { requests: Fields[] }).requests) {
        const title = (request["addSheet"] as { properties: { title: string } } | undefined)?.properties.title;
        if (title === "boom") throw new Error("the engine has a fault");
        if (title !== undefined) book.tabs[title] = [];
      }
      return ok({ spreadsheetId: path["spreadsheetId"], replies: [{}] }, true);
    },
  };
  const values = (book: Book, range: string): EngineAnswer => {
    const rows = book.tabs[tabOf(range)];
    if (rows === undefined) return fail(400, `Unable to parse range: ${range}`, "INVALID_ARGUMENT");
    return ok({ range, majorDimension: "ROWS", ...(rows.length > 0 ? { values: rows } : {}) });
  };
  return {
    call(call) {
      if (call.method === "sheets.spreadsheets.create") {
        const spreadsheetId = `made-${(state.created += 1)}`;
        state.books[spreadsheetId] = { title: "Untitled", tabs: { Sheet1: [] } };
        return ok({ spreadsheetId }, true);
      }
      const book = state.books[call.path["spreadsheetId"] ?? ""];
      if (book === undefined) return fail(404, "Requested entity was not found.", "NOT_FOUND");
      const method = methods[call.method];
      return method === undefined ? fail(501, call.method, "UNIMPLEMENTED") : method(call, book);
    },
    dump: () => structuredClone(state),
    seed(id, title, tabs) {
      state.books[id] = { title, tabs: Object.fromEntries(tabs.map((t) => [t.title, t.rows.map((r) => [...r])])) };
    },
  };
}
