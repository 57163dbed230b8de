/** The tokens of a formula. References keep their text and place, so that moving cells can rewrite them. */
export type Token =
  | { readonly is: "number"; readonly value: number; readonly at: number; readonly text: string }
  | { readonly is: "string"; readonly value: string; readonly at: number; readonly text: string }
  | { readonly is: "ref"; readonly at: number; readonly text: string; readonly sheet?: string; readonly area: string }
  | { readonly is: "error"; readonly at: number; readonly text: string }
  | { readonly is: "name"; readonly at: number; readonly text: string }
  | { readonly is: "mark"; readonly at: number; readonly text: string };

const END = "\\$?[A-Za-z]{1,3}\\$?[1-9]\\d{0,7}";
const AREA = `(?:${END}(?::(?:${END}|\\$?[A-Za-z]{1,3}|\\$?[1-9]\\d{0,7}))?|\\$?[A-Za-z]{1,3}:${END}|\\$?[A-Za-z]{1,3}:\\$?[A-Za-z]{1,3}|\\$?[1-9]\\d{0,7}:\\$?[1-9]\\d{0,7})(?![A-Za-z0-9_(.])`;
const SHEET = "(?:'(?:[^']|'')+'|[A-Za-z_\\u0080-\\uffff][\\w.\\u0080-\\uffff]*)!";
const LEXEMES = new RegExp(
  [
    "(?<space>\\s+)",
    '(?<string>"(?:[^"]|"")*")',
    `(?<error>(?:${SHEET})?#(?:REF!|N/A|VALUE!|DIV/0!|NAME\\?|NUM!|NULL!|ERROR!))`,
    `(?<ref>(?:${SHEET})?${AREA})`,
    "(?<number>(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?)",
    "(?<name>[A-Za-z_][\\w.]*)",
    "(?<mark><>|<=|>=|[-+*/^&=<>%(),;])",
  ].join("|"),
  "yu",
);

/** @returns undefined for a text that no formula has */
export function tokens(formula: string): readonly Token[] | undefined {
  const found: Token[] = [];
  const lexer = new RegExp(LEXEMES);
  for (let at = formula.startsWith("=") ? 1 : 0; at < formula.length; at = lexer.lastIndex) {
    lexer.lastIndex = at;
    const match = lexer.exec(formula);
    if (match === null) return undefined;
    const token = tokenOf(match, at);
    if (token !== undefined) found.push(token);
  }
  return found;
}

function tokenOf(match: RegExpExecArray, at: number): Token | undefined {
  const { space, string, ref, number, name, error } = match.groups ?? {};
  const text = match[0];
  if (space !== undefined) return undefined;
  if (string !== undefined) return { is: "string", value: string.slice(1, -1).replaceAll('""', '"'), at, text };
  if (number !== undefined) return { is: "number", value: Number(number), at, text };
  if (name !== undefined) return { is: "name", at, text };
  if (error !== undefined) return { is: "error", at, text };
  if (ref === undefined) return { is: "mark", at, text };
  const bang = ref.lastIndexOf("!");
  if (bang < 0) return { is: "ref", at, text, area: ref };
  const sheet = ref.slice(0, bang);
  return {
    is: "ref",
    at,
    text,
    area: ref.slice(bang + 1),
    sheet: sheet.startsWith("'") ? sheet.slice(1, -1).replaceAll("''", "'") : sheet,
  };
}
