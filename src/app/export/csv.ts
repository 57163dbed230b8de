/** CSV as RFC 4180 has it: CRLF, a header line, quotes only where they are needed. Pure. */
import type { Cell } from "../../sheets/snapshot.ts";
import { looksLikeFormula } from "./formats.ts";

/** Excel takes a file without it for the machine's old code page. */
export const BYTE_ORDER_MARK = "\uFEFF";

/** Blanks at an end and the separators of other countries are quoted too: some readers cut them off, or split there. */
const NEEDS_QUOTES = /[",;\t\r\n\0]|^\s|\s$/;

/**
 * One line with its end. Numbers are numbers, also negative ones; a text that looks like a formula gets a ' before it, which is
 * what a spreadsheet program itself would mark it with.
 */
export function csvLine(cells: readonly Cell[]): string {
  if (cells.length === 1 && cells[0] === null) return '""\r\n'; // an empty line is no row to most readers
  return `${cells.map(field).join(",")}\r\n`;
}

function field(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  if (typeof cell === "boolean") return cell ? "TRUE" : "FALSE"; // as Google writes it
  const text = looksLikeFormula(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
