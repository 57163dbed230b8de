/**
 * The feed on disk: what was told of each table, and the newest events, so that another broker goes on where this one ends,
 * however it ends. `dataDir/feed.db` (SQLite, mode 0600); every step is one transaction, and one broker at a time has it.
 *
 * A table's rows as they were told last are its `base` and the events since. The base is written again once those weigh as
 * much as it, so that a change costs about its own size.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { openOrReplace } from "../../base/damaged-database.ts";
import { messageOf } from "../../base/errors.ts";
import type { Timestamp } from "../../base/units.ts";
import type { FeedEvent, Position, RowChange, TableChange } from "../../sheets/events.ts";

/** What was last told of a table. */
export interface Told {
  readonly definition: string;
  /** Of the rows. */
  readonly hash: string;
  /** When Google was asked for them. */
  readonly checkedAt: Timestamp;
}

/** Nothing was told yet of a table's rows. @param definition empty: there is no such table now, but there was. */
export const untold = (definition: string): Told => ({ definition, hash: "", checkedAt: 0 as Timestamp });

/** A table's rows as they were told last: a snapshot's bytes, and what changed since. */
export interface Base {
  readonly bytes: Uint8Array;
  readonly changes: readonly RowChange[];
}

/** The two ends of what is kept (see EventRing). */
export interface Ends {
  readonly floor: Position;
  readonly head: Position;
}

export interface Kept extends Ends {
  readonly events: readonly FeedEvent[];
  readonly told: ReadonlyMap<string, Told>;
}

/** One step of the feed. */
export interface Step {
  /** After the step. */
  readonly ends: Ends;
  readonly events: readonly FeedEvent[];
  readonly table: string;
  readonly told: Told;
  /** The rows, when their base is to be written again. */
  readonly base: Uint8Array | undefined;
}

export interface History {
  /** @returns undefined when the rows are not known. */
  base(table: string): Base | undefined;
  keep(step: Step): void;
  /** Forgets what was made under other definitions than these; of tables that are none any more it stays known that they were there. */
  forget(definitions: ReadonlyMap<string, string>): void;
  close(): void;
}

