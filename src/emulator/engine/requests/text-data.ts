/** pasteData and textToColumns: text that is split and entered as if typed. */
import { invalid } from "../errors.ts";
import { intAt, isTrue, type JsonObject, optionalObject, stringAt } from "../json.ts";
import { overlap } from "../ranges.ts";
import { FORMATTED, Renderer } from "../render.ts";
import { write } from "../write-values.ts";
import { type Context, gridWith, type Handlers, targetAt } from "./request.ts";
import type { Sheet } from "../book.ts";

function type(context: Context, sheet: Sheet, at: { row: number; column: number }, entries: readonly (readonly string[])[]): void {
  const area = { startRow: at.row, endRow: at.row + 1, startColumn: at.column, endColumn: at.column + 1 };
  write(context.book, { sheet, area, single: true, text: "" }, entries, "USER_ENTERED");
}

/** Ways to paste that enter values; text brings no formats or rules along. */
const ENTERING = new Set(["PASTE_NORMAL", "PASTE_VALUES", "PASTE_FORMULA", "PASTE_NO_BORDERS"]);

const DELIMITERS: Readonly<Record<string, string>> = { COMMA: ",", SEMICOLON: ";", PERIOD: ".", SPACE: " " };

/** The delimiter that a request names; AUTODETECT takes the one that splits most of the texts. */
function delimiterOf(request: JsonObject, texts: readonly string[]): string {
  const kind = stringAt(request, "delimiterType") ?? "DELIMITER_TYPE_UNSPECIFIED";
  const delimiter = kind === "CUSTOM" ? stringAt(request, "delimiter") : DELIMITERS[kind];
  if (kind === "AUTODETECT") {
    const count = (mark: string): number => texts.filter((text) => text.includes(mark)).length;
    return Object.values(DELIMITERS).reduce((best, mark) => (count(mark) > count(best) ? mark : best));
  }
  if (delimiter === undefined || delimiter === "") throw invalid("Must specify a delimiterType, and a delimiter if it is CUSTOM.");
  return delimiter;
}

export const TEXT_HANDLERS: Handlers = {
  pasteData(context, request) {
    if (isTrue(request, "html")) throw invalid("pasting HTML is not supported by this emulator.");
    const kind = stringAt(request, "type") ?? "PASTE_NORMAL";
    if (!ENTERING.has(kind)) throw invalid(`type ${kind} is not supported by this emulator.`);
    const delimiter = stringAt(request, "delimiter") ?? "";
    const coordinate = optionalObject(request, "coordinate");
    if (coordinate === undefined) throw invalid("Must specify coordinate.");
    if (delimiter === "") throw invalid("Must specify a delimiter.");
    const [row, column] = [intAt(coordinate, "rowIndex") ?? 0, intAt(coordinate, "columnIndex") ?? 0];
    if (row < 0 || column < 0) throw invalid("coordinate.rowIndex and coordinate.columnIndex must not be negative.");
    const sheet = gridWith(context.book, intAt(coordinate, "sheetId"));
    const { rowCount, columnCount } = sheet.state;
    if (row >= rowCount || column >= columnCount)
      throw invalid(`coordinate lies beyond the grid (${rowCount} rows, ${columnCount} columns).`);
    const lines = (stringAt(request, "data") ?? "").split(/\r?\n/);
    type(
      context,
      sheet,
      { row, column },
      lines.map((line) => line.split(delimiter)),
    );
    return undefined;
  },

  textToColumns(context, request) {
    const target = targetAt(context.book, request, "source");
    const { sheet } = target;
    const { startRow, endRow, startColumn, endColumn } = overlap(target);
    if (endColumn - startColumn !== 1) throw invalid("source must span exactly one column.");
    const renderer = new Renderer(context.book);
    const lines: { row: number; text: string }[] = [];
    for (let row = startRow; row < Math.min(endRow, sheet.grid.used); row++) {
      const text = renderer.render(sheet, row, startColumn, FORMATTED);
      if (text !== undefined) lines.push({ row, text: String(text) });
    }
    const delimiter = delimiterOf(
      request,
      lines.map(({ text }) => text),
    );
    for (const { row, text } of lines)
      if (text.includes(delimiter)) type(context, sheet, { row, column: startColumn }, [text.split(delimiter)]);
    return undefined;
  },
};
