/** What is kept of a damaged journal: every row whose sum is right. The damaged files are put aside, the journal goes on in a new one. */
import { closeSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "../../base/wholefile.ts";
import { DroverError, errnoOf } from "../../base/errors.ts";
import type { Timestamp } from "../../base/units.ts";
import { Database, META, PAGE, SCHEMA } from "./database.ts";
import { rowsOfPage, type Pages } from "./pages.ts";
import type { LastAccepted } from "./journal.ts";
import { lossText, type Findings } from "./losses.ts";
import { recordOf, type Counters } from "./records.ts";
import { kindOf, type Kind, type Row } from "./rows.ts";
import { begin, firstMetadataId } from "./state.ts";
import { readWal } from "./wal.ts";

export const FILE = "journal.db";
/** Whole, and not yet in the place of the damaged one. */
export const NEXT = "journal.next";
const BUILDING = "journal.building";
const ASIDE = /^journal\.damaged-.*\.db$/;
/** Damaged journals that are kept. */
const MOST_ASIDE = 5;

/** Rows that could not be read may have had numbers that look free now. */
const LEAP = { lsn: 1_000_000, batch: 1_000 };
const COMMIT = { rows: 5_000, bytes: 4 * 1_048_576 };

/** @throws DroverError DROVER_E_JOURNAL. */
export function refuseNewer(schema: number, path: string): void {
  if (schema > SCHEMA)
    throw new DroverError(
      "DROVER_E_JOURNAL",
      `${path} was written by a newer drover (schema ${schema}; this one knows ${SCHEMA}): run that one, or restore a backup that this one made`,
    );
}

const move = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch (e) {
    if (errnoOf(e) !== "ENOENT") throw e;
  }
};

function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-journal"]) rmSync(`${path}${suffix}`, { force: true });
}

/**
 * Puts the new journal in its place, and the damaged one aside. Whoever is killed between finds `journal.next` at the next start, and goes on.
 * @returns the name of the damaged one, when there was one.
 */
function swap(dir: string, now: Timestamp): string | undefined {
  const file = join(dir, FILE);
  const aside = `journal.damaged-${new Date(now).toISOString().replaceAll(/[-:]/g, "")}.db`;
  const there = statSync(file, { throwIfNoEntry: false }) ?? statSync(`${file}-wal`, { throwIfNoEntry: false });
  for (const suffix of ["", "-wal", "-journal"]) move(`${file}${suffix}`, join(dir, `${aside}${suffix}`));
  renameSync(join(dir, NEXT), file);
  syncFolder(file);
  return there === undefined ? undefined : aside;
}

/** Ends what a thread that was killed had begun, and forgets the oldest of many damaged journals. */
export function finishSwap(dir: string, now: Timestamp): void {
  removeDatabase(join(dir, BUILDING));
  if (statSync(join(dir, NEXT), { throwIfNoEntry: false }) !== undefined) swap(dir, now);
  const aside = readdirSync(dir)
    .filter((name) => ASIDE.test(name))
    .sort();
  for (const name of aside.slice(0, -MOST_ASIDE)) removeDatabase(join(dir, name));
}

/** A file's pages, the newer ones of its WAL before them. */
export function openPages(path: string): { pages: Pages; count: number; close(): void } {
  const wal = readWal(`${path}-wal`, PAGE);
  const open = (name: string): number | undefined =>
    statSync(name, { throwIfNoEntry: false }) === undefined ? undefined : openSync(name, "r");
  const files = [open(path), wal.pages.size === 0 ? undefined : open(`${path}-wal`)] as const;
  const inFile = Math.ceil((statSync(path, { throwIfNoEntry: false })?.size ?? 0) / PAGE);
  const read = (file: number | undefined, at: number): Uint8Array | undefined => {
    const page = Buffer.alloc(PAGE);
    return file !== undefined && at >= 0 && readSync(file, page, 0, PAGE, at) > 0 ? page : undefined;
  };
  return {
    pages(nr) {
      const newer = wal.pages.get(nr);
      return newer === undefined ? read(files[0], (nr - 1) * PAGE) : read(files[1], newer);
    },
    count: Math.max(inFile, ...wal.pages.keys()),
    close: () => files.forEach((file) => file !== undefined && closeSync(file)),
  };
}

/** Every row that can be believed, with its kind; undefined for a cell that holds none. */
export function* rowsSeen({ pages, count }: ReturnType<typeof openPages>): Generator<{ kind: Kind; row: Row } | undefined> {
  for (let nr = 1; nr <= count; nr += 1)
    for (const row of rowsOfPage(nr, pages)) {
      const kind = row === undefined ? undefined : kindOf(row);
      if (row !== undefined && kind !== undefined) yield { kind, row };
      // The first page has SQLite's own table of tables.
      else if (nr > 1) yield undefined;
    }
}

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

function build(dir: string, accepted: LastAccepted | undefined): Findings & { readonly kept: number } {
  const database = new Database(join(dir, BUILDING));
  try {
    const { counters, identity, spreadsheet, unreadable } = copy(join(dir, FILE), database);
    const found = numbers(database);
    const ours = identity === undefined || identity === accepted?.identity ? accepted : undefined;
    const last = database.transaction(() => {
      const largest = reconcile(database, found);
      const numbered = {
        ...counters,
        nextLsn: Math.max(largest.lsn + 1, counters.nextLsn, (ours?.lsn ?? 0) + 1) + LEAP.lsn,
        nextBatch: Math.max(largest.batch + 1, counters.nextBatch) + LEAP.batch,
        nextMetadataId: firstMetadataId(),
      };
      begin(database, numbered, spreadsheet);
      return Math.max(largest.lsn, counters.nextLsn - 1);
    });
    return { kept: database.size("entry").rows, last, missing: missing(found, last), unreadable, accepted: ours };
  } finally {
    database.close();
  }
}

/**
 * @param why what is wrong with the journal that is there. @param lastAccepted names what is lost.
 * @returns what an operator should read.
 * @throws DroverError DROVER_E_JOURNAL when it is a newer drover's; what SQLite throws when there is no room for the new one.
 */
export function salvage(
  dir: string,
  why: string,
  { now, lastAccepted }: { now: Timestamp; lastAccepted: LastAccepted | undefined },
): string {
  removeDatabase(join(dir, BUILDING));
  const { kept, ...findings } = build(dir, lastAccepted);
  renameSync(join(dir, BUILDING), join(dir, NEXT));
  syncFolder(join(dir, NEXT));
  const aside = swap(dir, now);
  return (
    `the journal was damaged (${why}) and is put aside as ${aside ?? "nothing"}: ${kept} writes that wait were kept; ` +
    `${lossText(findings)}; what was on its way to Google may arrive twice`
  );
}
