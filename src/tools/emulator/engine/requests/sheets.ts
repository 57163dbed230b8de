/** Tabs. */
import type { Book, Sheet } from "../book.ts";
import { addSheet, checkSheetProperties, checkTitle } from "../create-book.ts";
import { invalid } from "../errors.ts";
import { below, EVERYTHING, type Mask, parseUpdateMask, update } from "../fieldmask.ts";
import { intAt, isTrue, type JsonObject, objectAt, present, stringAt } from "../json.ts";
import { sheetProperties } from "../present.ts";
import { resize } from "../structure.ts";
import { type Handlers, sheetWith } from "./request.ts";

/** Moves a tab. The index is one before the move, so moving to one's own place or right behind it changes nothing. */
function moveSheet(book: Book, sheet: Sheet, index: number): void {
  if (index < 0) throw invalid(`index must be non-negative: ${index}`);
  const from = book.sheets.indexOf(sheet);
  const to = Math.min(index > from ? index - 1 : index, book.sheets.length - 1);
  if (to !== from) book.sheets = book.sheets.toSpliced(from, 1).toSpliced(to, 0, sheet);
}

function checkVisible(book: Book): void {
  if (book.sheets.every((s) => s.state.hidden))
    throw invalid("You can't hide all the sheets in a document.");
}

/** @throws Refusal when the mask of an update names a property that the emulator does not keep, even to clear it */
function checkKept(mask: Mask): void {
  const names = (of: Mask): JsonObject =>
    Object.fromEntries(Array.from(of.keys(), (name) => [name, true]));
  checkSheetProperties({
    ...names(mask),
    gridProperties: names(below(mask, "gridProperties") ?? EVERYTHING),
  });
}

export const SHEET_HANDLERS: Handlers = {
  addSheet({ book, ids }, request) {
    const sheet = addSheet(book, ids, objectAt(request, "properties"));
    return { properties: sheetProperties(sheet, book.sheets.indexOf(sheet)) };
  },

  deleteSheet({ book }, request) {
    const sheet = sheetWith(book, intAt(request, "sheetId"));
    const left = book.sheets.filter((s) => s !== sheet);
    if (left.length === 0) throw invalid("You can't remove all the sheets in a document.");
    if (left.every((s) => s.state.hidden))
      throw invalid("You can't remove all the visible sheets in a document.");
    const { id } = sheet.state;
    const elsewhere = (range: JsonObject): boolean => (intAt(range, "sheetId") ?? 0) !== id;
    book.sheets = left;
    book.state = {
      ...book.state,
      metadata: book.state.metadata.filter((m) => {
        const location = objectAt(m, "location");
        if (location["locationType"] === "SPREADSHEET") return true;
        return elsewhere(
          location["locationType"] === "SHEET" ? location : objectAt(location, "dimensionRange"),
        );
      }),
    };
    return undefined;
  },

  updateSheetProperties({ book }, request) {
    const sent = objectAt(request, "properties");
    const sheet = sheetWith(book, intAt(sent, "sheetId"));
    const mask = parseUpdateMask(stringAt(request, "fields"), "SheetProperties");
    const all = mask.size === 0;
    const old = sheetProperties(sheet, book.sheets.indexOf(sheet));
    checkKept(mask);
    const next = update(old, { ...(all ? { sheetType: "GRID" } : {}), ...present(sent) }, mask);
    if (below(mask, "title") !== undefined)
      sheet.state = {
        ...sheet.state,
        title: checkTitle(book, stringAt(next, "title") ?? "", sheet),
      };
    const grid = objectAt(next, "gridProperties");
    const { rowCount, columnCount } = sheet.state;
    if (below(mask, "gridProperties") !== undefined)
      resize(
        book,
        sheet,
        intAt(grid, "rowCount") ?? (all ? rowCount : 0),
        intAt(grid, "columnCount") ?? (all ? columnCount : 0),
      );
    checkSheetProperties(next);
    sheet.state = { ...sheet.state, hidden: isTrue(next, "hidden") };
    checkVisible(book);
    const index = intAt(next, "index");
    if (below(mask, "index") !== undefined) moveSheet(book, sheet, index ?? book.sheets.length);
    return undefined;
  },
};
