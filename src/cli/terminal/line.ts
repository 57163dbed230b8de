/** A line of a drawn screen: pieces of text with a tone, which becomes a colour at the very end or nothing at all. */
import { columnsOf, cut } from "./printable.ts";

export type Tone = "plain" | "dim" | "bold" | "good" | "warn" | "bad" | "head";

export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}
export type Line = readonly Piece[];

export const piece = (text: string, tone: Tone = "plain"): Piece => ({ text, tone });

/** As much of the line as fits into `columns`. */
export function fitLine(line: Line, columns: number): Line {
  const kept: Piece[] = [];
  let left = columns;
  for (const { text, tone } of line) {
    const width = columnsOf(text);
    if (left > 0) kept.push({ text: cut(text, left), tone });
    left -= width;
  }
  return kept;
}

export const textOf = (line: Line): string => line.map(({ text }) => text).join("");

/** Select Graphic Rendition, ECMA-48 §8.3.117. */
const SGR: Readonly<Record<Tone, string>> = { plain: "", dim: "2", bold: "1", good: "32", warn: "33", bad: "31;1", head: "7" };

export const paint = (line: Line, colours: boolean): string =>
  line.map(({ text, tone }) => (colours && tone !== "plain" ? `\u001b[${SGR[tone]}m${text}\u001b[0m` : text)).join("");
