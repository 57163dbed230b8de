/** The journal's file: a SQLite database with one table for each kind of row. */
import { chmodSync, closeSync, openSync, rmSync } from "node:fs";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { sync, syncFolder } from "../../base/wholefile.ts";
import { errnoOf } from "../../base/errors.ts";
import { kindOf, KINDS, NAMED, sumOf, type Kind, type Row, type StoredRow } from "./rows.ts";

/** Of the tables and records. A journal that a newer drover wrote says a larger one, in the row META.schema. */
export const SCHEMA = 2;

/** Bytes. */
export const PAGE = 4_096;

/** Numbers of the rows of kind "meta". The number of the schema never changes. */
export const META = { schema: 1, identity: 2, counters: 3, spreadsheet: 4, loss: 5, steady: 6 } as const;

/** Keeps the index of the WAL in memory. */
const LOCKING = "PRAGMA locking_mode=EXCLUSIVE";

/** secure_delete zeroes deleted rows: they do not stay on disk, and a search through a damaged file does not find them again. */
const SETUP = `
  PRAGMA page_size=${PAGE}; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA fullfsync=1; PRAGMA checkpoint_fullfsync=1;
  PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;
  PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=16777216;`;

const TABLES = KINDS.map(
  (kind) =>
    `CREATE TABLE IF NOT EXISTS ${kind} (nr INTEGER PRIMARY KEY, name TEXT, record TEXT NOT NULL, body BLOB, sum BLOB NOT NULL) STRICT;
     ${NAMED.includes(kind) ? `CREATE UNIQUE INDEX IF NOT EXISTS ${kind}_name ON ${kind} (name);` : ""}`,
).join("\n");

/** Pages that are given back to the disk at once, at most: a commit waits for it. */
const SHRINK_PAGES = 250;

/** A copy is made in steps of so many pages: a commit waits for one of them at most. */
const COPY_PAGES = 256;

/** What a row says can't be believed. */
export class Damage extends Error {}

interface Statements {
  readonly put: StatementSync;
  readonly replace: StatementSync;
  readonly get: StatementSync;
  readonly named: StatementSync;
  readonly drop: StatementSync;
  readonly first: StatementSync;
  readonly last: StatementSync;
}

function prepare(database: DatabaseSync, kind: Kind): Statements {
  const columns = "nr, name, record, body, sum";
  return {
    put: database.prepare(
      `INSERT INTO ${kind} (${columns}) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (nr) DO UPDATE SET name = excluded.name, record = excluded.record, body = excluded.body, sum = excluded.sum`,
    ),
    replace: database.prepare(`INSERT OR REPLACE INTO ${kind} (${columns}) VALUES (?, ?, ?, ?, ?)`),
    get: database.prepare(`SELECT ${columns} FROM ${kind} WHERE nr = ?`),
    named: database.prepare(`SELECT ${columns} FROM ${kind} WHERE name = ?`),
    drop: database.prepare(`DELETE FROM ${kind} WHERE nr = ?`),
    first: database.prepare(`SELECT ${columns} FROM ${kind} ORDER BY nr LIMIT ?`),
    last: database.prepare(`SELECT ${columns} FROM ${kind} ORDER BY nr DESC LIMIT ?`),
  };
}

function checked(kind: Kind, found: unknown): Row {
  const row = found as StoredRow;
  if (kindOf(row) !== kind) throw new Damage(`the row ${kind} ${row.nr} does not fit its sum`);
  return row;
}

