/**
 * effectiveFormat: the default format, then banding, the cell's own format and the first
 * conditional format that holds. Later formats win field by field. Gradient rules are stored but
 * have no effect.
 */
import type { Sheet } from "./book.ts";
import { type Cell, isRich } from "./cell.ts";
import { holds, type Place } from "./conditions.ts";
import { DEFAULT_FORMAT } from "./defaults.ts";
import { isObject, type JsonObject, objectAt, objectsAt, optionalObject } from "./json.ts";
import { contains, rectOf } from "./ranges.ts";
import type { Renderer } from "./render.ts";

const PLAIN: JsonObject = { ...DEFAULT_FORMAT, hyperlinkDisplayType: "PLAIN_TEXT" };

export function effectiveFormat(renderer: Renderer, sheet: Sheet, place: Place, cell: Cell): JsonObject {
  const own = isRich(cell) ? cell.format : undefined;
  const numberFormat = renderer.numberFormat(sheet, cell);
  const layers = [
    banded(sheet, place),
    own,
    numberFormat === undefined ? undefined : { numberFormat },
    conditional(renderer, sheet, place),
  ];
  return layers.reduce<JsonObject>(over, PLAIN);
}

/** A format over another; text formats are joined field by field. */
function over(below: JsonObject, format: JsonObject | undefined): JsonObject {
  if (format === undefined) return below;
  const text = format["textFormat"];
  return { ...below, ...format, ...(isObject(text) ? { textFormat: { ...objectAt(below, "textFormat"), ...text } } : {}) };
}

const covers = (range: JsonObject, { row, column }: Place): boolean =>
  contains(rectOf(range), { startRow: row, endRow: row + 1, startColumn: column, endColumn: column + 1 });

function conditional(renderer: Renderer, sheet: Sheet, place: Place): JsonObject | undefined {
  for (const rule of sheet.state.features.conditionalFormats) {
    const ranges = objectsAt(rule, "ranges");
    const booleanRule = optionalObject(rule, "booleanRule");
    const [first] = ranges;
    if (booleanRule === undefined || first === undefined || !ranges.some((range) => covers(range, place))) continue;
    const { startRow, startColumn } = rectOf(first);
    const condition = objectAt(booleanRule, "condition");
    if (holds(renderer, sheet, condition, place, { row: startRow, column: startColumn })) return objectAt(booleanRule, "format");
  }
  return undefined;
}

/** Row colours of a banded range win over its column colours. */
function banded(sheet: Sheet, place: Place): JsonObject | undefined {
  const band = sheet.state.features.bandedRanges.find((range) => covers(objectAt(range, "range"), place));
  if (band === undefined) return undefined;
  const { startRow, endRow, startColumn, endColumn } = rectOf(objectAt(band, "range"));
  const rows = bandColour(objectAt(band, "rowProperties"), place.row - startRow, endRow - startRow);
  return rows ?? bandColour(objectAt(band, "columnProperties"), place.column - startColumn, endColumn - startColumn);
}

/** The colour of line `at` of `count`: the header's, the footer's, or one of two in turn. */
function bandColour(properties: JsonObject, at: number, count: number): JsonObject | undefined {
  const header = properties["headerColor"] !== undefined;
  const turn = (at - (header ? 1 : 0)) % 2 === 0 ? "firstBandColor" : "secondBandColor";
  const name = header && at === 0 ? "headerColor" : properties["footerColor"] !== undefined && at === count - 1 ? "footerColor" : turn;
  const [colour, style] = [properties[name], properties[`${name}Style`]];
  return colour === undefined ? undefined : { backgroundColor: colour, backgroundColorStyle: style };
}
