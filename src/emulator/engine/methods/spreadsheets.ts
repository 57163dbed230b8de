/** spreadsheets.create, get, getByDataFilter, batchUpdate, and sheets.copyTo. */
import { atomically, type Book, type Sheet, sheetById } from "../book.ts";
import { createBook } from "../create-book.ts";
import { copySheet, freeTitle } from "../copy-sheet.ts";
import { invalid, notFound } from "../errors.ts";
import { below } from "../fieldmask.ts";
import { spreadsheetId } from "../ids.ts";
import { isTrue, type JsonObject, objectsAt, stringAt, stringsAt } from "../json.ts";
import { presentBook, sheetProperties } from "../present.ts";
import { resolve, type Target } from "../ranges.ts";
import { runRequests } from "../requests/table.ts";
import { targetsOf } from "../data-filter.ts";
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
    return presentBook(
      book,
      view(call, ranges.length === 0 ? undefined : ranges.map((text) => resolve(book, text)), flagOf(call, "includeGridData")),
    );
  },
};

const view = ({ mask }: Call, targets: readonly Target[] | undefined, gridData: boolean) => ({
  ...(targets === undefined ? {} : { targets }),
  gridData,
  mask,
});

const getByDataFilter: Method = {
  mutates: false,
  answers: "Spreadsheet",
  run(call) {
    const book = bookOf(call);
    const filters = objectsAt(call.body, "dataFilters");
    const targets = filters.length === 0 ? undefined : filters.flatMap((filter) => targetsOf(book, filter));
    return presentBook(book, view(call, targets, isTrue(call.body, "includeGridData")));
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
  const inner = mask === undefined || mask.size === 0 ? undefined : below(mask, "updatedSpreadsheet");
  if (mask !== undefined && mask.size > 0 && inner === undefined) return {};
  const whole = inner === undefined || inner.size === 0;
  const updated = presentBook(book, {
    ...(ranges.length === 0 ? {} : { targets: ranges }),
    gridData: isTrue(body, "responseIncludeGridData"),
    mask: whole ? undefined : inner,
  });
  return { updatedSpreadsheet: updated };
}

const copyTo: Method = {
  mutates: true,
  answers: "SheetProperties",
  run(call) {
    const book = bookOf(call);
    const source = sheetById(book, Number(call.path["sheetId"]));
    if (source === undefined) throw notFound();
    const destination = call.library.books.get(stringAt(call.body, "destinationSpreadsheetId") ?? "");
    if (destination === undefined) throw notFound();
    const copy = atomically(destination, call.library.ids, () => copyInto(destination, book, source, call));
    return sheetProperties(copy, destination.sheets.indexOf(copy));
  },
};

function copyInto(destination: Book, book: Book, source: Sheet, call: Call): Sheet {
  const title = freeTitle(destination, `Copy of ${source.state.title}`);
  return copySheet({ from: book, to: destination, ids: call.library.ids }, source, { title, index: destination.sheets.length });
}

export const SPREADSHEET_METHODS: Readonly<Record<string, Method>> = {
  "sheets.spreadsheets.create": create,
  "sheets.spreadsheets.get": get,
  "sheets.spreadsheets.getByDataFilter": getByDataFilter,
  "sheets.spreadsheets.batchUpdate": batchUpdate,
  "sheets.spreadsheets.sheets.copyTo": copyTo,
};
