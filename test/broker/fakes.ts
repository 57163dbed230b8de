/** A journal in memory and a flusher moved by hand. A `Disk` outlives the brokers that write to it, as a real one does. */
import type { Timestamp } from "../../src/base/units.ts";
import { ms } from "../../src/base/units.ts";
import type { Flusher, FlusherEvents } from "../../src/broker/flusher/port.ts";
import type { Added, Addition, Entry, Journal, Once, SetAside, Settlement } from "../../src/broker/journal/journal.ts";
import type { WriteMeans } from "../../src/broker/writing.ts";
import type { Write, WriteState } from "../../src/sheets/writes.ts";

type Known = { readonly digest: string; readonly ids: readonly string[] };

export class Disk {
  entries: Entry[] = [];
  readonly states = new Map<string, { state: WriteState; reason?: string; landedAt?: Timestamp; discarded?: boolean }>();
  readonly once = new Map<string, Known>();
  lsn = 0;
  /** How long a commit takes. */
  commit = 0;
  full: "full" | "disk" | undefined;
  adds = 0;
  holder: FakeJournal | undefined;
  /** Why it can't be read. */
  unreadable: string | undefined;

  /** What a new broker finds. @throws when another has it. */
  open(): FakeJournal {
    if (this.holder !== undefined) throw new Error("another broker has the journal");
    this.holder = new FakeJournal(this);
    return this.holder;
  }

  write(id: string): Write | undefined {
    const entry = this.entries.find((e) => e.id === id);
    const known = this.states.get(id);
    if (entry === undefined || known === undefined) return undefined;
    const { discarded: _, ...state } = known;
    const { table, op, key, at } = entry;
    return { id, table, op, key, at, ...state };
  }

  aside(): SetAside[] {
    return this.entries.flatMap((entry) => {
      const state = this.states.get(entry.id);
      const newest = this.entries.findLast(({ id }) => id === entry.id) === entry;
      if (state?.state !== "parked" || state.discarded === true || !newest) return [];
      return [{ ...entry, reason: state.reason ?? "", settledAt: entry.at }];
    });
  }

  again(lsn: number): Entry | undefined {
    const held = this.aside().find((each) => each.lsn === lsn);
    if (held === undefined) return undefined;
    const { reason: _, settledAt: __, ...before } = held;
    const entry = { ...before, lsn: (this.lsn += 1) };
    this.entries.push(entry);
    this.states.set(entry.id, { state: "journaled" });
    return entry;
  }

  waiting(): Entry[] {
    const newest = new Map(this.entries.map((entry) => [entry.id, entry]));
    return [...newest.values()].filter(({ id }) => ["journaled", "sent"].includes(this.states.get(id)?.state ?? ""));
  }
}

