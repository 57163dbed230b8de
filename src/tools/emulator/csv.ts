/** A parser for CSV (RFC 4180): commas, doubled quotes and line breaks inside quotes, CRLF or LF. It guesses no dialect. */

export class CsvError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.name = "CsvError";
  }
}

/**
 * @returns rows of fields. An empty line is a row of one empty field, except at the end. A byte order mark is dropped.
 * @throws CsvError with the line (from 1) of a quote that is not closed, or not followed by a comma or a line end.
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
    if (end < 0) throw new CsvError(line, "a quote is not closed");
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
        `${JSON.stringify(next)} after a closing quote (expected a comma or a line end)`,
      );
    return { value, at: end + 1, breaks };
  }
}
