/**
 * The change feed: what became of the rows of every table that somebody may read, numbered, for workers to pass on.
 *
 *   seen(rows) ─ a moment ─→ others than those told last? ─→ diff by key ─→ events ─→ history (disk) ─→ followers (workers)
 *
 * The moment keeps the work off the way of those who wait for the rows, and makes one diff of a burst. A broker that begins while
 * its predecessor still runs waits for the history; until then it only remembers what it sees.
 */
import { join } from "node:path";
import { rmSync } from "node:fs";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { ms, seconds, type Timestamp } from "../../base/units.ts";
import type { Changes, FeedEvent, Position, TableChange } from "../../sheets/events.ts";
import { EventRing, weightOf } from "../../sheets/ring.ts";
import type { SnapshotHead, TableInfo } from "../../sheets/types.ts";
import { changedRows, changesOf, shapedRows, type Shaped } from "./changes.ts";
import { openHistory, untold, type History, type Told } from "./history.ts";

export interface FeedOptions {
  readonly dataDir: string;
  /** This broker's: larger than that of every one before. */
  readonly epoch: number;
  readonly log: Logger;
}

/** What was told of a table. */
interface Known {
  told: Told;
  /** Told by this broker; else by one before. */
  ours: boolean;
  /** undefined: only the history has them. */
  rows: Shaped | undefined;
  /** Of the events since the rows were last written to the history. */
  weight: number;
  /** When the first rows were read that are older than `told`; absent: there were none. */
  passedOver?: Timestamp;
}

interface Seen {
  /** How the table was cut when they were seen. */
  readonly definition: string;
  readonly head: SnapshotHead;
  readonly bytes: Uint8Array;
}

interface Follower {
  readonly from: Position | undefined;
  readonly tell: (changes: Changes) => void;
}

/** The rows are not written to the history more often than the events since weigh as much. */
const LEAST_REWRITE = 65_536;
const MOMENT = ms(20);
/** A table of many rows takes longer to compare than that: then most of the time is others'. */
const REST = 4;
const ASK_AGAIN = ms(50);
/** A broker that leaves is gone by then. */
const PATIENCE = seconds(10);

