/** Properties of a new spreadsheet, and sizes of rows and columns, as recorded answers show them. */
import type { JsonObject } from "./json.ts";

export const NEW_PROPERTIES: JsonObject = {
  title: "Untitled spreadsheet",
  locale: "en_US",
  autoRecalc: "ON_CHANGE",
  timeZone: "Etc/GMT",
};

/** Pixels. */
export const ROW_HEIGHT = 21;
export const COLUMN_WIDTH = 100;
