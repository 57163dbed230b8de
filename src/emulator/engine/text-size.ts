/**
 * How much room a text takes in a cell, in pixels. An estimate from the advance widths of Arial
 * (those of Helvetica's public AFM file); Google measures with the fonts themselves.
 */
import type { JsonObject } from "./json.ts";
import { intAt, objectAt } from "./json.ts";
import { ROW_HEIGHT } from "./defaults.ts";

/** Thousandths of the font's size, for the characters from space to tilde. */
const ADVANCES = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278,
  278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722,
  667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556,
  556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
] as const;
const BOLD = 1.08;
/**
 * Letters with accents are as wide as the others on average; East Asian scripts and emoji fill a
 * square.
 */
const [LETTER, SQUARE] = [556, 1000];
const FIRST_SQUARE = 0x1100;

const PADDING = { horizontal: 6, vertical: 6 };
const POINT = 4 / 3;
const LINE = 1.15;

/** Pixels of the font; 10 points without a format. */
const fontSize = (format: JsonObject): number => (intAt(objectAt(format, "textFormat"), "fontSize") ?? 10) * POINT;

function lineWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    width += ADVANCES[code - 32] ?? (code >= FIRST_SQUARE ? SQUARE : LETTER);
  }
  return width / 1000;
}

/** The width of a column that shows the text without a break. */
export function textWidth(text: string, format: JsonObject): number {
  const bold = objectAt(format, "textFormat")["bold"] === true ? BOLD : 1;
  const widest = text.split("\n").reduce((most, line) => Math.max(most, lineWidth(line)), 0);
  return Math.ceil(widest * fontSize(format) * bold) + PADDING.horizontal;
}

/** The height of a row that shows all lines of the text; wrapping formats break at `width`. */
export function textHeight(text: string, format: JsonObject, width: number): number {
  const wraps = format["wrapStrategy"] === "WRAP" || format["wrapStrategy"] === "LEGACY_WRAP";
  const room = Math.max(width - PADDING.horizontal, 1);
  const rows = (line: string): number => (wraps ? Math.max(1, Math.ceil((textWidth(line, format) - PADDING.horizontal) / room)) : 1);
  const lines = text.split("\n").reduce((sum, line) => sum + rows(line), 0);
  return Math.max(ROW_HEIGHT, lines * Math.round(fontSize(format) * LINE) + PADDING.vertical);
}
