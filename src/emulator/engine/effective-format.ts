/** effectiveFormat: the default format, then the cell's own. */
import { type Cell, isRich } from "./cell.ts";
import { DEFAULT_FORMAT } from "./defaults.ts";
import { isObject, type JsonObject, objectAt } from "./json.ts";
import type { Sheet } from "./book.ts";
import type { Renderer } from "./render.ts";

const PLAIN: JsonObject = { ...DEFAULT_FORMAT, hyperlinkDisplayType: "PLAIN_TEXT" };

export function effectiveFormat(renderer: Renderer, sheet: Sheet, cell: Cell): JsonObject {
  const own = isRich(cell) ? cell.format : undefined;
  const numberFormat = renderer.numberFormat(sheet, cell);
  return [own, numberFormat === undefined ? undefined : { numberFormat }].reduce<JsonObject>(over, PLAIN);
}

/** A format over another; text formats are joined field by field. */
function over(below: JsonObject, format: JsonObject | undefined): JsonObject {
  if (format === undefined) return below;
  const text = format["textFormat"];
  return { ...below, ...format, ...(isObject(text) ? { textFormat: { ...objectAt(below, "textFormat"), ...text } } : {}) };
}
