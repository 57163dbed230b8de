/** What a spreadsheet has that nobody chose: format and theme of a new one, as recorded answers show them. */
import { quantised } from "./colours.ts";
import type { JsonObject } from "./json.ts";

const rgb = (red: number, green: number, blue: number): JsonObject => quantised({ red: red / 255, green: green / 255, blue: blue / 255 });

const WHITE = rgb(255, 255, 255);

export const DEFAULT_FORMAT: JsonObject = {
  backgroundColor: WHITE,
  padding: { top: 2, right: 3, bottom: 2, left: 3 },
  verticalAlignment: "BOTTOM",
  wrapStrategy: "OVERFLOW_CELL",
  textFormat: {
    foregroundColor: {},
    fontFamily: "arial,sans,sans-serif",
    fontSize: 10,
    bold: false,
    italic: false,
    strikethrough: false,
    underline: false,
    foregroundColorStyle: { rgbColor: {} },
  },
  backgroundColorStyle: { rgbColor: WHITE },
};

const THEME_COLOURS: readonly (readonly [string, JsonObject])[] = [
  ["TEXT", {}],
  ["BACKGROUND", WHITE],
  ["ACCENT1", rgb(66, 133, 244)],
  ["ACCENT2", rgb(234, 67, 53)],
  ["ACCENT3", rgb(251, 188, 4)],
  ["ACCENT4", rgb(52, 168, 83)],
  ["ACCENT5", rgb(255, 109, 1)],
  ["ACCENT6", rgb(70, 189, 198)],
  ["LINK", rgb(17, 85, 204)],
];

export const THEME: JsonObject = {
  primaryFontFamily: "Arial",
  themeColors: THEME_COLOURS.map(([colorType, rgbColor]) => ({ colorType, color: { rgbColor } })),
};

export const NEW_PROPERTIES: JsonObject = {
  title: "Untitled spreadsheet",
  locale: "en_US",
  autoRecalc: "ON_CHANGE",
  timeZone: "Etc/GMT",
};

/** Pixels. */
export const ROW_HEIGHT = 21;
export const COLUMN_WIDTH = 100;
