/**
 * What the ledger keeps on disk: `dataDir/ledger.db` (SQLite, WAL, mode 0600), one row a fact.
 *
 * A transaction that ends sessions is synced to the disk (synchronous=FULL, sqlite.org/pragma.html#pragma_synchronous): it survives a loss
 * of power. All others survive the process, and a loss of power but for the last seconds.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { openOrReplace } from "../../base/damaged-database.ts";
import type { Logger } from "../../base/log.ts";
import { isDiskTrouble } from "../../base/storage.ts";

/** lease: by session · ended: by session · mark: by user · day: by key · window: by key, for a successor alone. */
export const KINDS = ["lease", "ended", "mark", "day", "window"] as const;
export type Kind = (typeof KINDS)[number];

export interface Fact {
  readonly kind: Kind;
  readonly key: string;
  /** undefined: there is no such fact any more. */
  readonly value: object | undefined;
}

export interface Kept {
  /** All facts of a kind; rows that are damaged are left out and logged. @throws when the disk refuses. */
  load(kind: Kind): Readonly<Record<string, unknown>>[];
  /** All, or none. @throws when the disk refuses. */
  write(facts: readonly Fact[]): void;
  close(): void;
}

/** Changes whenever what is kept is not understood any more: it is set aside then. */
const FORMAT = 1;
const SCHEMA = `CREATE TABLE IF NOT EXISTS facts (kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
  PRAGMA user_version = ${FORMAT};`;
/** A broker that leaves has closed its file by then. */
const PATIENCE = 2_000;

/** Sessions that were ended must stay so whatever happens to the machine. */
const REVOCATIONS: readonly Kind[] = ["ended", "mark"];

interface Opened {
  readonly db: DatabaseSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
  /** This connection alone may use the file: the only way without room for SQLite's -shm file. */
  readonly alone: boolean;
}

function openFile(path: string, alone: boolean): Opened {
  closeSync(openSync(path, "a", 0o600)); // SQLite's other files take this one's mode
  const db = new DatabaseSync(path, { timeout: PATIENCE });
  try {
    if (alone) db.exec("PRAGMA locking_mode = EXCLUSIVE"); // before the first read
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    const format = db.prepare("PRAGMA user_version").get()?.["user_version"];
    if (format !== 0 && format !== FORMAT) throw new Error(`it has the format ${String(format)}`);
    const check = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (check !== "ok") throw new Error(`it is malformed: ${String(check)}`);
    if (format === 0) db.exec(SCHEMA);
    const put = db.prepare("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)");
    return { db, put, remove: db.prepare("DELETE FROM facts WHERE kind = ? AND key = ?"), alone };
  } catch (e) {
    db.close();
    throw e;
  }
}

class Sqlite implements Kept {
  readonly #path: string;
  readonly #log: Logger;
  #open: Opened;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#open = this.#opened();
  }

  /** On a full disk the file can be read by one connection alone. */
  #opened(): Opened {
    try {
      return openFile(this.#path, false);
    } catch (e) {
      if (!isDiskTrouble(e)) throw e;
      return openFile(this.#path, true);
    }
  }

  load(kind: Kind): Readonly<Record<string, unknown>>[] {
    const rows = this.#open.db.prepare("SELECT value FROM facts WHERE kind = ?").all(kind);
    const facts = rows.map(({ value }) => readFact(String(value))).filter((fact) => fact !== undefined);
    const damaged = rows.length - facts.length;
    if (damaged > 0) this.#log.error({ kind, damaged }, `${damaged} rows of the ledger are damaged and left out (kind: ${kind})`);
    return facts;
  }

  write(facts: readonly Fact[]): void {
    if (!this.#open.db.isOpen) this.#open = this.#opened();
    const { db, put, remove, alone } = this.#open;
    const synced = facts.some(({ kind }) => REVOCATIONS.includes(kind));
    db.exec(`PRAGMA synchronous = ${synced ? "FULL" : "NORMAL"}`);
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const { kind, key, value } of facts) {
        if (value === undefined) remove.run(kind, key);
        else put.run(kind, key, JSON.stringify(value));
      }
      db.exec("COMMIT");
    } catch (e) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw e;
    }
    if (!alone) return;
    db.close(); // there is room again
    this.#open = this.#opened();
  }

  close(): void {
    if (this.#open.db.isOpen) this.#open.db.close();
  }
}

function readFact(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fact: unknown = JSON.parse(text);
    return typeof fact === "object" && fact !== null && !Array.isArray(fact) ? { ...fact } : undefined;
  } catch {
    return undefined; // counted and logged by the caller
  }
}

/** Opens the file in a data directory; a damaged one is set aside and replaced by an empty one. @throws when the disk refuses. */
export function openKept(dataDir: string, log: Logger): Kept {
  const path = join(dataDir, "ledger.db");
  return openOrReplace(
    path,
    () => new Sqlite(path, log),
    (why) =>
      log.error({ path }, `the sessions, revocations and daily counts are lost: ${why}; the file is set aside as ${path}.unreadable`),
  );
}

/** Keeps nothing: for tests, and for a ledger whose file is not open. */
export const keepNothing: Kept = { load: () => [], write: () => {}, close: () => {} };
