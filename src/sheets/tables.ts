import { createHash } from "node:crypto";
import { DroverError, messageOf } from "../base/errors.ts";
import { readText } from "../base/readtext.ts";
import type { Ms } from "../base/units.ts";
import { a1, looksLikeCells, quoted } from "./a1.ts";
import { NAME, parseAudience, parseColumns, parseGrowth, parseHidden, parseTabRange, parseText, parseTtl } from "./table-fields.ts";
import { isRecord, Problems, show, step, type Fields } from "./problems.ts";
import { ACCOUNTS, parseUsers } from "./users.ts";
import { hasRowIds } from "./rowids.ts";
import type { Audience, Column, Table, TableInfo } from "./types.ts";
import { namesSecret } from "./words.ts";

const TABLE_KEYS = [
  "range",
  "key",
  "spreadsheet",
  "ttl",
  "read",
  "append",
  "update",
  "owner",
  "deleted",
  "columns",
  "hidden",
  "maxRows",
  "maxBytes",
] as const;
const MOST_TABLES = 500;
/** Tabs beyond the most that a line names. */
const MOST_NAMED = 5;
const SPREADSHEET = /^[A-Za-z0-9_-]{20,200}$/;

/** @returns the id of the table's spreadsheet; undefined: it names none. */
function parseSpreadsheet(value: Fields, at: string, problems: Problems): string | undefined {
  if (!Object.hasOwn(value, "spreadsheet")) return undefined;
  const id = value["spreadsheet"];
  if (typeof id !== "string" || !SPREADSHEET.test(id)) {
    problems.add(`${at}/spreadsheet`, id, "a spreadsheet's id: the 20 or more characters between /d/ and /edit in its address");
    return undefined;
  }
  for (const right of ["append", "update"] as const)
    if ((value[right] ?? "nobody") !== "nobody")
      problems.add(
        `${at}/${right}`,
        value[right],
        'nobody: only tables of the spreadsheet that DROVER_SPREADSHEET_ID names can be written (they have no "spreadsheet")',
      );
  return id;
}

