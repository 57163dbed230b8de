/** findReplace: in texts, numbers as they are shown, and, when asked, formulas. */
import type { Rect } from "../a1.ts";
import type { Book, Sheet } from "../book.ts";
import { enter, isRich, type Scalar } from "../cell.ts";
import { checkText } from "../cell-data.ts";
import { invalid } from "../errors.ts";
import { intAt, isTrue, type JsonObject, optionalObject, stringAt, textAt, withoutDefaults } from "../json.ts";
import { localeOf } from "../locale.ts";
import { parseInput } from "../parse-input.ts";
import { overlap, gridTarget } from "../ranges.ts";
import { FORMATTED, Renderer } from "../render.ts";
import { type Handlers, sheetWith } from "./request.ts";

function scopes(book: Book, request: JsonObject): { sheet: Sheet; rect: Rect }[] {
  const whole = (sheet: Sheet): { sheet: Sheet; rect: Rect } => ({ sheet, rect: overlap({ sheet, area: {}, single: false, text: "" }) });
  const range = optionalObject(request, "range");
  if (range !== undefined) {
    const target = gridTarget(book, range);
    return [{ sheet: target.sheet, rect: overlap(target) }];
  }
  if (isTrue(request, "allSheets")) return book.sheets.map(whole);
  const id = intAt(request, "sheetId");
  if (id === undefined) throw invalid("Must specify a range, a sheetId or allSheets.");
  return [whole(sheetWith(book, id))];
}

/** @throws Refusal for an empty search or a regular expression that is none */
function pattern(request: JsonObject): RegExp {
  const find = stringAt(request, "find") ?? "";
  if (find === "") throw invalid("Must specify the text to find.");
  const source = isTrue(request, "searchByRegex") ? find : find.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const flags = isTrue(request, "matchCase") ? "g" : "gi";
  try {
    return new RegExp(isTrue(request, "matchEntireCell") ? `^(?:${source})$` : source, flags);
  } catch (thrown) {
    throw invalid(`Invalid regular expression: ${String(thrown)}`);
  }
}

interface Counts {
  valuesChanged: number;
  formulasChanged: number;
  occurrencesChanged: number;
  readonly rows: Set<string>;
  readonly sheets: Set<number>;
}

function replaced(text: string, find: RegExp, by: string, literal: boolean): { text: string; hits: number } {
  const hits = text.match(find)?.length ?? 0;
  return { text: hits === 0 ? text : literal ? text.replace(find, () => by) : text.replace(find, by), hits };
}

export const FIND_HANDLERS: Handlers = {
  findReplace({ book }, request) {
    const find = pattern(request);
    const by = stringAt(request, "replacement") ?? "";
    const literal = !isTrue(request, "searchByRegex");
    const counts: Counts = { valuesChanged: 0, formulasChanged: 0, occurrencesChanged: 0, rows: new Set(), sheets: new Set() };
    const locale = localeOf(textAt(book.state.properties, "locale"));
    const count = (sheet: Sheet, row: number, hits: number): void => {
      counts.occurrencesChanged += hits;
      counts.rows.add(`${sheet.state.id} ${row}`);
      counts.sheets.add(sheet.state.id);
    };
    for (const { sheet, rect } of scopes(book, request)) {
      const renderer = new Renderer(book);
      for (let row = rect.startRow; row < Math.min(rect.endRow, sheet.grid.used); row++)
        for (let column = rect.startColumn; column < Math.min(rect.endColumn, sheet.grid.row(row)?.length ?? 0); column++) {
          const cell = sheet.grid.cell(row, column);
          const formula = isRich(cell) ? cell.formula : undefined;
          if (formula !== undefined && !isTrue(request, "includeFormulas")) continue;
          const shown: Scalar | undefined = formula ?? renderer.render(sheet, row, column, FORMATTED);
          if (shown === undefined) continue;
          const { text, hits } = replaced(String(shown), find, by, literal);
          if (hits === 0) continue;
          count(sheet, row, hits);
          counts[formula === undefined ? "valuesChanged" : "formulasChanged"] += 1;
          const { numberFormat: _format, ...content } = parseInput(checkText(text), locale);
          sheet.grid.set(row, column, enter(cell, content.value === "" ? {} : content));
        }
    }
    const { rows, sheets, ...numbers } = counts;
    return withoutDefaults({ ...numbers, rowsChanged: rows.size, sheetsChanged: sheets.size });
  },
};
