/**
 * A reader for CSV as RFC 4180 has it: commas, quotes doubled inside quotes, CRLF or LF, line breaks inside quotes.
 * Written out because the format is sixty lines, the files are our own sample or a user's export, and a library's dialect
 * guessing is just what an import must not do.
 */

/** Where and why a file is not CSV. */
export class CsvError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.name = "CsvError";
  }
}

/**
 * @returns rows of fields, as written; empty lines are rows of one empty field except at the end. A byte order mark is dropped.
 * @throws CsvError with the line (from 1) at which a quote is never closed, or is followed by anything but a comma or line end.
 */
export function parseCsv(source: string): string[][] {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const field = text[at] === '"' ? quoted(text, at, line) : bare(text, at);
    row.push(field.value);
    ({ at } = field);
    line += field.breaks;
    if (text[at] === ",") {
      at += 1;
      if (at === text.length) row.push("");
      else continue;
    } else if (at < text.length) {
      at += text[at] === "\r" ? 2 : 1;
      line += 1;
    }
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

interface Field {
  readonly value: string;
  /** Where it ends: at a comma, a line end or the text's end. */
  readonly at: number;
  /** Line breaks inside it. */
  readonly breaks: number;
}

function bare(text: string, from: number): Field {
  let at = from;
  while (
    at < text.length &&
    text[at] !== "," &&
    text[at] !== "\n" &&
    !(text[at] === "\r" && text[at + 1] === "\n")
  )
    at += 1;
  return { value: text.slice(from, at), at, breaks: 0 };
}

function quoted(text: string, from: number, line: number): Field {
  let value = "";
  for (let at = from + 1; ;) {
    const end = text.indexOf('"', at);
    if (end < 0) throw new CsvError(line, "a quote is opened and never closed");
    value += text.slice(at, end);
    if (text[end + 1] === '"') {
      value += '"';
      at = end + 2;
      continue;
    }
    const breaks = value.split("\n").length - 1;
    const next = text[end + 1];
    const ends =
      next === undefined ||
      next === "," ||
      next === "\n" ||
      (next === "\r" && text[end + 2] === "\n");
    if (!ends)
      throw new CsvError(
        line + breaks,
        `after a closing quote comes ${JSON.stringify(next)}: expected a comma or the line's end`,
      );
    return { value, at: end + 1, breaks };
  }
}
