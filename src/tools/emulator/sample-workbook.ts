/** The first content of the emulator's spreadsheet: each CSV file in a folder becomes a tab of the same name. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import { parseCsv } from "./csv.ts";
import type { Tabs } from "./server.ts";

export const WORKBOOK_TITLE = "Killer: the sample workbook";

const MOST_BYTES = 64 * 1_048_576;
/** Google's limit. */
const LONGEST_CELL = 50_000;

/**
 * A field's value as an import types it: TRUE and FALSE, and numbers of at most 15 digits in their canonical spelling.
 * "007", "1e5", "+1" and longer digits are codes, not amounts: they stay text.
 */
export function typed(field: string): string | number | boolean {
  if (field === "TRUE" || field === "FALSE") return field === "TRUE";
  return /^-?\d+(\.\d+)?$/.test(field) && field.length <= 16 && String(Number(field)) === field
    ? Number(field)
    : field;
}

const refusal = (message: string, cause?: unknown): DroverError =>
  new DroverError("DROVER_E_DATA_DIR", message, { cause });

function readTab(path: string): Tabs[number] {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new RangeError(`it has ${size} bytes (expected at most ${MOST_BYTES})`);
    const rows = parseCsv(readFileSync(path, "utf8"));
    const long = rows.findIndex((row) => row.some((field) => field.length > LONGEST_CELL));
    if (long >= 0)
      throw new RangeError(`row ${long + 1} has a field of more than ${LONGEST_CELL} characters`);
    return { title: basename(path, ".csv"), rows: rows.map((row) => row.map(typed)) };
  } catch (error) {
    throw refusal(`can't import ${path}: ${messageOf(error)}`, error);
  }
}

/** @returns the tabs in alphabetical order. @throws DroverError naming the folder or file and what is wrong with it. */
export function readTabs(folder: string): Tabs {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith(".csv") && !name.startsWith("."));
  } catch (error) {
    throw refusal(`can't read the folder of CSV files ${folder}: ${messageOf(error)}`, error);
  }
  if (names.length === 0)
    throw refusal(`${folder} holds no .csv file: each one becomes a tab of the workbook`);
  return names.sort().map((name) => readTab(join(folder, name)));
}
