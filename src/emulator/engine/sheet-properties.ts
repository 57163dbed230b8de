/** SheetProperties beyond id, title, size and place: what of them a sheet keeps. */
import type { Sheet } from "./book.ts";
import { normalised } from "./colours.ts";
import { invalid } from "./errors.ts";
import { intAt, isTrue, type JsonObject, objectAt, withoutDefaults } from "./json.ts";

const OWN = ["tabColor", "tabColorStyle", "rightToLeft"] as const;
const GRID = ["frozenRowCount", "frozenColumnCount", "hideGridlines", "rowGroupControlAfter", "columnGroupControlAfter"] as const;

const pick = (from: JsonObject, keys: readonly string[]): JsonObject =>
  withoutDefaults(Object.fromEntries(keys.map((key) => [key, from[key]])));

/** Takes over what `properties` (a whole SheetProperties) says. @throws Refusal for freezing more than there is */
export function setProperties(sheet: Sheet, properties: JsonObject): void {
  const grid = objectAt(properties, "gridProperties");
  const { rowCount, columnCount } = sheet.state;
  const frozen = [intAt(grid, "frozenRowCount") ?? 0, intAt(grid, "frozenColumnCount") ?? 0] as const;
  if (frozen[0] < 0 || frozen[1] < 0) throw invalid("The number of frozen rows and columns must not be negative.");
  if (frozen[0] >= rowCount) throw invalid("You can't freeze all visible rows on the sheet.");
  if (frozen[1] >= columnCount) throw invalid("You can't freeze all visible columns on the sheet.");
  sheet.state = {
    ...sheet.state,
    hidden: isTrue(properties, "hidden"),
    properties: pick(normalised(properties), OWN),
    gridProperties: pick(grid, GRID),
  };
}
