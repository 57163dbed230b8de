/** Makes a workbook of a folder of CSV files: each file a tab named as the file, in alphabetical order. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import { parseCsv } from "./csv.ts";
import type { Seed } from "./server.ts";

export type Cell = string | number | boolean;
type Tab = Seed["tabs"][number];

const MOST_BYTES = 64 * 1_048_576;
/** A cell of Google's holds no more. */
const LONGEST_CELL = 50_000;

/**
 * A field's value as an import types it: TRUE and FALSE, and numbers in their one canonical spelling of at most 15 digits.
 * "007", "1e5", "+1" and longer digits stay text: they are codes, not amounts.
 */
export function typed(field: string): Cell {
  if (field === "TRUE" || field === "FALSE") return field === "TRUE";
  return /^-?\d+(\.\d+)?$/.test(field) && field.length <= 16 && String(Number(field)) === field
    ? Number(field)
    : field;
}

function tab(folder: string, file: string): Tab {
  const path = join(folder, file);
  const refuse = (what: string, cause?: unknown): DroverError =>
    new DroverError("DROVER_E_DATA_DIR", `can't import ${path}: ${what}`, { cause });
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw refuse(`it has ${size} bytes, at most ${MOST_BYTES} are imported`);
    const rows = parseCsv(readFileSync(path, "utf8"));
    const long = rows.findIndex((row) => row.some((field) => field.length > LONGEST_CELL));
    if (long >= 0)
      throw refuse(
        `row ${long + 1} has a field over ${LONGEST_CELL} characters, the most a cell holds`,
      );
    return { title: basename(file, ".csv"), rows: rows.map((row) => row.map(typed)) };
  } catch (error) {
    throw error instanceof DroverError ? error : refuse(messageOf(error), error);
  }
}

/** @throws DroverError naming the folder or file and what is wrong with it. */
export function readWorkbook(folder: string, id: string, title: string): Seed {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith(".csv") && !name.startsWith("."));
  } catch (error) {
    throw new DroverError(
      "DROVER_E_DATA_DIR",
      `can't read the folder of CSV files ${folder}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  if (names.length === 0)
    throw new DroverError(
      "DROVER_E_DATA_DIR",
      `${folder} holds no .csv file: each one becomes a tab of the workbook`,
    );
  return { id, title, tabs: names.sort().map((name) => tab(folder, name)) };
}
