/** A journal of an older drover, made into one of this: after a copy of it as it was, in one transaction. */
import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { syncFolder } from "../../base/wholefile.ts";
import type { Timestamp } from "../../base/units.ts";
import { META, SCHEMA, type Database } from "./database.ts";
import { putMeta } from "./state.ts";

/**
 * What each schema lacks of the next, by the older one's number. 1 has no META.spreadsheet: who opens it next claims it. A drover that
 * knows 1 alone would take no notice of the claim and send rows to another spreadsheet, and therefore must not open 2.
 */
const STEPS: Readonly<Record<number, (database: Database) => void>> = { 1: () => {} };

/** Copies of journals as they were, newest first: as many are kept. */
const MOST_KEPT = 3;
const COPY = /^journal\.schema\d+-.*\.db$/;

/** @returns where the copy is. @throws what SQLite or the file system throws: there may be no room. */
function keepCopy(database: Database, schema: number, path: string, now: Timestamp): string {
  const copy = join(dirname(path), `${basename(path, ".db")}.schema${schema}-${new Date(now).toISOString().replaceAll(/[-:]/g, "")}.db`);
  rmSync(copy, { force: true });
  closeSync(openSync(copy, "wx", 0o600)); // SQLite fills a file that is there and empty
  try {
    database.vacuumInto(copy);
    verify(copy);
  } catch (e) {
    rmSync(copy, { force: true });
    throw e;
  }
  chmodSync(copy, 0o400);
  syncFolder(copy);
  return copy;
}

function verify(copy: string): void {
  const file = openSync(copy, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const database = new DatabaseSync(copy, { readOnly: true });
  try {
    const said = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (said !== "ok") throw new Error(`the copy ${copy} is broken: ${String(said)}`);
  } finally {
    database.close();
  }
}

function forgetOldest(path: string): void {
  const copies = readdirSync(dirname(path))
    .filter((name) => COPY.test(name))
    .toSorted();
  for (const name of copies.slice(0, -MOST_KEPT)) rmSync(join(dirname(path), name), { force: true });
}

/** Does nothing to a journal of this drover's own. @param schema of the journal that is there, not larger than ours. */
export function migrate(database: Database, schema: number, path: string, now: Timestamp): void {
  if (schema === SCHEMA) return;
  keepCopy(database, schema, path, now);
  forgetOldest(path);
  database.transaction(() => {
    for (let nr = schema; nr < SCHEMA; nr += 1) {
      const step = STEPS[nr];
      if (step === undefined) throw new Error(`there is no way from a journal of schema ${nr} to ${nr + 1}`);
      step(database);
    }
    putMeta(database, META.schema, SCHEMA);
  });
}
