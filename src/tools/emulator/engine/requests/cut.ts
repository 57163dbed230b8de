/** cutPaste: cells move with what they hold, and developer metadata stays on its rows. */
import { growTo } from "../book.ts";
import { invalid } from "../errors.ts";
import { intAt, optionalObject, stringAt } from "../json.ts";
import { overlap } from "../ranges.ts";
import { gridWith, type Handlers, targetAt } from "./request.ts";

export const CUT_HANDLERS: Handlers = {
  cutPaste({ book }, request) {
    const source = targetAt(book, request, "source");
    const type = stringAt(request, "pasteType") ?? "PASTE_NORMAL";
    if (type !== "PASTE_NORMAL")
      throw invalid(`pasteType ${type} is not supported by this emulator.`);
    const destination = optionalObject(request, "destination") ?? {};
    const sheet = gridWith(book, intAt(destination, "sheetId"));
    const [startRow, startColumn] = [
      intAt(destination, "rowIndex") ?? 0,
      intAt(destination, "columnIndex") ?? 0,
    ];
    if (startRow < 0 || startColumn < 0)
      throw invalid("destination.rowIndex and destination.columnIndex must not be negative.");
    const from = overlap(source);
    const columns = Array.from(
      { length: from.endColumn - from.startColumn },
      (_, c) => from.startColumn + c,
    );
    const lifted = Array.from({ length: from.endRow - from.startRow }, (_, r) =>
      columns.map((column) => source.sheet.grid.cell(from.startRow + r, column)),
    );
    growTo(book, sheet, startRow + lifted.length, startColumn + columns.length);
    for (const r of lifted.keys())
      for (const column of columns) source.sheet.grid.set(from.startRow + r, column, undefined);
    for (const [r, row] of lifted.entries())
      for (const [c, cell] of row.entries()) sheet.grid.set(startRow + r, startColumn + c, cell);
    return undefined;
  },
};