/** Changes whenever what is kept is not understood any more: it is thrown away then. */
const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ends (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, tbl TEXT NOT NULL, definition TEXT NOT NULL,
    version INTEGER NOT NULL, what TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS by_table ON events (tbl, seq);
  CREATE TABLE IF NOT EXISTS told (tbl TEXT PRIMARY KEY, definition TEXT NOT NULL, hash TEXT NOT NULL, checkedAt INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS base (tbl TEXT PRIMARY KEY, seq INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS base_rows (tbl TEXT PRIMARY KEY, bytes BLOB NOT NULL);
  PRAGMA user_version = ${FORMAT};`;

type Row = Record<string, unknown>;
const eventOf = ({ epoch, seq, tbl, definition, version, what }: Row): FeedEvent => ({
  epoch: Number(epoch),
  seq: Number(seq),
  table: String(tbl),
  definition: String(definition),
  version: Number(version),
  what: JSON.parse(String(what)) as TableChange,
});

class Sqlite implements History {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #start: Position;

  constructor(path: string, start: Position) {
    closeSync(openSync(path, "a", 0o600)); // SQLite's other files take this one's mode
    this.#start = start;
    this.#db = new DatabaseSync(path, { timeout: 0 });
    try {
      // In exclusive mode the first access takes the lock, which goes with the process however it dies.
      this.#db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN EXCLUSIVE; COMMIT");
      const format = this.#db.prepare("PRAGMA user_version").get()?.["user_version"];
      if (format !== 0 && format !== FORMAT) throw new Error(`it has the format ${String(format)}`);
      if (format === 0) this.#db.exec(SCHEMA); // a write, for which there may be no room
    } catch (e) {
      this.#db.close();
      throw e;
    }
  }

  load(): Kept {
    const end = (name: string): Position => {
      const kept = this.#sql("SELECT epoch, seq FROM ends WHERE name = ?").get(name);
      return kept === undefined ? this.#start : { epoch: Number(kept["epoch"]), seq: Number(kept["seq"]) };
    };
    const [floor, head] = [end("floor"), end("head")];
    const events = this.#sql("SELECT * FROM events WHERE seq > ? ORDER BY seq").all(floor.seq).map(eventOf);
    const told = this.#sql("SELECT * FROM told")
      .all()
      .map(({ tbl, definition, hash, checkedAt }): [string, Told] => [
        String(tbl),
        { definition: String(definition), hash: String(hash), checkedAt: Number(checkedAt) as Timestamp },
      ]);
    return { floor, head, events, told: new Map(told) };
  }

  base(table: string): Base | undefined {
    const bytes = this.#sql("SELECT bytes FROM base_rows WHERE tbl = ?").get(table)?.["bytes"];
    if (!(bytes instanceof Uint8Array)) return undefined;
    const since = this.#sql("SELECT * FROM events WHERE tbl = ? AND seq > (SELECT seq FROM base WHERE tbl = ?) ORDER BY seq");
    const changes = since.all(table, table).map((row) => eventOf(row).what);
    return { bytes, changes: changes.filter((what) => what.kind !== "reset") };
  }

  keep({ ends, events, table, told, base }: Step): void {
    this.#transaction(() => {
      const insert = this.#sql("INSERT INTO events (seq, epoch, tbl, definition, version, what) VALUES (?, ?, ?, ?, ?, ?)");
      for (const e of events) insert.run(e.seq, e.epoch, e.table, e.definition, e.version, JSON.stringify(e.what));
      this.#tell(table, told);
      if (base !== undefined) {
        this.#sql("INSERT OR REPLACE INTO base VALUES (?, ?)").run(table, ends.head.seq);
        this.#sql("INSERT OR REPLACE INTO base_rows VALUES (?, ?)").run(table, base);
        // Until now the base lacked what is below the floor.
        this.#sql("DELETE FROM events WHERE tbl = ? AND seq <= ?").run(table, ends.floor.seq);
      }
      for (const name of ["floor", "head"] as const)
        this.#sql("INSERT OR REPLACE INTO ends VALUES (?, ?, ?)").run(name, ends[name].epoch, ends[name].seq);
    });
  }

  forget(definitions: ReadonlyMap<string, string>): void {
    this.#transaction(() => {
      for (const { tbl, definition } of this.#sql("SELECT tbl, definition FROM told UNION SELECT tbl, definition FROM events").all()) {
        const [table, made] = [String(tbl), String(definition)];
        if (definitions.get(table) === made) continue;
        this.#sql("DELETE FROM events WHERE tbl = ? AND definition = ?").run(table, made);
        if (this.#sql("DELETE FROM told WHERE tbl = ? AND definition = ?").run(table, made).changes === 0) continue;
        for (const name of ["base", "base_rows"]) this.#sql(`DELETE FROM ${name} WHERE tbl = ?`).run(table);
        if (!definitions.has(table)) this.#tell(table, untold(""));
      }
    });
  }

  close(): void {
    this.#db.close();
  }

  #tell(table: string, { definition, hash, checkedAt }: Told): void {
    this.#sql("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)").run(table, definition, hash, checkedAt);
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) this.#statements.set(text, (statement = this.#db.prepare(text)));
    return statement;
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (e) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw e;
    }
  }
}

/** What opening came to: `busy` means that another broker still has it. */
export type Opening =
  | { readonly is: "open"; readonly history: History; readonly kept: Kept }
  | { readonly is: "busy" }
  | { readonly is: "no"; readonly why: string };

/**
 * Opens the feed of a data directory; one that is damaged, or of another format, makes room for a new one.
 * @param start where the sequence begins if there is none.
 */
export function openHistory(dataDir: string, start: Position): Opening {
  const path = join(dataDir, "feed.db");
  const open = (): Opening => {
    const history = new Sqlite(path, start);
    try {
      return { is: "open", history, kept: history.load() };
    } catch (e) {
      history.close();
      throw e;
    }
  };
  try {
    return openOrReplace(path, open, () => {});
  } catch (e) {
    return /locked|busy/i.test(messageOf(e)) ? { is: "busy" } : { is: "no", why: messageOf(e) };
  }
}