export class FakeJournal implements Journal {
  readonly recovered: Journal["recovered"];
  readonly trouble = undefined;
  readonly #disk: Disk;
  #last: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk) {
    this.#disk = disk;
    const rest = { nextBatch: 1, batches: [], fences: [], tags: [], parked: 0, landed: 0, damage: undefined };
    this.recovered = { identity: "fake", nextMetadataId: 1, entries: disk.waiting(), ...rest };
  }

  /** In the order of the calls, each after a commit's time. */
  #queued<T>(work: () => T): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.#disk.commit > 0) await new Promise((resolve) => setTimeout(resolve, this.#disk.commit));
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  copy(): Promise<void> {
    return Promise.reject(new Error("a fake is not copied"));
  }

  add(addition: Addition): Promise<Added> {
    return this.#queued(() => this.#add(addition));
  }

  #add({ entries, once }: Addition): Added {
    const disk = this.#disk;
    const before = once === undefined ? undefined : this.#recall(once);
    if (before !== undefined) return before;
    if (disk.full !== undefined) return { is: disk.full, message: `no room (${disk.full})` };
    disk.adds += 1;
    const added = entries.map((entry) => ({ ...entry, lsn: (disk.lsn += 1) }));
    disk.entries.push(...added);
    for (const { id } of added) disk.states.set(id, { state: "journaled" });
    if (once !== undefined) disk.once.set(once.key, { digest: once.digest, ids: added.map(({ id }) => id) });
    return { is: "added", entries: added };
  }

  #recall({ key, digest }: Once): Extract<Added, { is: "repeated" | "reused" }> | undefined {
    const known = this.#disk.once.get(key);
    if (known === undefined) return undefined;
    if (known.digest !== digest) return { is: "reused" };
    return { is: "repeated", writes: known.ids.flatMap((id) => this.#disk.write(id) ?? []) };
  }

  recall(once: Once): ReturnType<Journal["recall"]> {
    const { unreadable } = this.#disk;
    return this.#queued(() => (unreadable === undefined ? this.#recall(once) : { is: "disk", message: unreadable }));
  }

  settled({ landed, parked, again, at }: Settlement): void {
    const idOf = (lsn: number): string => this.#disk.entries.find((e) => e.lsn === lsn)?.id ?? "";
    for (const lsn of landed) this.#disk.states.set(idOf(lsn), { state: "landed", landedAt: at });
    for (const { lsn, reason } of parked) this.#disk.states.set(idOf(lsn), { state: "parked", reason });
    for (const lsn of again) this.#disk.states.set(idOf(lsn), { state: "journaled" });
  }

  async seal(): Promise<void> {}
  async sent(): Promise<void> {}
  async settle(): Promise<void> {}
  async dropFences(): Promise<void> {}
  async keepTags(): Promise<void> {}
  find(id: string): Promise<Write | undefined> {
    return this.#queued(() => {
      if (this.#disk.unreadable !== undefined) throw new Error(this.#disk.unreadable);
      return this.#disk.write(id);
    });
  }
  async parked(): Promise<readonly Write[]> {
    return [];
  }
  get setAside(): number {
    return this.#disk.aside().length;
  }
  aside(most: number, ids?: readonly string[]): Promise<readonly SetAside[]> {
    return this.#queued(() =>
      this.#disk
        .aside()
        .filter(({ id }) => ids === undefined || ids.includes(id))
        .slice(0, most),
    );
  }
  retry(lsns: readonly number[]): Promise<readonly (Entry | undefined)[]> {
    return this.#queued(() => lsns.map((lsn) => this.#disk.again(lsn)));
  }
  discard(lsns: readonly number[]): Promise<readonly boolean[]> {
    return this.#queued(() =>
      lsns.map((lsn) => {
        const held = this.#disk.aside().find((each) => each.lsn === lsn);
        if (held !== undefined) this.#disk.states.set(held.id, { state: "parked", reason: "given up", discarded: true });
        return held !== undefined;
      }),
    );
  }
  async close(): Promise<void> {
    await this.#last;
    if (this.#disk.holder === this) this.#disk.holder = undefined;
  }
}

/** A flusher that sends nothing until it is told to. */
export class FakeFlusher implements Flusher {
  readonly #journal: FakeJournal;
  readonly #events: FlusherEvents;
  readonly #end: (how: Settlement) => void;
  readonly delivery = "exactly-once";
  waiting: Entry[];

  constructor(journal: FakeJournal, events: FlusherEvents, end: (how: Settlement) => void = () => {}) {
    this.#journal = journal;
    this.#events = events;
    this.#end = end;
    this.waiting = [...journal.recovered.entries];
  }

  takeTimes(): [] {
    return [];
  }

  accepted(entries: readonly Entry[]): void {
    this.waiting.push(...entries);
  }

  retried(entries: readonly Entry[]): void {
    this.accepted(entries);
  }

  mayShow(): boolean {
    return true;
  }

  right: Flusher["right"] = { is: "yes" };

  proveRight(): Promise<void> {
    return Promise.resolve();
  }

  /** The sheet has all that waits, or refuses those. */
  flush(refuses: (entry: Entry) => boolean = () => false): readonly Entry[] {
    const now = Date.now() as Timestamp;
    const sent = this.waiting.splice(0);
    this.#events.sent(
      sent.map(({ lsn }) => lsn),
      now,
    );
    const landed = sent.filter((entry) => !refuses(entry));
    const parked = sent.filter(refuses).map(({ lsn }) => ({ lsn, reason: "Google does not want it" }));
    const how: Settlement = { landed: landed.map(({ lsn }) => lsn), parked, again: [], at: now };
    this.#end(how);
    this.#journal.settled(how);
    this.#events.settled(how);
    return landed;
  }

  /** As before what waits is settled as landed. */
  async landing(): Promise<void> {
    await this.#events.landing(this.waiting.map(({ lsn }) => lsn));
  }

  report(): ReturnType<Flusher["report"]> {
    const quota = { used: 0, limit: 51, lockedUntil: 0 as Timestamp };
    const times = { oldest: ms(0), quota, timeToSheet: { p50: null, p99: null } };
    return { delivery: "exactly-once", waiting: this.waiting.length, waitingBytes: 0, landed: 0, parked: 0, ...times };
  }

  async close(): Promise<void> {}
}

/** A journal and a flusher on a disk, and the flusher to move. */
export function means(disk: Disk): { readonly means: WriteMeans; readonly flusher: () => FakeFlusher } {
  const journal = disk.open();
  let flusher: FakeFlusher | undefined;
  return {
    means: { journal, startFlusher: ({ events }) => (flusher = new FakeFlusher(journal, events)) },
    flusher: () => flusher as FakeFlusher,
  };
}
