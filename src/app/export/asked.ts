/** What a client wants to take away: the list's parameters, and the form. */
import { PARAMETERS, readQuery, splitPairs, type RawQuery } from "../query/parse.ts";
import { bad, good, quoted, type Checked } from "../query/model.ts";
import { FORMAT_NAMES, type Format } from "./formats.ts";

/** Rows of one export: more than any spreadsheet has. */
export const MOST_ROWS = 10_000_000;

export interface Asked {
  readonly format: Format;
  /** A byte order mark before CSV. */
  readonly mark: boolean;
  readonly query: RawQuery;
}

const BOUNDS = { standard: MOST_ROWS, most: MOST_ROWS, takes: `an export takes format, bom, ${PARAMETERS.join(", ")}` };

/** @param raw the part of the target after `?`, not decoded. */
export function readAsked(raw: string): Checked<Asked> {
  const pairs = splitPairs(raw);
  if (!pairs.ok) return pairs;
  const name = pairs.value.get("format");
  const bom = pairs.value.get("bom");
  const format = FORMAT_NAMES.find((known) => known === name);
  if (format === undefined)
    return bad("format", `is ${name === undefined ? "missing" : quoted(name)}: expected ${FORMAT_NAMES.join(", ")}`);
  if (bom !== undefined && bom !== "0" && bom !== "1") return bad("bom", `is ${quoted(bom)}: expected 1, or 0 for none`);
  if (bom === "1" && format !== "csv") return bad("bom", "is for format=csv alone");
  const query = readQuery(new Map([...pairs.value].filter(([key]) => key !== "format" && key !== "bom")), BOUNDS);
  return query.ok ? good({ format, mark: bom === "1", query: query.value }) : query;
}