/** Makes the file, for its owner alone, and its name durable; a WAL gets the modes of its database from SQLite. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
    syncFolder(path);
  } catch (e) {
    if (errnoOf(e) !== "EEXIST") throw e;
    chmodSync(path, 0o600);
  }
}

/** Rows by kind. Everything that is read is checked against its sum. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements: ReadonlyMap<Kind, Statements>;

  /** @throws what SQLite throws when the file is no database or can't be written. */
  constructor(path: string) {
    makeFile(path);
    this.#database = new DatabaseSync(path, { timeout: 0 });
    try {
      this.#database.exec(LOCKING); // before the first read: else SQLite makes a -shm file, which needs room on the disk
      this.#refuseForeign();
      this.#database.exec(SETUP);
      this.#database.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
      this.#statements = new Map(KINDS.map((kind) => [kind, prepare(this.#database, kind)]));
    } catch (e) {
      this.close();
      throw e;
    }
  }

  /** Before anything is changed in it. @throws Damage. */
  #refuseForeign(): void {
    const tables = this.#database.prepare("SELECT name FROM sqlite_schema").all();
    if (tables.length > 0 && !tables.some(({ name }) => name === "meta")) throw new Damage("it is no journal of drover's");
  }

  /** All that `work` changes is durable when this returns, or none of it has happened. @throws what `work` or SQLite throws. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (e) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw e;
    }
  }

  /** @throws SQLITE_CONSTRAINT when a row of another number has its name. */
  put(kind: Kind, row: Row): void {
    this.#of(kind).put.run(row.nr, row.name, row.record, row.body, sumOf(kind, row));
  }

  /** As `put`; whatever has the row's name goes. */
  replace(kind: Kind, row: Row): void {
    this.#of(kind).replace.run(row.nr, row.name, row.record, row.body, sumOf(kind, row));
  }

  drop(kind: Kind, nr: number): void {
    this.#of(kind).drop.run(nr);
  }

  get(kind: Kind, nr: number): Row | undefined {
    const row = this.#of(kind).get.get(nr);
    return row === undefined ? undefined : checked(kind, row);
  }

  named(kind: Kind, name: string): Row | undefined {
    const row = this.#of(kind).named.get(name);
    return row === undefined ? undefined : checked(kind, row);
  }

  /** The `most` rows with the smallest numbers, or with the largest, those at the end first. A row that can't be believed has its number alone. */
  end(kind: Kind, which: "first" | "last", most: number): { readonly nr: number; readonly row: Row | undefined }[] {
    const found = this.#of(kind)[which].all(most) as unknown as StoredRow[];
    return found.map((row) => ({ nr: row.nr, row: kindOf(row) === kind ? row : undefined }));
  }

  *all(kind: Kind): Generator<Row> {
    for (const row of this.#of(kind).first.iterate(-1)) yield checked(kind, row);
  }

  /** Those of them that can be believed. */
  *sound(kind: Kind): Generator<Row> {
    for (const row of this.#of(kind).first.iterate(-1) as Iterable<unknown>) if (kindOf(row as StoredRow) === kind) yield row as StoredRow;
  }

  /** How many rows there are, and the bytes of their records. */
  size(kind: Kind): { readonly rows: number; readonly bytes: number } {
    const size = this.#database.prepare(`SELECT count(*) AS rows, coalesce(sum(octet_length(record)), 0) AS bytes FROM ${kind}`).get();
    return size as unknown as { rows: number; bytes: number };
  }

  /** How many parked writes nobody has dealt with. Rows are judged where they are read. */
  setAside(): number {
    const open = "CASE WHEN json_valid(record) THEN record -> '$.over' IS NULL ELSE 0 END";
    return this.#database.prepare(`SELECT count(*) AS rows FROM parked WHERE ${open}`).get()?.["rows"] as number;
  }

  /** @throws Damage: the file's structure is broken. Rows are judged where they are read. */
  examine(): void {
    const checks = ["quick_check(1)", ...KINDS.filter((kind) => kind !== "landed").map((kind) => `integrity_check(${kind})`)];
    for (const check of checks) {
      const said = Object.values(this.#database.prepare(`PRAGMA ${check}`).get() ?? {})[0];
      if (said !== "ok") throw new Damage(String(said).split("\n").join(", "));
    }
  }

  /** Moves what the WAL has into the database. @returns whether all of it was moved and, with "TRUNCATE", the WAL begins anew. */
  checkpoint(how: "PASSIVE" | "TRUNCATE"): boolean {
    const said = this.#database.prepare(`PRAGMA wal_checkpoint(${how})`).get();
    return said?.["busy"] === 0;
  }

  /**
   * Copies all that is committed into a new file, whole and on disk when this resolves. What is committed meanwhile is in it.
   * @param between is called between two steps: then, and not during a step, this connection may commit. false: the copy is not wanted
   * any more. @throws what SQLite throws, or an Error then; the file is gone.
   */
  async copyTo(path: string, between: () => boolean): Promise<void> {
    const remove = (): void => ["", "-journal", "-wal"].forEach((suffix) => rmSync(`${path}${suffix}`, { force: true }));
    const progress = (): void => {
      if (!between()) throw new Error("the journal is being closed");
    };
    remove();
    makeFile(path);
    try {
      await backup(this.#database, path, { rate: COPY_PAGES, progress });
      sync(path);
      syncFolder(path);
    } catch (e) {
      remove();
      throw e;
    }
  }

  /** Copies all of it into an empty file. @throws what SQLite throws. */
  vacuumInto(path: string): void {
    this.#database.prepare("VACUUM INTO ?").run(path);
  }

  /** Sets after how many pages of WAL a commit runs a checkpoint. */
  checkpointAfter(pages: number): void {
    this.#database.exec(`PRAGMA wal_autocheckpoint=${pages}`);
  }

  /**
   * Gives pages that hold nothing back to the disk, some of them (a database that an older drover made keeps them).
   * @param keep how many stay. @returns whether there are more.
   */
  shrink(keep: number): boolean {
    const free = this.#database.prepare("PRAGMA freelist_count").get()?.["freelist_count"] as number;
    if (free <= keep) return false;
    this.#database.exec(`PRAGMA incremental_vacuum(${Math.min(SHRINK_PAGES, free - keep)})`);
    return free - keep > SHRINK_PAGES;
  }

  /** For tests of a full disk. */
  limitPages(pages: number): void {
    this.#database.exec(`PRAGMA max_page_count=${pages}`);
  }

  close(): void {
    this.#database.close();
  }

  #of(kind: Kind): Statements {
    const statements = this.#statements.get(kind);
    if (statements === undefined) throw new Error(`no table ${kind}`);
    return statements;
  }
}
