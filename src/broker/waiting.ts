/** What was accepted and is not in the sheet yet: how much it is, what became of each, and who waits for it. */
import type { Bytes, Ms, Timestamp } from "../base/units.ts";
import type { Write } from "../sheets/writes.ts";
import type { Entry, NewEntry, Settlement } from "./journal/journal.ts";

type Sized = Pick<NewEntry, "key" | "values">;

interface Pending {
  readonly bytes: number;
  readonly table: string;
  write: Write;
  readonly settled: PromiseWithResolvers<void>;
}

/** However small they are. */
const MOST = 100_000;
/** What an entry costs beside its cells. */
const OVERHEAD = 200;
/** Writes whose end is still told after they have ended, for whoever waited for it. */
const ENDED_KEPT = 2_000;

/** About what entries take on disk and in memory. */
export const sizeOf = (entries: readonly Sized[]): number =>
  entries.reduce((sum, { key, values }) => sum + OVERHEAD + 2 * key.length + 2 * JSON.stringify(values).length, 0);

export class Waiting {
  readonly #mostBytes: Bytes;
  readonly #pending = new Map<number, Pending>();
  readonly #byId = new Map<string, number>();
  readonly #ended = new Map<string, Write>();
  readonly #left = Promise.withResolvers<void>();
  #bytes = 0;
  #reserved = 0;

  /** @param entries that wait already. */
  constructor(mostBytes: Bytes, entries: readonly Entry[]) {
    this.#mostBytes = mostBytes;
    for (const entry of entries) this.#add(entry);
  }

  /** Keeps room for entries until `accept` or `free`. @returns why there is none, or undefined. */
  reserve(entries: readonly Sized[]): string | undefined {
    const bytes = sizeOf(entries);
    const count = this.#pending.size + this.#reserved + entries.length;
    if (count > MOST) return `${this.#pending.size} writes wait to be sent to Google: the most is ${MOST}`;
    if (this.#bytes + bytes > this.#mostBytes)
      return `${this.#bytes} bytes of writes wait to be sent to Google: the most is ${this.#mostBytes} (DROVER_JOURNAL_SIZE)`;
    this.#bytes += bytes;
    this.#reserved += entries.length;
    return undefined;
  }

  free(entries: readonly Sized[]): void {
    this.#bytes -= sizeOf(entries);
    this.#reserved -= entries.length;
  }

  /** Entries are on disk. @param reserved those for which room was kept. */
  accept(entries: readonly Entry[], reserved: readonly Sized[]): void {
    this.free(reserved);
    for (const entry of entries) this.#add(entry);
  }

  /** @returns the tables of those that wait. */
  tablesOf(lsns: readonly number[]): ReadonlySet<string> {
    return new Set(lsns.flatMap((lsn) => this.#pending.get(lsn)?.table ?? []));
  }

  sent(lsns: readonly number[]): void {
    for (const lsn of lsns) this.#change(lsn, { state: "sent" });
  }

  /** @returns the tables that it concerns. */
  settle({ landed, parked, again, at }: Settlement): ReadonlySet<string> {
    const tables = new Set<string>();
    for (const lsn of landed) this.#end(lsn, { state: "landed", landedAt: at }, tables);
    for (const { lsn, reason } of parked) this.#end(lsn, { state: "parked", reason }, tables);
    for (const lsn of again) this.#change(lsn, { state: "journaled" });
    return tables;
  }

  /** What is known of a write that waits, or has just ended. */
  find(id: string): Write | undefined {
    const lsn = this.#byId.get(id);
    return lsn === undefined ? this.#ended.get(id) : this.#pending.get(lsn)?.write;
  }

  /** The journal knows better what became of them. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#ended.delete(id);
  }

  /** @returns once none of these waits any longer, or at the end of `within`; `moved`: the journal was given up, and some still wait in it. */
  async settled(ids: readonly string[], within: Ms): Promise<"settled" | "late" | "moved"> {
    const all = ids.flatMap((id) => this.#pending.get(this.#byId.get(id) ?? -1)?.settled.promise ?? []);
    if (all.length === 0) return "settled";
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), within);
    const settled = Promise.all(all).then(() => "settled" as const);
    const how = await Promise.race([settled, late.promise, this.#left.promise.then(() => "moved" as const)]);
    clearTimeout(timer);
    return how;
  }

  /** Nobody is to wait any longer. */
  leave(): void {
    this.#left.resolve();
  }

  #add(entry: Entry): void {
    const { id, table, op, key, at, lsn } = entry;
    const bytes = sizeOf([entry]);
    this.#bytes += bytes;
    this.#pending.set(lsn, { bytes, table, write: { id, table, op, key, state: "journaled", at }, settled: Promise.withResolvers() });
    this.#byId.set(id, lsn);
  }

  #change(lsn: number, change: Pick<Write, "state">): void {
    const pending = this.#pending.get(lsn);
    if (pending !== undefined) pending.write = { ...pending.write, ...change };
  }

  #end(lsn: number, how: Pick<Write, "state"> & { reason?: string; landedAt?: Timestamp }, tables: Set<string>): void {
    const pending = this.#pending.get(lsn);
    if (pending === undefined) return;
    const { write, bytes, table, settled } = pending;
    this.#bytes -= bytes;
    this.#pending.delete(lsn);
    // It may wait again under another number, before it was told here that it was set aside.
    if (this.#byId.get(write.id) === lsn) this.#byId.delete(write.id);
    this.#ended.set(write.id, { ...write, ...how });
    if (this.#ended.size > ENDED_KEPT) this.#ended.delete(this.#ended.keys().next().value as string);
    tables.add(table);
    settled.resolve();
  }
}
