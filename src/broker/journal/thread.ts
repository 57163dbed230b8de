/** The journal's thread: it alone touches the files, so that a slow disk keeps nobody waiting but those who asked for it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Ms } from "../../base/units.ts";
import { Committer } from "./commit.ts";
import { Damage, PAGE, type Database } from "./database.ts";
import type { Batch, OldFence, Tag } from "./journal.ts";
import { takeLock, type Lock } from "./lock.ts";
import type { FromThread, Group, Opened, Result, ThreadOptions } from "./messages.ts";
import { openFiles, type OpenJournal } from "./opening.ts";
import { recordOf } from "./records.ts";
import { Reserve } from "./reserve.ts";
import { Store } from "./store.ts";
import { FILE } from "./swap.ts";

const ENTRIES_A_MESSAGE = 1_000;
const port = parentPort ?? fail("the journal's thread is no program of its own");

function fail(why: string): never {
  throw new Error(why);
}

const say = (message: FromThread): void => port.postMessage(message);

/** Hands entries over in messages of some hundred kilobytes, so that nothing large is kept here. */
function entrySender(): { entry(lsn: number, record: string): void; damaged(): void; flush(): void } {
  let lsns: number[] = [];
  let records: string[] = [];
  const flush = (): void => {
    if (lsns.length > 0) say({ type: "entries", lsns, records });
    [lsns, records] = [[], []];
  };
  return {
    entry(lsn, record) {
      lsns.push(lsn);
      records.push(record);
      if (lsns.length >= ENTRIES_A_MESSAGE) flush();
    },
    damaged() {
      [lsns, records] = [[], []];
      say({ type: "damaged" });
    },
    flush,
  };
}

function opened({ database, state, damage }: OpenJournal): Opened {
  const batches = Array.from(database.all("batch"), (row): Batch => {
    const { fence, lsns, sealedAt } = recordOf("batch", row);
    return { nr: row.nr, fence, lsns, sealedAt, body: row.body ?? new Uint8Array(), sentAt: state.sealed.get(row.nr)?.sentAt };
  });
  const fences = Array.from(database.all("fence"), (row): OldFence => ({ id: row.nr, settledAt: recordOf("fence", row) }));
  const tags = Array.from(database.all("tag"), (row): Tag => ({ id: row.nr, ...recordOf("tag", row) }));
  const { nextMetadataId, nextBatch, landed, parked } = state.counters;
  const { identity, setAside } = state;
  return { identity, nextMetadataId, nextBatch, batches, fences, tags, landed, parked, setAside, damage };
}

/** Whoever wipes the directory under a running broker must not get acknowledgements that stand in files without a name. */
function watchFiles(dir: string): () => void {
  const path = join(dir, FILE);
  const nodeOf = (name: string): bigint | undefined => statSync(name, { bigint: true, throwIfNoEntry: false })?.ino;
  const node = nodeOf(path);
  return () => {
    if (nodeOf(path) !== node || nodeOf(`${path}-wal`) === undefined)
      throw new Damage(`${path} or its WAL was removed or replaced while it was open`);
  };
}

/** The journal at work: groups of operations, and copies beside them. */
class Desk {
  readonly #database: Database;
  readonly #committer: Committer;
  readonly #lock: Lock;
  /** Came while a step of a copy was being made, by a thread of SQLite's: a commit in the same moment would end the copy. */
  #held: Group[] = [];
  #copying = false;
  #toCopy: string[] = [];
  /** The journal must be opened anew. */
  #broken: { readonly by: unknown } | undefined;

  constructor(database: Database, committer: Committer, lock: Lock) {
    this.#database = database;
    this.#committer = committer;
    this.#lock = lock;
  }

  take(group: Group): void {
    if (this.#copying) this.#held.push(group);
    else this.#run(group);
  }

  #run(group: Group): void {
    const results = this.#committer.run(group);
    if (closes(group)) return this.#close(results);
    this.#say(results);
    for (const op of group.ops) if (op.do === "copy") this.#toCopy.push(op.to);
    if (!this.#copying) void this.#copy();
  }

  #close(results: readonly Result[]): void {
    try {
      this.#database.close(); // what it may fail at is tidiness: all that was answered is on disk
    } finally {
      this.#lock.release();
      this.#say(results);
      port.close();
    }
  }

  #say(results: readonly Result[]): void {
    const { setAside, trouble } = this.#committer;
    say({ type: "results", results, setAside, trouble });
  }

  /** Between two steps of a copy. @returns false: the journal is to be closed, and the copy goes no further. */
  #between(): boolean {
    try {
      while (this.#held[0] !== undefined && !closes(this.#held[0])) this.#run(this.#held.shift() as Group);
    } catch (e) {
      this.#broken = { by: e }; // SQLite's copy would swallow it
    }
    return this.#held.length === 0 && this.#broken === undefined;
  }

  async #copy(): Promise<void> {
    const to = this.#toCopy.shift();
    if (to === undefined) return;
    this.#copying = true;
    let failed: string | undefined;
    try {
      await this.#database.copyTo(to, () => this.#between());
    } catch (e) {
      failed = messageOf(e);
    }
    say({ type: "copied", to, failed });
    this.#between();
    if (this.#broken !== undefined) throw this.#broken.by; // ends the thread
    this.#copying = false;
    const last = this.#held.shift();
    if (last === undefined) await this.#copy();
    else this.#run(last);
  }
}

const closes = (group: Group): boolean => group.ops.some((op) => op.do === "close");

/** On a full disk the room that was kept for emptying the journal is used for opening it. */
function openWithRoom(reserve: Reserve, open: () => OpenJournal): OpenJournal {
  try {
    return open();
  } catch (e) {
    if (!(e instanceof DroverError && e.code === "DROVER_E_DISK" && reserve.give())) throw e;
    return open();
  }
}

function start({ dir, patience, now, limits, spreadsheet, lastAccepted, mostPages, reserve: size }: ThreadOptions): void {
  const lock = takeLock(join(dir, "journal.lock"), patience as Ms);
  const sender = entrySender();
  const reserve = new Reserve(dir, size);
  const journal = openWithRoom(reserve, () => openFiles(dir, { now, spreadsheet, lastAccepted }, sender));
  sender.flush();
  journal.database.checkpointAfter(Math.max(1, Math.min(1_000, Math.floor(reserve.wal / PAGE))));
  reserve.take();
  if (mostPages !== undefined) journal.database.limitPages(mostPages);
  say({ type: "opened", opened: opened(journal) });
  const committer = new Committer(journal.database, new Store(journal.database, limits, journal.state), reserve, watchFiles(dir));
  const desk = new Desk(journal.database, committer, lock);
  port.on("message", (group: Group) => desk.take(group));
}

try {
  start(workerData as ThreadOptions);
} catch (e) {
  say({ type: "refused", code: e instanceof DroverError ? e.code : "DROVER_E_BUG", message: messageOf(e) });
}
