/**
 * Text for a terminal. What an application, a client's path or Google's answer brought into a message must never reach the
 * terminal as a command to it: cursor moves, colours, titles, bidirectional tricks.
 */
import { stripVTControlCharacters } from "node:util";

/** Controls (C0, DEL and the one-character C1 forms that terminals obey too), format characters, halves of pairs, unassigned. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line of it: escape sequences go, white space becomes one blank, what else can't be seen becomes `?`. */
export const printable = (text: string): string => stripVTControlCharacters(text).replaceAll(/\s+/g, " ").replaceAll(UNPRINTABLE, "?");

/** The same for a text of several lines, which it keeps, and the blanks that indent them and align their columns. */
export const printableLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => stripVTControlCharacters(line).replaceAll(/\s/g, " ").replaceAll(UNPRINTABLE, "?"))
    .join("\n");

/**
 * A copy of JSON whose every string, names of fields too, is printable in one line.
 * @param brief fields of which the first line is enough: what follows is a stack.
 */
export function printableJson<T>(value: T, brief: readonly string[] = []): T {
  const copy = (of: unknown, field?: string): unknown => {
    if (typeof of === "string") return printable(field !== undefined && brief.includes(field) ? (of.trim().split("\n", 1)[0] ?? "") : of);
    if (Array.isArray(of)) return of.map((inner: unknown) => copy(inner));
    if (typeof of !== "object" || of === null) return of;
    return Object.fromEntries(Object.entries(of).map(([name, inner]) => [printable(name), copy(inner, name)]));
  };
  return copy(value) as T;
}

/** JSON leaves DEL and the C1 controls as they are; as escapes they mean the same to a program and nothing to a terminal. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);

/** Made when a text first needs it: that takes 10 ms, and the master loads this module at its start. */
let segmenter: Intl.Segmenter | undefined;
/** What terminals draw two columns wide (UAX #11 wide and fullwidth, near enough: a wrong guess moves one row by a column). */
const isWide = (grapheme: string): boolean =>
  /^(?:\p{RGI_Emoji}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/v.test(
    grapheme,
  );

const widthOf = (grapheme: string): number => (isWide(grapheme) ? 2 : 1);

function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns that a printable text takes. */
export const columnsOf = (text: string): number =>
  /^[\u0020-\u007e]*$/.test(text) ? text.length : graphemes(text).reduce((sum, grapheme) => sum + widthOf(grapheme), 0);

/** The text, or as much of it as fits, with `…` for the rest. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = "";
  let used = 0;
  for (const grapheme of graphemes(text)) {
    const width = widthOf(grapheme);
    if (used + width > columns - 1) break;
    kept += grapheme;
    used += width;
  }
  return columns <= 0 ? "" : `${kept}…`;
}

/** Exactly `columns` wide. */
export function fit(text: string, columns: number, align: "left" | "right" = "left"): string {
  const kept = cut(text, columns);
  const blank = " ".repeat(Math.max(0, columns - columnsOf(kept)));
  return align === "left" ? kept + blank : blank + kept;
}