function parseTable(name: string, value: unknown, ttl: Ms, problems: Problems): Table | undefined {
  const at = `/tables${step(name)}`;
  if (!NAME.test(name)) problems.add(at, name, "a table name of letters, digits, - and _, at most 64, that starts with a letter or digit");
  if (!isRecord(value)) return (problems.add(at, value, 'an object such as {"range": "Sheet1"}'), undefined);
  for (const key of Object.keys(value)) if (!TABLE_KEYS.some((known) => known === key)) problems.unknown(at, key, TABLE_KEYS);
  const audience = (key: "read" | "append" | "update"): Audience =>
    Object.hasOwn(value, key) ? (parseAudience(value[key], `${at}/${key}`, problems) ?? "nobody") : "nobody";
  const range = parseTabRange(value["range"] ?? name, `${at}/range`, problems);
  const key = Object.hasOwn(value, "key") ? parseText(value["key"], `${at}/key`, "the name of the key column", problems) : undefined;
  const hidden = parseHidden(value, at, problems);
  const hides = (column: string): boolean => hidden?.includes(column) ?? namesSecret(column);
  const columns = Object.hasOwn(value, "columns")
    ? parseColumns(value["columns"], `${at}/columns`, { listed: hidden, hides }, problems)
    : [];
  const isHidden = (name: string): boolean => columns.find((column) => column.name === name)?.hidden ?? hides(name);
  if (key !== undefined && isHidden(key))
    problems.add(`${at}/key`, key, 'a column that is not hidden: keys stand in URLs (if it holds no secret, give it "hidden": false)');
  const deleted = Object.hasOwn(value, "deleted")
    ? parseText(value["deleted"], `${at}/deleted`, "the name of the column that marks deleted rows", problems)
    : undefined;
  if (deleted !== undefined && deleted === key) problems.add(`${at}/deleted`, deleted, "another column than the key");
  const rights = { read: audience("read"), append: audience("append"), update: audience("update") };
  const owner = parseOwner(value, rights, { columns, isHidden }, at, problems);
  const marked = columns.find((c) => c.name === deleted)?.type ?? "auto";
  if (marked !== "auto" && marked !== "boolean")
    problems.add(`${at}/columns${step(deleted ?? "")}/type`, marked, "boolean: it marks deleted rows");
  const spreadsheet = parseSpreadsheet(value, at, problems);
  return {
    name,
    range: range ?? name,
    key,
    ...(spreadsheet === undefined ? {} : { spreadsheet }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(deleted === undefined ? {} : { deleted }),
    ...(owner === undefined ? {} : { owner }),
    ttl: Object.hasOwn(value, "ttl") ? (parseTtl(value["ttl"], `${at}/ttl`, problems) ?? ttl) : ttl,
    columns,
    ...parseGrowth(value, at, problems),
    ...rights,
  };
}

/** The column that says whose a row is: rows are filtered by it in the workers, which have no hidden column. */
function parseOwner(
  value: Fields,
  rights: Pick<Table, "read" | "append" | "update">,
  { columns, isHidden }: { readonly columns: readonly Column[]; readonly isHidden: (name: string) => boolean },
  at: string,
  problems: Problems,
): string | undefined {
  const expected = 'the name of the column that holds the user\'s name: "own rows" needs it';
  if (!Object.hasOwn(value, "owner")) {
    if (Object.values(rights).includes("own rows")) problems.add(`${at}/owner`, undefined, expected);
    return undefined;
  }
  const owner = parseText(value["owner"], `${at}/owner`, expected, problems);
  if (owner === undefined) return undefined;
  const said = columns.find((column) => column.name === owner);
  if (isHidden(owner)) problems.add(`${at}/owner`, owner, "a column that is not hidden");
  else if (said !== undefined && said.type !== "auto" && said.type !== "string")
    problems.add(`${at}/columns${step(owner)}/type`, said.type, "string: it holds users' names");
  return owner;
}

function parseDocument(document: unknown, ttl: Ms, problems: Problems): readonly Table[] {
  if (!isRecord(document)) return (problems.add("", document, 'an object: {"tables": {…}}'), []);
  for (const key of Object.keys(document)) if (key !== "tables" && key !== "users") problems.unknown("", key, ["tables", "users"]);
  const tables = document["tables"];
  if (!isRecord(tables)) return (problems.add("/tables", tables, "an object of tables by name"), []);
  const entries = Object.entries(tables);
  if (entries.length === 0 || entries.length > MOST_TABLES)
    return (problems.add("/tables", `${entries.length} tables`, `1 to ${MOST_TABLES}`), []);
  const seen = new Map<string, string>();
  for (const [name] of entries) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined) problems.add(`/tables${step(name)}`, name, `a name that differs from "${twin}" by more than case`);
    seen.set(name.toLowerCase(), name);
  }
  const read = entries.flatMap(([name, value]) => parseTable(name, value, ttl, problems) ?? []);
  const users = Object.hasOwn(document, "users") ? parseUsers(document["users"], read, problems) : undefined;
  return users === undefined ? read : [...read, users];
}

/**
 * Reads the tables file's text.
 * @param file named in errors. @param ttl of tables that name none.
 * @throws DroverError DROVER_E_TABLES with every problem: file, JSON pointer, value, what was expected.
 */
export function parseTables(text: string, file: string, ttl: Ms): readonly Table[] {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (e) {
    throw new DroverError("DROVER_E_TABLES", `${file} is not JSON: ${messageOf(e)}`);
  }
  const problems = new Problems();
  const tables = parseDocument(document, ttl, problems);
  if (problems.lines.length === 0) return tables;
  throw new DroverError("DROVER_E_TABLES", problems.lines.map((line) => `${file}: ${line}`).join("\n"));
}

/**
 * The tables of a file (see `parseTables`).
 * @throws DroverError DROVER_E_TABLES, also when the file can't be read.
 */
