/** Puts a new journal in the place of a damaged one, which is kept under another name. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import type { Timestamp } from "../../base/units.ts";
import { syncFolder } from "../../base/wholefile.ts";
import { META } from "./database.ts";
import { recordOf, type LossRecord } from "./records.ts";
import { openPages, rowsSeen } from "./search.ts";

export const FILE = "journal.db";
/** Whole, and not yet in the place of the damaged one. */
export const NEXT = "journal.next";
export const BUILDING = "journal.building";
const ASIDE = /^journal\.damaged-.*\.db$/;
/** Damaged journals that are kept. */
const MOST_ASIDE = 5;

export const asideName = (now: Timestamp): string => `journal.damaged-${new Date(now).toISOString().replaceAll(/[-:]/g, "")}.db`;

const move = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch (e) {
    if (errnoOf(e) !== "ENOENT") throw e;
  }
};

export function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-journal"]) rmSync(`${path}${suffix}`, { force: true });
}

/** Renames the damaged journal to `aside`, and the new one to its place. After a kill, `finishSwap` goes on. */
export function swap(dir: string, aside: string): void {
  const file = join(dir, FILE);
  for (const suffix of ["", "-wal", "-journal"]) move(`${file}${suffix}`, join(dir, `${aside}${suffix}`));
  renameSync(join(dir, NEXT), file);
  syncFolder(file);
}

/** @returns the name that the new journal gives to the damaged one. */
function intendedName(next: string): string | undefined {
  const seen = openPages(next);
  try {
    for (const found of rowsSeen(seen))
      if (found?.kind === "meta" && found.row.nr === META.loss) return (recordOf("meta", found.row) as LossRecord).aside;
    return undefined;
  } finally {
    seen.close();
  }
}

/** Finishes the swap of a thread that was killed, and removes the oldest of many damaged journals. */
export function finishSwap(dir: string, now: Timestamp): void {
  removeDatabase(join(dir, BUILDING));
  const next = join(dir, NEXT);
  if (statSync(next, { throwIfNoEntry: false }) !== undefined) swap(dir, intendedName(next) ?? asideName(now));
  const aside = readdirSync(dir)
    .filter((name) => ASIDE.test(name))
    .sort();
  for (const name of aside.slice(0, -MOST_ASIDE)) removeDatabase(join(dir, name));
}
