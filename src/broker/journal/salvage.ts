/** What is kept of a damaged journal: every row whose sum is right. The damaged files are put aside, the journal goes on in a new one. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Timestamp } from "../../base/units.ts";
import { syncFolder } from "../../base/wholefile.ts";
import { Database, META } from "./database.ts";
import type { LastAccepted } from "./journal.ts";
import { lossText } from "./losses.ts";
import { recordOf, type Counters, type LossRecord } from "./records.ts";
import type { Kind, Row } from "./rows.ts";
import { openPages, refuseNewer, rowsSeen } from "./search.ts";
import { begin, firstMetadataId, putMeta } from "./state.ts";
import { asideName, BUILDING, FILE, NEXT, removeDatabase, swap } from "./swap.ts";

/** Rows that could not be read may have had numbers that look free now. */
const LEAP = { lsn: 1_000_000, batch: 1_000 };
const COMMIT = { rows: 5_000, bytes: 4 * 1_048_576 };

interface Found {
  readonly counters: Counters;
  readonly identity: string | undefined;
  readonly spreadsheet: string | undefined;
  readonly unreadable: number;
}

/** @param take is called with each row; those of meta are read here. */
function search(path: string, take: (kind: Kind, row: Row) => void): Found {
  const seen = openPages(path);
  let counters: Counters = { nextLsn: 1, nextBatch: 1, nextMetadataId: 1, landed: 0, parked: 0 };
  let identity: string | undefined;
  let spreadsheet: string | undefined;
  let unreadable = 0;
  const read = (kind: Kind, row: Row): void => {
    if (kind !== "meta") take(kind, row);
    else if (row.nr === META.schema) refuseNewer(recordOf("meta", row) as number, path);
    else if (row.nr === META.identity) identity = recordOf("meta", row) as string;
    else if (row.nr === META.counters) counters = recordOf("meta", row) as Counters;
    else if (row.nr === META.spreadsheet) spreadsheet = recordOf("meta", row) as string;
  };
  try {
    for (const found of rowsSeen(seen)) {
      if (found === undefined) unreadable += 1;
      else read(found.kind, found.row);
    }
  } finally {
    seen.close();
  }
  return { counters, identity, spreadsheet, unreadable };
}

/** Copies what is found into an empty database, some thousand rows a commit. */
function copy(path: string, database: Database): Found {
  let pending: [Kind, Row][] = [];
  let bytes = 0;
  const flush = (): void => {
    database.transaction(() => pending.forEach(([kind, row]) => database.replace(kind, row)));
    pending = [];
    bytes = 0;
  };
  const found = search(path, (kind, row) => {
    pending.push([kind, row]);
    bytes += row.record.length + (row.body?.length ?? 0);
    if (pending.length >= COMMIT.rows || bytes >= COMMIT.bytes) flush();
  });
  flush();
  return found;
}

interface Numbers {
  readonly settled: ReadonlySet<number>;
  readonly waiting: readonly number[];
}

function numbers(database: Database): Numbers {
  const settled = new Set<number>();
  for (const kind of ["landed", "parked"] as const) for (const { nr } of database.all(kind)) settled.add(nr);
  return { settled, waiting: Array.from(database.all("entry"), ({ nr }) => nr) };
}

/**
 * Pages of different ages may stand side by side. What has landed does not wait; a batch of which all has landed is settled; and a batch
 * whose sending is not noted may have been sent.
 * @returns the largest numbers in use.
 */
function reconcile(database: Database, { settled, waiting }: Numbers): { lsn: number; batch: number } {
  let lsn = 0;
  let batch = 0;
  for (const nr of settled) lsn = Math.max(lsn, nr);
  for (const nr of waiting) {
    lsn = Math.max(lsn, nr);
    if (settled.has(nr)) database.drop("entry", nr);
  }
  const batches = Array.from(database.all("batch")); // before any of them is dropped
  for (const row of batches) {
    const { lsns, sealedAt } = recordOf("batch", row);
    batch = Math.max(batch, row.nr);
    lsn = lsns.reduce((most, nr) => Math.max(most, nr), lsn);
    if (lsns.length > 0 && lsns.every((nr) => settled.has(nr))) {
      database.drop("batch", row.nr);
      database.drop("sending", row.nr);
    } else if (database.get("sending", row.nr) === undefined)
      database.put("sending", { nr: row.nr, name: null, record: JSON.stringify(sealedAt), body: null });
  }
  return { lsn, batch };
}

/** How many numbers between the oldest that waits and the last are nowhere. */
function missing({ settled, waiting }: Numbers, last: number): number {
  const kept = waiting.filter((nr) => !settled.has(nr));
  const [oldest] = kept;
  if (oldest === undefined) return 0;
  const since = [...settled].filter((nr) => nr > oldest).length;
  return Math.max(0, last - oldest + 1 - kept.length - since);
}

interface Ground {
  readonly now: Timestamp;
  readonly lastAccepted: LastAccepted | undefined;
}

/** The new journal says itself what was lost: it may be opened much later, by another thread. */
function build(dir: string, why: string, { now, lastAccepted: accepted }: Ground): string {
  const aside = asideName(now);
  const database = new Database(join(dir, BUILDING));
  try {
    const { counters, identity, spreadsheet, unreadable } = copy(join(dir, FILE), database);
    const found = numbers(database);
    const ours = identity === undefined || identity === accepted?.identity ? accepted : undefined;
    database.transaction(() => {
      const largest = reconcile(database, found);
      const numbered = {
        ...counters,
        nextLsn: Math.max(largest.lsn + 1, counters.nextLsn, (ours?.lsn ?? 0) + 1) + LEAP.lsn,
        nextBatch: Math.max(largest.batch + 1, counters.nextBatch) + LEAP.batch,
        nextMetadataId: firstMetadataId(),
      };
      begin(database, numbered, spreadsheet);
      const last = Math.max(largest.lsn, counters.nextLsn - 1);
      const lost = lossText({ last, missing: missing(found, last), unreadable, accepted: ours });
      const text =
        `the journal was damaged (${why}) and is put aside as ${aside}: ${database.size("entry").rows} writes that wait were kept; ` +
        `${lost}; what was on its way to Google may arrive twice`;
      putMeta(database, META.loss, { aside, text } satisfies LossRecord);
    });
    return aside;
  } finally {
    database.close();
  }
}

/**
 * Makes a new journal of what can be read of the damaged one. Its row META.loss says what was lost.
 * @param why what is wrong with the journal that is there. @param ground `lastAccepted` names what is lost.
 * @throws DroverError DROVER_E_JOURNAL when it is a newer drover's; what SQLite throws when there is no room for the new one.
 */
export function salvage(dir: string, why: string, ground: Ground): void {
  removeDatabase(join(dir, BUILDING));
  const aside = build(dir, why, ground);
  renameSync(join(dir, BUILDING), join(dir, NEXT));
  syncFolder(join(dir, NEXT));
  swap(dir, aside);
}
