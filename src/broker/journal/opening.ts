/** From what lies in the data directory to a journal that can be used: as it was, new, or what could be kept of a damaged one. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { openTwice } from "../../base/damaged-database.ts";
import { DroverError } from "../../base/errors.ts";
import { storageError } from "../../base/storage.ts";
import type { Timestamp } from "../../base/units.ts";
import { isDamage } from "./commit.ts";
import { Damage, Database, META, PAGE } from "./database.ts";
import { recordOf, type LossRecord } from "./records.ts";
import { salvage } from "./salvage.ts";
import { pageCount, refuseNewer } from "./search.ts";
import { FILE, finishSwap } from "./swap.ts";
import { migrate } from "./migrate.ts";
import { claim } from "./spreadsheet.ts";
import { begin, firstMetadataId, readState, type State } from "./state.ts";
import type { LastAccepted } from "./journal.ts";
import { lostTail } from "./losses.ts";
import { readWal, type Wal } from "./wal.ts";

export interface OpenJournal {
  readonly database: Database;
  readonly state: State;
  readonly damage: string | undefined;
}

export interface OnEntries {
  entry(lsn: number, record: string): void;
  /** The entries that came can't be believed: all come again. */
  damaged(): void;
}

/** What an opening goes by. */
export interface Ground {
  readonly now: Timestamp;
  /** Whose rows the journal takes; undefined: it is not asked. */
  readonly spreadsheet: string | undefined;
  /** Names what a damaged journal has lost. */
  readonly lastAccepted: LastAccepted | undefined;
}

function schemaOf(database: Database, path: string): number {
  const row = database.get("meta", META.schema);
  if (row === undefined) throw new Damage("it is no journal of drover's");
  const schema = recordOf("meta", row) as number;
  refuseNewer(schema, path);
  return schema;
}

const EMPTY = { nextLsn: 1, nextBatch: 1, landed: 0, parked: 0 };

/** @throws Damage, DroverError, or what SQLite throws. */
function openFile(path: string, fresh: boolean, ground: Ground, entry: OnEntries["entry"]): { database: Database; state: State } {
  const database = new Database(path);
  try {
    if (fresh) database.transaction(() => begin(database, { ...EMPTY, nextMetadataId: firstMetadataId() }, ground.spreadsheet));
    else {
      const schema = schemaOf(database, path);
      database.examine();
      migrate(database, schema, path, ground.now);
    }
    const state = readState(database, ground.now, entry);
    return { database, state: ground.spreadsheet === undefined ? state : claim(database, state, ground.spreadsheet, path) };
  } catch (e) {
    database.close();
    throw e;
  }
}

/**
 * Looks at the files before SQLite does, which takes the bytes that a file lacks at its end for zeros, or for a disk that fails.
 * @returns what is wrong with them.
 */
function look(path: string, size: number | undefined, wal: Wal): string | undefined {
  if (size === undefined || size === 0) return wal.size > 0 ? "its database is missing, its WAL is there" : undefined;
  // A hot rollback journal belongs to a file that was being made; SQLite knows what to do with it.
  if (statSync(`${path}-journal`, { throwIfNoEntry: false }) !== undefined) return wal.damage;
  if (size < PAGE) return `it has ${size} bytes`;
  return wal.damage ?? cutShort(path, size, wal);
}

/** A kill during a checkpoint leaves the file short of pages that the WAL still has. */
function cutShort(path: string, size: number, wal: Wal): string | undefined {
  const count = wal.count ?? pageCount(path);
  let whole = Math.floor(size / PAGE);
  while (whole < count && wal.pages.has(whole + 1)) whole += 1;
  return whole < count ? `it has ${size} bytes and must have ${count * PAGE}` : undefined;
}

/** What the damaged journal before this one lost, unless that was reported. */
function lossBefore(database: Database): string | undefined {
  const row = database.get("meta", META.loss);
  return row === undefined ? undefined : (recordOf("meta", row) as LossRecord).text;
}

/**
 * Adds what is lost. A WAL that ends too early (cut by fsck, or not copied whole), or has no valid header, looks to SQLite as after a
 * loss of power in which nothing was acknowledged: only the record outside the journal tells.
 */
function withLoss({ database, state }: Omit<OpenJournal, "damage">, wal: Wal, accepted: LastAccepted | undefined): OpenJournal {
  const { counters, identity } = state;
  const before = lossBefore(database);
  const lost = accepted?.identity === identity ? lostTail(counters.nextLsn - 1, accepted) : undefined;
  if (accepted === undefined || lost === undefined) return { database, state, damage: before };
  // nextMetadataId stays: by it the flusher notices that the journal is older than the spreadsheet.
  const renumbered = { ...state, counters: { ...counters, nextLsn: accepted.lsn + 1 } };
  const text = `the journal's WAL ${wal.isHeaded ? "is missing or ends too early" : "could not be read"}: ${lost}`;
  return { database, state: renumbered, damage: [before, text].filter((each) => each !== undefined).join("; ") };
}

/**
 * @throws DroverError DROVER_E_JOURNAL when a newer drover wrote it or another spreadsheet's writes wait in it, DROVER_E_DATA_DIR when it can't be read or written,
 * DROVER_E_DISK when the disk is full, read-only or fails: a later try may succeed.
 */
export function openFiles(dir: string, ground: Ground, on: OnEntries): OpenJournal {
  const { now, lastAccepted } = ground;
  const path = join(dir, FILE);
  try {
    finishSwap(dir, now);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    const wal = readWal(`${path}-wal`, PAGE);
    let why = look(path, size, wal);
    if (why === undefined) {
      const open = (): OpenJournal => {
        on.damaged(); // of an attempt before this one
        return withLoss(openFile(path, size === undefined || size === 0, ground, on.entry), wal, lastAccepted);
      };
      const opened = openTwice(path, open, isDamage);
      if (opened.is === "open") return opened.value;
      ({ why } = opened);
    }
    on.damaged();
    salvage(dir, why, ground);
    return withLoss(openFile(path, false, ground, on.entry), wal, lastAccepted);
  } catch (e) {
    if (e instanceof DroverError) throw e;
    throw storageError(`the journal ${path} can't be opened`, e, { directory: dir });
  }
}
