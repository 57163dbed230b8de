/** One commit for many operations, and what is done when the disk does not take it. */
import { messageOf } from "../../base/errors.ts";
import { resultCode } from "../../base/storage.ts";
import { Damage, type Database } from "./database.ts";
import type { Group, Op, Result } from "./messages.ts";
import type { Reserve } from "./reserve.ts";
import type { Moment } from "./steady.ts";
import type { Store } from "./store.ts";

/** After the disk was full, room is left to what empties the journal for so long; the next write then tries again. */
const SPARE = 500;
/** Pages that hold nothing and stay in the database, for the next writes: 8 MiB. */
const KEPT_FREE = 2_048;
const NO_ROOM = "the journal's disk is full: only what was accepted before is still sent. Free space on that disk";

const FULL = 13; // SQLITE_FULL
const CONSTRAINT = 19; // SQLITE_CONSTRAINT
const CORRUPT = 11; // SQLITE_CORRUPT
const NOT_A_DATABASE = 26; // SQLITE_NOTADB
const SHORT_READ = 522; // SQLITE_IOERR_SHORT_READ: no failed read, the file ends too early

/** The file is not what it was: no operation can go on. */
export const isDamage = (thrown: unknown): boolean =>
  thrown instanceof Damage ||
  [CORRUPT, NOT_A_DATABASE].includes(resultCode(thrown) ?? 0) ||
  (thrown as { errcode?: unknown }).errcode === SHORT_READ;

const READING: readonly Op["do"][] = ["find", "parked", "aside", "copy", "close"];
const isReading = (op: Op): boolean => READING.includes(op.do);
const done = (value: unknown): Result => ({ is: "done", value });

/** What an operation is answered that has not happened. */
function notDone(op: Op, why: string): Result {
  return op.do === "add" || op.do === "recall" ? done({ is: "disk", message: why }) : { is: "failed", message: why };
}

export class Committer {
  readonly #database: Database;
  readonly #store: Store;
  /** @throws when the files at the journal's place are no longer those that are open. */
  readonly #verify: () => void;
  readonly #reserve: Reserve;
  /** When the disk was last full, and when the reserve was last asked for, on this thread's monotonic clock. */
  #fullAt = -Infinity;
  #askedAt = -Infinity;
  #trouble: string | undefined;
  /** A write or a sync failed: what stands behind the last good commit in the WAL is not known. */
  #suspect: string | undefined;

  constructor(database: Database, store: Store, reserve: Reserve, verify: () => void) {
    this.#database = database;
    this.#store = store;
    this.#reserve = reserve;
    this.#verify = verify;
  }

  /** Why the disk takes no writes, as far as the last attempt tells; undefined: it does. */
  get trouble(): string | undefined {
    return this.#reserve.isWhole ? this.#trouble : (this.#trouble ?? NO_ROOM);
  }

  /** How many parked writes nobody has dealt with. */
  get setAside(): number {
    return this.#store.state.setAside;
  }

