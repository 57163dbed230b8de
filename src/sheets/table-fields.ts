/** The fields of a table in the tables file, each read by itself. What is wrong is added to the problems. */
import { kibibytes, minutes, ms, type Ms } from "../base/units.ts";
import { nearest } from "../settings/nearest.ts";
import { duration, size } from "../settings/parsers.ts";
import { parseRange } from "./a1.ts";
import { MOST_BYTES, MOST_ROWS } from "./growth.ts";
import { isRecord, step, type Fields, type Problems } from "./problems.ts";
import type { Audience, Column, ColumnType, Table } from "./types.ts";

const COLUMN_KEYS = ["type", "hidden"] as const;
const TYPES = ["auto", "string", "number", "integer", "boolean", "date"] as const satisfies readonly ColumnType[];
const WORDS = ["nobody", "public", "signed-in", "own rows"] as const satisfies readonly Audience[];
/** Names stand in URLs and file names. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const TTL = duration(ms(100), minutes(24 * 60));
const SIZE = size(kibibytes(1), MOST_BYTES);

export function parseTtl(value: unknown, at: string, problems: Problems): Ms | undefined {
  const read = typeof value === "string" ? TTL.parse(value, "") : undefined;
  if (read?.ok === true) return read.value;
  problems.add(at, value, TTL.looksLike);
  return undefined;
}

/** @returns what the file says of how large writes may make a table. */
export function parseGrowth(value: Fields, at: string, problems: Problems): Pick<Table, "maxRows" | "maxBytes"> {
  const { maxRows, maxBytes } = value;
  const rows = Number.isSafeInteger(maxRows) && Number(maxRows) >= 1 && Number(maxRows) <= MOST_ROWS ? Number(maxRows) : undefined;
  const bytes = typeof maxBytes === "string" ? SIZE.parse(maxBytes, "") : undefined;
  if (maxRows !== undefined && rows === undefined) problems.add(`${at}/maxRows`, maxRows, `a whole number from 1 to ${MOST_ROWS}`);
  if (maxBytes !== undefined && bytes?.ok !== true) problems.add(`${at}/maxBytes`, maxBytes, SIZE.looksLike);
  return { ...(rows === undefined ? {} : { maxRows: rows }), ...(bytes?.ok === true ? { maxBytes: bytes.value } : {}) };
}

export function parseAudience(value: unknown, at: string, problems: Problems): Audience | undefined {
  const word = WORDS.find((w) => w === value);
  if (word !== undefined) return word;
  if (isRecord(value) && Object.keys(value).length === 1 && typeof value["role"] === "string" && NAME.test(value["role"]))
    return { role: value["role"] };
  const meant = typeof value === "string" ? nearest(value, WORDS) : undefined;
  problems.add(at, value, meant === undefined ? `"${WORDS.join('", "')}" or {"role": "name"}` : `an audience: did you mean "${meant}"?`);
  return undefined;
}

/** Says which columns are hidden that the file's `columns` says nothing of. */
export interface Hiding {
  /** The table's own list; undefined: the guess by names. */
  readonly listed: readonly string[] | undefined;
  readonly hides: (name: string) => boolean;
}

export function parseColumn(name: string, value: unknown, at: string, hiding: Hiding, problems: Problems): Column {
  const column: { name: string; type: ColumnType; hidden: boolean; guessed?: true } = {
    name: name.normalize("NFC"),
    type: "auto",
    hidden: hiding.hides(name.normalize("NFC")),
  };
  if (column.hidden && hiding.listed === undefined) column.guessed = true;
  if (!isRecord(value)) return (problems.add(at, value, 'an object such as {"type": "integer"} or {"hidden": true}'), column);
  if (name.trim() !== name || name === "") problems.add(at, name, "a column name without blanks around it: headers are trimmed");
  for (const [key, given] of Object.entries(value)) {
    if (key === "type") {
      const type = TYPES.find((t) => t === given);
      if (type === undefined) problems.add(at + step(key), given, `one of ${TYPES.join(", ")}`);
      else column.type = type;
    } else if (key === "hidden") {
      delete column.guessed;
      if (typeof given !== "boolean") problems.add(at + step(key), given, "true or false");
      else if (!given && hiding.listed?.includes(column.name) === true)
        problems.add(at + step(key), given, 'true, because "hidden" of the table names the column');
      else column.hidden = given;
    } else problems.unknown(at, key, COLUMN_KEYS);
  }
  return column;
}

export function parseColumns(value: unknown, at: string, hiding: Hiding, problems: Problems): readonly Column[] {
  if (isRecord(value)) return Object.entries(value).map(([name, column]) => parseColumn(name, column, at + step(name), hiding, problems));
  problems.add(at, value, "an object of columns by name");
  return [];
}

/** @returns the table's own list of hidden columns; undefined: it has none. */
export function parseHidden(value: Fields, at: string, problems: Problems): readonly string[] | undefined {
  if (!Object.hasOwn(value, "hidden")) return undefined;
  const names = value["hidden"];
  const sound = (name: unknown): name is string => typeof name === "string" && name.trim() === name && name !== "" && name.length <= 500;
  if (Array.isArray(names) && names.every(sound)) return names.map((name) => name.normalize("NFC"));
  problems.add(`${at}/hidden`, names, 'a list of column names such as ["code"], or [] to hide none because of its name');
  return undefined;
}

export function parseText(value: unknown, at: string, expected: string, problems: Problems): string | undefined {
  if (typeof value === "string" && value.trim() !== "" && value.length <= 500) return value.trim().normalize("NFC");
  problems.add(at, value, expected);
  return undefined;
}

/** Titles may begin or end with a blank: nothing is trimmed. */
export function parseTabRange(value: unknown, at: string, problems: Problems): string | undefined {
  const sound = typeof value === "string" && value.trim() !== "" && value.length <= 500 && parseRange(value) !== undefined;
  if (sound) return value.normalize("NFC");
  problems.add(at, value, "a tab's title, or A1 notation such as Sheet1!A1:F or 'My tab'!A1:F");
  return undefined;
}