export class Feed {
  readonly #options: FeedOptions;
  readonly #known = new Map<string, Known>();
  readonly #followers = new Set<Follower>();
  /** The newest rows of each table that were not looked at yet. */
  readonly #waiting = new Map<string, Seen>();
  /** Tables that somebody may read; undefined: not known yet. */
  #infos: ReadonlyMap<string, TableInfo> | undefined;
  #ring: EventRing | undefined;
  #history: History | undefined;
  #retry: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #moment = MOMENT;
  /** Followers know what there was; from now on they hear every change. */
  #telling = false;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#open(performance.now() + PATIENCE);
  }

  /** The tables as they are now. Events of those that are gone or cut otherwise are forgotten. */
  tables(list: readonly TableInfo[]): void {
    this.#infos = new Map(list.filter(({ read }) => read !== "nobody").map((info) => [info.name, info]));
    if (this.#ring === undefined) return;
    this.#forget(this.#ring);
    if (!this.#telling) this.#begin(this.#ring);
  }

  /** Rows that workers have been told of, changed or not: what differs from what was told last becomes events. */
  seen(head: SnapshotHead, bytes: Uint8Array): void {
    const definition = this.#infos?.get(head.table)?.definition;
    if (this.#closed || definition === undefined) return;
    this.#waiting.set(head.table, { definition, head, bytes });
    if (this.#telling) this.#look ??= setTimeout(() => this.flush(), this.#moment);
  }

  /** Looks at once at what was seen. */
  flush(): void {
    if (this.#ring === undefined) return;
    clearTimeout(this.#look);
    this.#look = undefined;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    const began = performance.now();
    for (const seen of all) this.#lookAt(seen);
    this.#moment = ms(Math.max(MOMENT, REST * (performance.now() - began)));
  }

  #lookAt({ definition, head, bytes }: Seen): void {
    const known = this.#known.get(head.table);
    if (this.#ring === undefined || definition !== this.#infos?.get(head.table)?.definition || known?.told.hash === head.hash) return;
    if (known !== undefined && !known.ours && this.#isOlder(known, head)) return;
    const told: Told = { definition, hash: head.hash, checkedAt: head.checkedAt };
    const isFirst = known === undefined || known.told.hash === "";
    const before = isFirst ? undefined : (known.rows ?? this.#restored(head.table));
    const rows = shapedRows(bytes, before);
    const whats = isFirst ? [] : changesOf(before, rows);
    const events = this.#number(this.#ring, { table: head.table, definition, version: head.version }, whats);
    const weight = (known?.weight ?? Infinity) + events.reduce((sum, event) => sum + weightOf(event), 0);
    const rewrite = weight >= Math.max(LEAST_REWRITE, bytes.byteLength) || whats.some(({ kind }) => kind === "reset");
    this.#known.set(head.table, { told, ours: true, rows, weight: rewrite ? 0 : weight });
    this.#announce(this.#ring, events, { table: head.table, told, base: rewrite ? bytes : undefined });
  }

  /**
   * Whether the rows were read before those that an earlier broker has told. Times in the future say that the clock was set back since: then
   * only the first rows can be such, which came from disk.
   */
  #isOlder(known: Known, { table, checkedAt }: SnapshotHead): boolean {
    if (checkedAt >= known.told.checkedAt) return false;
    const { passedOver = checkedAt } = known;
    this.#known.set(table, { ...known, passedOver });
    return known.told.checkedAt <= Date.now() || checkedAt === passedOver;
  }

  /**
   * Tells what there is, and then every change.
   * @param from what the follower has already; it is told everything when that is not known here.
   * @returns a function that ends it.
   */
  follow(from: Position | undefined, tell: (changes: Changes) => void): () => void {
    const follower = { from, tell };
    this.#followers.add(follower);
    if (this.#ring !== undefined && this.#telling) catchUp(this.#ring, follower);
    return () => void this.#followers.delete(follower);
  }

  /** What was seen last is told still, if only to the history. */
  close(): void {
    this.flush();
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#history?.close();
    this.#history = undefined;
  }

  #open(patience: number): void {
    const { dataDir, epoch, log } = this.#options;
    const start = { epoch, seq: 0 };
    const opening = openHistory(dataDir, start);
    if (opening.is === "busy") {
      if (performance.now() > patience) log.warn({ dataDir }, "feed.db is in use by another process: changes are told once it is free");
      this.#retry = setTimeout(() => this.#open(performance.now() > patience ? Infinity : patience), ASK_AGAIN).unref();
      return;
    }
    if (opening.is === "no") log.error({ dataDir }, `the change feed can't be kept, a restart begins a new one: ${opening.why}`);
    else this.#history = opening.history;
    const kept = opening.is === "open" ? opening.kept : undefined;
    for (const [table, told] of kept?.told ?? []) this.#known.set(table, { told, ours: false, rows: undefined, weight: Infinity });
    this.#ring = kept === undefined ? new EventRing(start) : new EventRing(kept.floor, kept.events, kept.head);
    if (this.#infos === undefined) return;
    this.#forget(this.#ring);
    this.#begin(this.#ring);
  }

  #begin(ring: EventRing): void {
    this.flush();
    this.#telling = true;
    for (const follower of this.#followers) catchUp(ring, follower);
  }

  /**
   * Forgets what was made of tables that are gone or cut otherwise. Who watches a table that is cut otherwise, or is back, is told
   * to read it again.
   */
  #forget(ring: EventRing): void {
    const definitions = new Map([...(this.#infos ?? [])].map(([name, { definition }]) => [name, definition]));
    const stale = [...this.#known].filter(([name, { told }]) => definitions.get(name) !== told.definition).map(([name]) => name);
    if (stale.length === 0) return;
    ring.remove(({ table, definition }) => definitions.get(table) !== definition);
    this.#kept((history) => history.forget(definitions));
    for (const table of stale) {
      const definition = definitions.get(table);
      const told = untold(definition ?? "");
      this.#known.set(table, { told, ours: true, rows: undefined, weight: Infinity });
      if (definition === undefined) continue;
      const events = this.#number(ring, { table, definition, version: 0 }, [{ kind: "reset", reason: "columns" }]);
      this.#announce(ring, events, { table, told, base: undefined });
    }
  }

  #number(ring: EventRing, of: Pick<FeedEvent, "table" | "definition" | "version">, whats: readonly TableChange[]): readonly FeedEvent[] {
    const { seq } = ring.head;
    return whats.map((what, i) => ({ epoch: this.#options.epoch, seq: seq + 1 + i, ...of, what }));
  }

  /** On disk first: what was told is never told again, whatever ends this process. */
  #announce(ring: EventRing, events: readonly FeedEvent[], step: { table: string; told: Told; base: Uint8Array | undefined }) {
    const after = ring.head;
    ring.push(events);
    this.#kept((history) => history.keep({ ...step, events, ends: ring }));
    if (events.length === 0 || !this.#telling) return;
    for (const { tell } of this.#followers) tell({ after, events, upTo: ring.head });
  }

  /** What lacks a step is worse than none: a history that can't be written is given up, and the next broker begins a new one. */
  #kept(work: (history: History) => void): void {
    const { log, dataDir } = this.#options;
    try {
      if (this.#history !== undefined) work(this.#history);
    } catch (e) {
      log.error({ dataDir }, `the change feed on disk can't be used any more, the next broker begins a new one: ${messageOf(e)}`);
      this.#history?.close();
      this.#history = undefined;
      for (const name of ["feed.db", "feed.db-wal"]) rmSync(join(dataDir, name), { force: true });
    }
  }

  /** A table's rows as a broker before us told them last. */
  #restored(table: string): Shaped | undefined {
    let rows: Shaped | undefined;
    this.#kept((history) => {
      const base = history.base(table);
      if (base !== undefined) rows = changedRows(base.bytes, base.changes);
    });
    return rows;
  }
}

function catchUp(ring: EventRing, { from, tell }: Follower): void {
  const missed = from === undefined ? undefined : ring.since(from);
  if (missed === undefined || from === undefined) tell({ after: ring.floor, events: ring.events, upTo: ring.head });
  else if (missed.length > 0) tell({ after: from, events: missed, upTo: ring.head });
}
