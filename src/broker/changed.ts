/**
 * Reads the tables that a reload has changed, before the broker of the old generation is asked for the journal. If one
 * can't be read any more, the new broker does not become ready: the roll goes back, and the old definition stays in force.
 */
import { seconds } from "../base/units.ts";
import type { Reading } from "../sheets/rows.ts";
import type { Table } from "../sheets/types.ts";
import { ACCOUNTS } from "../sheets/users.ts";
import type { Outcome } from "./upstream.ts";

/** Upper bound on one reading, and how often one without an answer is tried. */
export const READ_WITHIN = seconds(5);
const MOST_TRIES = 2;

export interface ChangedPort {
  readonly spreadsheetId: string;
  readonly tables: readonly Table[];
  /** How many rows the old definition of a table shows; undefined: the table is new, or cut as before. */
  rowsBefore(table: Table): number | undefined;
  /** Reads the values of tables that one spreadsheet has. */
  read(spreadsheetId: string, tables: readonly Table[], signal: AbortSignal): Promise<Outcome<readonly unknown[]>>;
  reading(table: Table, values: unknown): Reading;
}

/** @returns why tables can't be read as before, a line for each; undefined: all of them can. */
export async function unreadable(port: ChangedPort): Promise<string | undefined> {
  const before = new Map(port.tables.map((table) => [table, port.rowsBefore(table)]));
  const changed = port.tables.filter((table) => before.get(table) !== undefined);
  const groups = [...Map.groupBy(changed, ({ spreadsheet = port.spreadsheetId }) => spreadsheet)];
  const found = await Promise.all(
    groups.map(async ([id, tables]) => {
      const outcome = await readOf(port, id, tables);
      if (outcome.is !== "ok") return [`${namesOf(tables)}: ${outcome.message}`];
      return tables.flatMap((table, i) => whyNot(port.reading(table, outcome.value[i]), table, before.get(table) ?? 0) ?? []);
    }),
  );
  const lines = found.flat();
  if (lines.length === 0) return undefined;
  return `with the changed settings, ${lines.join("; ")}. Correct the tables file (DROVER_TABLES) and reload again`;
}

async function readOf(port: ChangedPort, id: string, tables: readonly Table[]): Promise<Outcome<readonly unknown[]>> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await port.read(id, tables, AbortSignal.timeout(READ_WITHIN));
    if (outcome.is !== "unavailable" || tries >= MOST_TRIES) return outcome;
  }
}

/** An empty tab is an empty table, but not one that can replace a table with rows: the range may be wrong. */
function whyNot(reading: Reading, table: Table, before: number): string | undefined {
  if (reading.is === "malformed") return `${nameOf(table)}: ${reading.why}`;
  const emptied = before > 0 && table.accounts === undefined && reading.layout.columns.length === 0;
  return emptied ? `${nameOf(table)}: the range ${table.range} is empty, and the table had ${before} rows` : undefined;
}

const nameOf = ({ name }: Table): string =>
  name === ACCOUNTS ? 'the table that "users" names can\'t be read' : `table ${name} can't be read`;

const MOST_NAMED = 5;
const namesOf = (tables: readonly Table[]): string => {
  const [only] = tables;
  if (only !== undefined && tables.length === 1) return nameOf(only);
  const named = tables.slice(0, MOST_NAMED).map(({ name }) => name);
  return `the tables ${named.join(", ")}${tables.length > MOST_NAMED ? ", …" : ""} can't be read`;
};