  /** @returns an answer for each operation. @throws for damage: the journal must be opened anew. */
  run({ ops, at }: Group): Result[] {
    const answers = new Map<Op, Result>();
    const changes = ops.filter((op) => !isReading(op));
    const spare = !this.#hasReserve() || performance.now() - this.#fullAt < SPARE;
    const tried = spare ? changes.filter((op) => op.do !== "add") : changes;
    for (const op of changes) answers.set(op, notDone(op, NO_ROOM));
    for (const [op, result] of this.#commit(tried, at)) answers.set(op, result);
    for (const op of tried) if (op.do === "tidy" && this.#tidied()) answers.set(op, done(true));
    return ops.map((op) => answers.get(op) ?? this.#read(op));
  }

  /** Looks for room now and then: the reserve is taken before anything is accepted. */
  #hasReserve(): boolean {
    const now = performance.now();
    if (this.#reserve.isWhole || now - this.#askedAt < SPARE) return this.#reserve.isWhole;
    this.#askedAt = now;
    return this.#reserve.take();
  }

  /** @returns whether there is more to tidy soon. */
  #tidied(): boolean {
    if (this.#reserve.isWhole && this.#reserve.free >= this.#reserve.size / 2) this.#trouble = undefined;
    const more = this.#careful(() => this.#database.shrink(this.#reserve.isWhole ? KEPT_FREE : 0));
    return more === true || this.trouble !== undefined;
  }

  #commit(ops: readonly Op[], at: Moment): Map<Op, Result> {
    if (ops.length === 0) return new Map();
    try {
      this.#mend();
      const answers = this.#together(ops, at);
      if (ops.some((op) => op.do === "add")) this.#trouble = undefined;
      if (!this.#reserve.isWhole) this.#cutWal();
      return answers;
    } catch (e) {
      if (isDamage(e)) throw e;
      const code = resultCode(e);
      if (code === undefined || code === CONSTRAINT) return this.#apart(ops, at, e);
      return this.#failed(ops, at, code, messageOf(e));
    }
  }

  #together(ops: readonly Op[], at: Moment): Map<Op, Result> {
    const before = this.#store.state;
    try {
      const answers = this.#database.transaction(() => new Map(ops.map((op) => [op, done(this.#store.change(op, at))])));
      this.#verify();
      return answers;
    } catch (e) {
      this.#store.state = before;
      throw e;
    }
  }

  /** One of them can't be done: it must not take the others with it. */
  #apart(ops: readonly Op[], at: Moment, why: unknown): Map<Op, Result> {
    const [only] = ops;
    if (only !== undefined && ops.length === 1) return new Map([[only, { is: "failed", message: messageOf(why) }]]);
    return new Map(ops.flatMap((op) => [...this.#commit([op], at)]));
  }

  #failed(ops: readonly Op[], at: Moment, code: number, why: string): Map<Op, Result> {
    const message = `the journal's disk: ${why}`;
    const answers = new Map(ops.map((op) => [op, notDone(op, message)]));
    this.#trouble = message;
    if (code !== FULL) {
      this.#suspect = message;
      return answers;
    }
    this.#fullAt = performance.now();
    const first = ops.filter((op) => op.do !== "add");
    // What empties the journal is tried again without what fills it, and then with the room that was kept for it.
    const again = first.length > 0 && (first.length < ops.length || this.#makeRoom());
    if (again) for (const [op, result] of this.#commit(first, at)) answers.set(op, result);
    return answers;
  }

  #makeRoom(): boolean {
    if (!this.#reserve.give()) return false;
    this.#cutWal();
    return true;
  }

  /** Gives the WAL's room back to the disk. */
  #cutWal(): void {
    this.#careful(() => this.#database.checkpoint("TRUNCATE"));
  }

  /** Does what may fail for the lack of room. @returns undefined: it did. */
  #careful<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (e) {
      if (isDamage(e)) throw e;
      if (resultCode(e) !== FULL) this.#suspect = `the journal's disk: ${messageOf(e)}`;
      return undefined;
    }
  }

  /**
   * After a failed write or sync the pages in the kernel's cache may claim to be on disk and are not, and a sync that is repeated may say
   * that all is well (fsync(2)'s error is reported once). So nothing is appended behind them: what was committed before, and is in the
   * WAL for certain, is written anew, into the database, and the WAL begins again.
   */
  #mend(): void {
    if (this.#suspect === undefined) return;
    if (!this.#database.checkpoint("TRUNCATE")) throw Object.assign(new Error(this.#suspect), { errcode: 10 });
    this.#suspect = undefined;
  }

  #read(op: Op): Result {
    try {
      if (op.do === "find") return done(this.#store.find(op.id));
      if (op.do === "parked") return done(this.#store.parked(op.most));
      if (op.do === "aside") return done(this.#store.aside(op.most, op.ids));
      return done(undefined);
    } catch (e) {
      if (isDamage(e)) throw e;
      return { is: "failed", message: messageOf(e) };
    }
  }
}
