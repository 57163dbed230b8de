/** The ledger's facts on their way to the disk: which have changed, and what is done while the disk refuses them. */
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { between, seconds, type Instant } from "../../base/units.ts";
import type { Counts } from "./counts.ts";
import { leaseFact, readKnown, windowFact, type Known } from "./facts.ts";
import { keepNothing, notOpen, type Fact, type Kept } from "./kept.ts";
import type { Now, Slots } from "./slots.ts";

/** A lease that moved by less is not written again: after a restart everybody has some grace anyway. */
const WORTH_WRITING = seconds(15);
/** A file that could not be opened is tried again this often. */
const REOPEN_EVERY = seconds(2);

/** What the facts are made of. */
export interface Books {
  readonly slots: Slots;
  readonly counts: Counts;
}

export class LedgerFile {
  readonly #log: Logger;
  readonly #open: () => Kept;
  #kept: Kept = keepNothing;
  readonly #dirty = { lease: new Set<string>(), ended: new Set<string>(), mark: new Set<string>(), day: new Set<string>() };
  /** Until when each lease is, on disk. */
  readonly #written = new Map<string, Instant>();
  #failing = false;
  /** When a file that could not be opened was last tried. */
  #triedAt = 0 as Instant;
  /** The file still has another broker's windows. */
  #staleWindows = false;

  /** @param open opens what is kept. @throws when the disk refuses. */
  constructor(log: Logger, open: () => Kept) {
    this.#log = log;
    this.#open = open;
  }

  /** @returns what the last broker left; undefined when it can't be read: everything is kept in memory until the disk takes it. */
  open(at: Now): Known | undefined {
    this.#written.clear();
    try {
      this.#kept = this.#open();
      const known = readKnown(this.#kept, at);
      this.#staleWindows = true; // they are ours now
      return known;
    } catch (e) {
      this.#log.error(`the ledger of sessions and counts can't be read or written, it is kept in memory for now: ${messageOf(e)}`);
      this.#failing = true;
      this.#triedAt = at.now;
      if (this.#kept === keepNothing) this.#kept = notOpen;
      return undefined;
    }
  }

  /** These leases are on disk as they are. */
  loaded({ leases }: Slots): void {
    for (const [id, { until }] of leases) this.#written.set(id, until);
  }

  changed(kind: "lease" | "ended" | "mark", keys: Iterable<string>): void {
    for (const key of keys) this.#dirty[kind].add(key);
  }

  /** Writes what has changed. What the disk refuses is written later. */
  write(books: Books, at: Now, more: readonly Fact[] = []): void {
    const facts = [...this.#facts(books, at), ...more];
    try {
      this.#reopen(books.slots, at);
      if (this.#staleWindows) this.#kept.clear("window");
      this.#staleWindows = false;
      if (facts.length > 0) this.#kept.write(facts);
      this.#failing = false;
    } catch (e) {
      if (!this.#failing) this.#log.error(`the ledger can't be written, a restart will know less of who is in: ${messageOf(e)}`);
      this.#failing = true;
      for (const { kind, key } of facts) if (kind !== "window") this.#dirty[kind].add(key);
      for (const { kind, key } of facts) if (kind === "lease") this.#written.delete(key);
    }
  }

  /** Writes everything for a successor, and closes the file. */
  close(books: Books, at: Now): void {
    this.#written.clear(); // every lease as it is now
    this.changed("lease", books.slots.leases.keys());
    this.write(
      books,
      at,
      books.counts.windows.state(at.now).map((state) => ({ kind: "window", key: state.key, value: windowFact(state, at) })),
    );
    try {
      this.#kept.close();
    } catch (e) {
      this.#log.warn(`the ledger's file did not close: ${messageOf(e)}`);
    }
    this.#kept = keepNothing;
  }

  /** Tries again to open a file that could not be opened. This broker's own facts are newer than the file's, except for who is out. */
  #reopen(slots: Slots, at: Now): void {
    if (this.#kept !== notOpen || between(this.#triedAt, at.now) < REOPEN_EVERY) return;
    this.#triedAt = at.now;
    const kept = this.#open();
    const { ended, marks } = readKnown(kept, at);
    const unknown = marks.filter(({ user }) => !slots.marks.has(user));
    slots.restore([], ended, unknown, at.now);
    this.#staleWindows = true;
    this.#kept = kept;
    this.#log.warn("the ledger of sessions and counts could be opened: it is on disk again");
  }

  #facts({ slots, counts }: Books, at: Now): Fact[] {
    const { lease, ended, mark, day } = this.#dirty;
    const facts: Fact[] = [];
    for (const id of lease) {
      const now = slots.leases.get(id);
      const before = this.#written.get(id);
      if (now !== undefined && before !== undefined && Math.abs(between(before, now.until)) < WORTH_WRITING) continue;
      if (now === undefined) this.#written.delete(id);
      else this.#written.set(id, now.until);
      facts.push({ kind: "lease", key: id, value: now === undefined ? undefined : leaseFact(now, at) });
    }
    for (const id of ended) facts.push({ kind: "ended", key: id, value: slots.ended.get(id) });
    for (const user of mark) facts.push({ kind: "mark", key: user, value: slots.marks.get(user) });
    for (const key of new Set([...day, ...counts.days.take()])) facts.push({ kind: "day", key, value: counts.days.get(key) });
    for (const set of [lease, ended, mark, day]) set.clear();
    return facts;
  }
}
