/** What a journal is, seen from outside: without SQLite and without a lock, so that a daemon may have it open meanwhile. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { META } from "./database.ts";
import type { Entry } from "./journal.ts";
import { decodeEntry, recordOf } from "./records.ts";
import { openPages, refuseNewer, rowsSeen } from "./search.ts";
import { FILE } from "./swap.ts";
import { strangersWait } from "./spreadsheet.ts";

export interface Seen {
  readonly schema: number;
  /** Whose rows it takes; undefined: nobody has claimed it. */
  readonly spreadsheet: string | undefined;
  /** Writes that have not landed. While a daemon writes, nearly. */
  readonly waiting: number;
}

/**
 * Whether a broker of this version could take the journal for a spreadsheet, as it stands now.
 * @returns undefined when there is none. @throws DroverError DROVER_E_JOURNAL with the words of the broker that would refuse it.
 */
export function judgeJournal(dir: string, spreadsheet: string | undefined): Seen | undefined {
  const path = join(dir, FILE);
  const seen = inspectJournal(path);
  if (seen === undefined) return undefined;
  refuseNewer(seen.schema, path);
  if (spreadsheet !== undefined && seen.spreadsheet !== undefined && seen.spreadsheet !== spreadsheet && seen.waiting > 0)
    throw new DroverError("DROVER_E_JOURNAL", strangersWait(path, seen.waiting, seen.spreadsheet, spreadsheet));
  return seen;
}

/**
 * Every row has a sum of its own: of a page that is written at this moment a row may be missed, but none is misread.
 * @returns undefined when no journal is there. @throws a system error.
 */
export function inspectJournal(path: string): Seen | undefined {
  if (!existsSync(path)) return undefined;
  let schema = 0;
  let spreadsheet: string | undefined;
  let waiting = 0;
  const pages = openPages(path);
  try {
    for (const found of rowsSeen(pages)) {
      if (found === undefined) continue;
      const { kind, row } = found;
      if (kind === "entry") waiting += 1;
      if (kind === "meta" && row.nr === META.schema) schema = recordOf("meta", row) as number;
      if (kind === "meta" && row.nr === META.spreadsheet) spreadsheet = recordOf("meta", row) as string;
    }
  } finally {
    pages.close();
  }
  return { schema, spreadsheet, waiting };
}

/**
 * The entries that wait, read without SQLite: for a disk that has no room for opening the journal.
 * @returns them in their order; none when no journal is there. @throws a system error, or DroverError for a newer drover's journal.
 */
export function readWaiting(path: string): readonly Entry[] {
  const entries = new Map<number, Entry>();
  const settled = new Set<number>();
  const pages = openPages(path);
  try {
    for (const found of rowsSeen(pages)) {
      if (found === undefined) continue;
      const { kind, row } = found;
      if (kind === "entry") entries.set(row.nr, decodeEntry(row.nr, row.record));
      if (kind === "landed" || kind === "parked") settled.add(row.nr);
      if (kind === "meta" && row.nr === META.schema) refuseNewer(recordOf("meta", row) as number, path);
    }
  } finally {
    pages.close();
  }
  return [...entries.values()].filter(({ lsn }) => !settled.has(lsn)).toSorted((a, b) => a.lsn - b.lsn);
}
