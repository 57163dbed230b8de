/** What a worker holds of the tables, and how fresh it is. No waiting here: arrivals change it, callers read it. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { after, elapsed, ms, seconds, type Instant, type Ms, type Timestamp } from "../base/units.ts";
import type { Step } from "./edits.ts";
import { Snapshot } from "./snapshot.ts";
import { splice } from "./splice.ts";
import type { Arrival } from "./transport.ts";
import { causeOf, type Cause, type SnapshotHead, type TableInfo, type Unavailable } from "./types.ts";

/** How fresh a table's rows are: one object a table, changed in place, so that all answers made from the rows follow it. */
export interface TableSource {
  /** Grows whenever the rows, or who may see them, change: what was made under another version is dead. */
  version: number;
  /** Wall clock of the last time Google said that the rows are these. */
  checkedAt: Timestamp;
  freshUntil: Instant;
  staleUntil: Instant;
  /** Why the last refresh did not succeed; undefined when it did. */
  reason: Cause | undefined;
  /** Asks for a refresh: cheap, never throws. */
  expired(): void;
}

/** One version of a table's rows. Immutable: keep it for the whole of a request. */
export interface TableView {
  readonly info: TableInfo;
  readonly snapshot: Snapshot;
  readonly head: SnapshotHead;
  /** Shared by all versions of the table. */
  readonly source: TableSource;
  /** The source's version when these were its rows: what an answer made from them is stamped with. */
  readonly version: number;
  /** Why the last refresh did not succeed; absent when it did. */
  readonly failure?: Unavailable;
  /** The request that has this view waited for Google. */
  readonly waited?: true;
}

/** A source that notices its use: whoever answers from the rows reads `freshUntil` first. */
class Source implements TableSource {
  version = 0;
  checkedAt: Timestamp;
  staleUntil: Instant;
  reason: Cause | undefined = undefined;
  /** Answered from since this was last set to false. */
  used = false;
  readonly #ask: () => void;
  #freshUntil: Instant;

  constructor(checkedAt: Timestamp, now: Instant, ask: () => void) {
    this.checkedAt = checkedAt;
    this.#freshUntil = now;
    this.staleUntil = now;
    this.#ask = ask;
  }

  get freshUntil(): Instant {
    this.used = true;
    return this.#freshUntil;
  }

  set freshUntil(until: Instant) {
    this.#freshUntil = until;
  }

  expired(): void {
    this.#ask();
  }
}

export type Freshness = "fresh" | "stale" | "expired";

interface Entry {
  view: TableView;
  readonly source: Source;
  /** Until then a refresh that was asked for is not asked for again. */
  askedUntil: Instant;
}

const LEAST_STALE = seconds(30);
const ASK_AGAIN = seconds(1);
/**
 * Each holder of the rows asks for new ones a little before their TTL is over, by chance up to this part of it: the first one to do so
 * has them renewed for all, and what was loaded together does not expire together for ever.
 */
export const EARLIEST = 0.1;
const FOREVER = Infinity as Instant;
/** How long rows may be served after their TTL while a refresh is under way. */
const staleFor = (ttl: Ms): Ms => ms(Math.max(ttl, LEAST_STALE));

const ttlOf = ({ head, info }: TableView): Ms => head.ttl ?? info.ttl;

/**
 * Keeps the last error until newer rows arrive; a lost connection to the broker is over at once. Within an epoch heads come in order, so
 * that another time is a newer one, also after the wall clock was set back.
 */
function lasting(view: TableView | undefined, head: SnapshotHead): Pick<TableView, "failure"> {
  const failure = view?.failure;
  if (view === undefined || failure === undefined || failure.reason === "broker") return {};
  const { epoch, checkedAt } = view.head;
  const isNewer = head.epoch === epoch ? head.checkedAt !== checkedAt : head.checkedAt > checkedAt;
  return isNewer ? {} : { failure };
}

export interface HeldOptions {
  readonly clock: Clock;
  readonly log: Logger | undefined;
  readonly maxBytes: number;
  /** 0 ≤ random < 1. */
  readonly random: () => number;
  /** Asks the other end to refresh a table. */
  readonly touch: (table: string) => void;
}

export class HeldTables {
  readonly #options: HeldOptions;
  readonly #cache: LRUCache<string, Entry>;
  #infos: ReadonlyMap<string, TableInfo> | undefined;
  #linked = true;