export function readTables(file: string, ttl: Ms): readonly Table[] {
  let text: string;
  try {
    text = readText(file);
  } catch (e) {
    throw new DroverError("DROVER_E_TABLES", `the tables file ${file} can't be read: ${messageOf(e)} (DROVER_TABLES names it)`);
  }
  return parseTables(text, file, ttl);
}

/** A tab's title as a table name: letters and digits without accents, the rest `-`. Empty when nothing is left. */
const slug = (title: string): string =>
  title
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 60);

/**
 * The tables of a spreadsheet without a tables file: each tab one, the first column (that is not hidden) its key, all of
 * them private.
 * @returns the tables, one line for every name that is not simply the title's, and how many tabs are no tables.
 */
export function tablesFromTabs(
  titles: readonly string[],
  ttl: Ms,
): { readonly tables: readonly Table[]; readonly notes: readonly string[]; readonly unlisted: number } {
  const taken = new Set<string>();
  const notes: string[] = [];
  const tables = titles.slice(0, MOST_TABLES).map((title, nr): Table => {
    const base = slug(title) || `tab-${nr + 1}`;
    let name = base;
    for (let n = 2; taken.has(name); n += 1) name = `${base}-${n}`;
    taken.add(name);
    if (name !== slug(title))
      notes.push(`the tab ${show(title)} is the table "${name}"${base === name ? "" : `, because "${base}" is taken`}`);
    return { name, range: a1(title), key: undefined, ttl, columns: [], read: "nobody", append: "nobody", update: "nobody" };
  });
  const rest = titles.slice(MOST_TABLES);
  if (rest.length > 0) {
    const named = `${rest.slice(0, MOST_NAMED).map(show).join(", ")}${rest.length > MOST_NAMED ? ", …" : ""}`;
    notes.push(
      `${rest.length} of ${titles.length} tabs are no tables, because the most is ${MOST_TABLES}: ${named}. A tables file (DROVER_TABLES) chooses`,
    );
  }
  return { tables, notes, unlisted: rest.length };
}

/** Those that the file names: without the one that logins look at. */
export const namedTables = (tables: readonly Table[]): readonly Table[] => tables.filter(({ name }) => name !== ACCOUNTS);

/** What an operator must know: tables that people without a login can read, or add or change rows in. */
export function strangersMayRead(
  tables: readonly Table[],
): readonly { readonly table: string; readonly may: readonly string[]; readonly hidden: readonly string[] }[] {
  return tables.flatMap((table) => {
    const may = (["read", "append", "update"] as const).filter((right) => table[right] === "public");
    return may.length === 0 ? [] : [{ table: table.name, may, hidden: table.columns.filter((c) => c.hidden).map((c) => c.name) }];
  });
}

/** What clients may know of a table. */
export function tableInfo(table: Table, spreadsheetId: string): TableInfo {
  const { name, ttl, key, owner, read, append, update } = table;
  const said = { ...(key === undefined ? {} : { key }), ...(owner === undefined ? {} : { owner }) };
  return { name, ttl, ...said, read, append, update, definition: definitionOf(table, spreadsheetId) };
}

/** 16 hex digits over all that decides which cells of a table become visible, and how. @param spreadsheetId of tables that name none. */
export function definitionOf(table: Table, spreadsheetId: string): string {
  const cut = JSON.stringify([
    table.spreadsheet ?? spreadsheetId,
    looksLikeCells(table.range) ? quoted(table.range) : table.range, // unquoted it was read as cells of the first tab
    table.key ?? null,
    table.deleted ?? null,
    table.columns.map((c) => [c.name, c.type, c.hidden]),
    ...(hasRowIds(table) ? ["row ids"] : []),
    ...(table.accounts === undefined ? [] : [table.accounts]),
    ...(table.owner === undefined ? [] : [table.owner]),
    ...(table.hidden === undefined ? [] : [{ hidden: table.hidden }]),
  ]);
  return createHash("sha256").update(cut).digest("hex").slice(0, 16);
}
