/** A parser for CSV (RFC 4180): commas, doubled quotes and line breaks inside quotes, CRLF or LF. It guesses no dialect. */

export class CsvError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.name = "CsvError";
  }
}

const QUOTED = /"([^"]*(?:""[^"]*)*)"/y;
const BARE = /([^,\r\n]*(?:\r(?!\n)[^,\r\n]*)*)/y;
const END = /(,|\r?\n|$)/y;

/**
 * @returns rows of fields. An empty line is a row of one empty field, except at the end. A byte order mark is dropped.
 * @throws CsvError with the line (from 1) of a quote that is not closed, or not followed by a comma or a line end.
 */
export function parseCsv(source: string): string[][] {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const rows: string[][] = [];
  let at = 0;
  const take = (pattern: RegExp, expected: string): string => {
    pattern.lastIndex = at;
    const [, found] = pattern.exec(text) ?? [];
    if (found === undefined) throw new CsvError(text.slice(0, at).split("\n").length, expected);
    at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    const row: string[] = [];
    for (let end = ","; end === ",";) {
      const isQuoted = text[at] === '"';
      const field = take(isQuoted ? QUOTED : BARE, "a quote is not closed");
      row.push(isQuoted ? field.replaceAll('""', '"') : field);
      end = take(END, "text after a closing quote (expected a comma or a line end)");
    }
    rows.push(row);
  }
  return rows;
}