  constructor(options: HeldOptions) {
    this.#options = options;
    this.#cache = new LRUCache<string, Entry>({
      maxSize: options.maxBytes,
      ttl: 1,
      ttlResolution: 0,
      allowStale: true,
      noDeleteOnStaleGet: true,
      perf: { now: () => options.clock.now() },
    });
  }

  /** All tables by name, or undefined before the list has arrived. */
  get infos(): ReadonlyMap<string, TableInfo> | undefined {
    return this.#infos;
  }

  view(name: string): TableView | undefined {
    const entry = this.#cache.get(name);
    if (entry !== undefined) entry.source.used = true;
    return entry?.view;
  }

  /** `expired` is: older than anything that may be served without waiting for a refresh. */
  freshness(name: string): Freshness {
    if (this.#cache.getRemainingTTL(name) > 0) return "fresh";
    const entry = this.#cache.peek(name);
    return entry !== undefined && this.#options.clock.now() < entry.view.source.staleUntil ? "stale" : "expired";
  }

  arrived({ head, bytes }: Arrival): void {
    const info = this.#infos?.get(head.table);
    if (info === undefined) return;
    const held = this.#cache.peek(head.table);
    if (held?.view.head.hash === head.hash) return this.renewed(head);
    let snapshot: Snapshot;
    try {
      snapshot = new Snapshot(bytes);
    } catch (e) {
      this.#options.log?.error({ table: head.table }, `a snapshot was refused, what was there stays: ${messageOf(e)}`);
      return;
    }
    this.#take(info, snapshot, head);
  }

  /** @returns false when that can't be laid over what is held: all rows are to come. */
  edited({ head, from, edits, added }: Step): boolean {
    const held = this.#cache.peek(head.table);
    const info = this.#infos?.get(head.table);
    if (held === undefined || info === undefined) return true; // nobody reads it here: it will be asked for
    const { view } = held;
    if (view.head.epoch !== head.epoch || view.head.version !== from) return false;
    const { epoch, version } = head;
    const allocate = (size: number): SharedArrayBuffer => new SharedArrayBuffer(size);
    try {
      const rows = new Snapshot(Uint8Array.from(added).buffer);
      this.#take(info, splice(view.snapshot, { edits, added: rows, epoch, version, allocate }), head);
    } catch (e) {
      this.#options.log?.error({ table: head.table }, `changed rows were refused, all of them are asked for: ${messageOf(e)}`);
      return false;
    }
    return true;
  }

  #take(info: TableInfo, snapshot: Snapshot, head: SnapshotHead): void {
    const held = this.#cache.peek(head.table);
    const source = held?.source ?? this.#newSource(head);
    source.version += 1;
    this.#keep({ info, snapshot, head, source, version: source.version, ...lasting(held?.view, head) }, source);
    this.#tellUse(source, head.table);
  }

  renewed(head: SnapshotHead): void {
    const held = this.#cache.peek(head.table);
    if (held === undefined || held.view.head.hash !== head.hash) return; // rows this side does not have: they will be asked for
    const { failure: _, ...view } = held.view;
    const { source } = held;
    const inAnswers = ({ ttl, warnings, hidden }: SnapshotHead): string => JSON.stringify([ttl, warnings, hidden]);
    if (inAnswers(head) !== inAnswers(view.head)) source.version += 1;
    this.#keep({ ...view, head, version: source.version, ...lasting(held.view, head) }, source);
    this.#tellUse(source, head.table);
  }

  /** A refresh failed: until the next one can have succeeded, which takes time where Google hangs, nothing is gained by waiting. */
  failed(why: Unavailable): void {
    const entry = this.#cache.peek(why.table);
    if (entry === undefined) return;
    const { source } = entry.view;
    entry.view = { ...entry.view, failure: why };
    source.reason = causeOf(why);
    const wait = ms(why.retryAfter + LEAST_STALE);
    source.staleUntil = Math.max(source.staleUntil, after(this.#options.clock.now(), wait)) as Instant;
  }

  /** A table that is gone, or is cut otherwise, is forgotten; all answers die whose readers may have changed. */
  listed(list: readonly TableInfo[]): void {
    this.#infos = new Map(list.map((info) => [info.name, info]));
    for (const [name, { view, source }] of Array.from(this.#cache.entries())) {
      const info = this.#infos.get(name);
      if (JSON.stringify(info) === JSON.stringify(view.info)) continue;
      source.version += 1;
      if (info?.definition === view.info.definition) this.#keep({ ...view, info, version: source.version }, source);
      else this.#cache.delete(name);
    }
  }

  /**
   * While the other end is away nothing fresher can be had: what is there is served as long as that lasts, and while the
   * refresh that is asked for afterwards may be under way.
   */
  linked(up: boolean): void {
    this.#linked = up;
    const now = this.#options.clock.now();
    for (const [name, entry] of this.#cache.entries()) {
      const { source } = entry.view;
      const until = Math.max(after(source.freshUntil, staleFor(ttlOf(entry.view))), after(now, LEAST_STALE)) as Instant;
      source.staleUntil = up ? until : FOREVER;
      entry.askedUntil = now;
      const failure: Unavailable = { table: name, reason: "broker", message: "the broker is away", retryAfter: ASK_AGAIN };
      if (!up) entry.view = { ...entry.view, failure };
      if (!up) source.reason = causeOf(failure);
    }
  }

  #keep(view: TableView, source: Source): void {
    const { clock, random } = this.#options;
    const { name } = view.info;
    const whole = ttlOf(view);
    const ttl = ms(whole * (1 - EARLIEST * random()));
    const now = clock.now();
    const age = Math.max(0, elapsed(view.head.checkedAt, clock.wall()));
    const freshUntil = after(now, ms(ttl - age));
    source.reason = view.failure === undefined ? undefined : causeOf(view.failure);
    source.checkedAt = view.head.checkedAt;
    source.freshUntil = freshUntil;
    source.staleUntil = this.#linked ? after(freshUntil, staleFor(whole)) : FOREVER;
    const start = now - age || Number.MIN_VALUE; // lru-cache takes a start of 0 for "no TTL"
    this.#cache.set(name, { view, source, askedUntil: now }, { ttl, start, size: view.snapshot.buffer.byteLength });
  }

  /**
   * Rows that were renewed before they expired would never be asked for: the other end hears at each renewal that they
   * were used, or it would have to guess for how long they still are.
   */
  #tellUse(source: Source, table: string): void {
    if (source.used) this.#options.touch(table);
    source.used = false;
  }

  #newSource(head: SnapshotHead): Source {
    const { clock, touch } = this.#options;
    return new Source(head.checkedAt, clock.now(), () => {
      const entry = this.#cache.peek(head.table);
      const now = clock.now();
      if (entry !== undefined && now < entry.askedUntil) return;
      if (entry !== undefined) entry.askedUntil = after(now, ASK_AGAIN);
      touch(head.table);
    });
  }
}
