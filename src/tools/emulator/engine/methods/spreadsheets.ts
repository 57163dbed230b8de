/** spreadsheets.create, get and batchUpdate. */
import { atomically, type Book } from "../book.ts";
import { createBook } from "../create-book.ts";
import { invalid } from "../errors.ts";
import { below } from "../fieldmask.ts";
import { spreadsheetId } from "../ids.ts";
import { isTrue, type JsonObject, objectsAt, stringsAt } from "../json.ts";
import { presentBook } from "../present.ts";
import { resolve } from "../ranges.ts";
import { runRequests } from "../requests/table.ts";
import { bookOf, type Call, flagOf, type Method } from "./method.ts";

const create: Method = {
  mutates: true,
  answers: "Spreadsheet",
  run({ library, body, mask }) {
    const before = library.ids.count;
    try {
      const book = createBook(spreadsheetId(library.ids), body, library.ids);
      library.books.set(book.id, book);
      return presentBook(book, { gridData: false, mask });
    } catch (thrown) {
      library.ids.count = before;
      throw thrown;
    }
  },
};

const get: Method = {
  mutates: false,
  answers: "Spreadsheet",
  run(call) {
    const book = bookOf(call);
    const ranges = call.query["ranges"] ?? [];
    const targets =
      ranges.length === 0 ? {} : { targets: ranges.map((text) => resolve(book, text)) };
    return presentBook(book, {
      ...targets,
      gridData: flagOf(call, "includeGridData"),
      mask: call.mask,
    });
  },
};

const batchUpdate: Method = {
  mutates: true,
  answers: "BatchUpdateSpreadsheetResponse",
  run(call) {
    const requests = objectsAt(call.body, "requests");
    const book = bookOf(call);
    if (requests.length === 0) throw invalid("Must specify at least one request.");
    return atomically(book, call.library.ids, () => {
      const replies = runRequests({ book, ids: call.library.ids }, requests);
      return { spreadsheetId: book.id, replies, ...updatedSpreadsheet(call, book) };
    });
  },
};

/** What includeSpreadsheetInResponse asks for; a bad range in it refuses the whole batch. */
function updatedSpreadsheet({ body, mask }: Call, book: Book): JsonObject {
  if (!isTrue(body, "includeSpreadsheetInResponse")) return {};
  const ranges = stringsAt(body, "responseRanges").map((text) => resolve(book, text));
  const inner =
    mask === undefined || mask.size === 0 ? undefined : below(mask, "updatedSpreadsheet");
  if (mask !== undefined && mask.size > 0 && inner === undefined) return {};
  const whole = inner === undefined || inner.size === 0;
  const updated = presentBook(book, {
    ...(ranges.length === 0 ? {} : { targets: ranges }),
    gridData: isTrue(body, "responseIncludeGridData"),
    mask: whole ? undefined : inner,
  });
  return { updatedSpreadsheet: updated };
}

export const SPREADSHEET_METHODS: Readonly<Record<string, Method>> = {
  "sheets.spreadsheets.create": create,
  "sheets.spreadsheets.get": get,
  "sheets.spreadsheets.batchUpdate": batchUpdate,
};
