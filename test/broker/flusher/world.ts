/** A flusher on a sheet, with clients that write, people that edit, and crashes. */
import assert from "node:assert/strict";
import { perMinute } from "../../../src/base/units.ts";
import { startFlusher } from "../../../src/broker/flusher/flusher.ts";
import type { Flusher } from "../../../src/broker/flusher/port.ts";
import type { Layout } from "../../../src/sheets/layout.ts";
import type { Entry, Settlement } from "../../../src/broker/journal/journal.ts";
import { Ledger, type QuotaState } from "../../../src/broker/quota.ts";
import type { Delivery } from "../../../src/sheets/writes.ts";
import { FakeGoogle } from "./google.ts";
import { type Disk, MemoryJournal, newDisk } from "./memory-journal.ts";
import { JumpTime } from "./time.ts";

export const LAYOUT: Layout = {
  table: "players",
  tab: "Players",
  row: 0,
  column: 0,
  columns: ["id", "n", "name", undefined, "gone"],
  key: "id",
  deleted: "gone",
};
export const HEADER = ["id", "n", "name", "", "gone"];

interface Options {
  readonly identity?: string;
  readonly start?: number;
  readonly layout?: Layout;
  readonly google?: FakeGoogle;
  readonly time?: JumpTime;
  readonly random?: () => number;
}

/** What one machine keeps and runs. */
export class Machine {
  readonly time: JumpTime;
  readonly google: FakeGoogle;
  disk: Disk;
  layout: Layout;
  quota: { writes?: QuotaState; reads?: QuotaState } = {};
  proof: Delivery | undefined;
  journal!: MemoryJournal;
  flusher!: Flusher;
  readonly settled: Settlement[] = [];
  /** Warnings and errors. */
  readonly said: string[] = [];
  /** Awaited calls until the next crash. */
  crashIn = Number.POSITIVE_INFINITY;
  crashes = 0;
  snapshot = new Map<string, number>();
  /** The flusher wants a table read again. */
  moved: (table: string) => void = () => {};
  /** The flusher has seen a table's range. */
  found: (table: string) => void = () => {};
  /** The broker reads the table so often, on average: one in so many writes. */
  #life = 0;
  readonly #random: () => number;

  constructor(options: Options = {}) {
    this.time = options.time ?? new JumpTime();
    this.layout = options.layout ?? LAYOUT;
    this.google = options.google ?? new FakeGoogle(this.time, [{ title: this.layout.tab, rows: [HEADER] }]);
    this.disk = newDisk(options.identity ?? "machine-one", options.start ?? 1_000_000);
    this.#random = options.random ?? (() => 0.5);
    this.start();
  }

  /** Every promise of the running life stays open for ever. */
  crash(): void {
    this.#life += 1;
    this.crashes += 1;
    void this.flusher.close();
  }

  start(): void {
    const life = (this.#life += 1);
    const alive = (): boolean => this.#life === life;
    const gate = async (): Promise<void> => {
      if (alive() && (this.crashIn -= 1) <= 0) {
        this.crashIn = Number.POSITIVE_INFINITY;
        this.crash();
      }
      if (!alive()) await new Promise(() => {});
    };
    const gated =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        await gate();
        const result = await call(...args);
        await gate();
        return result;
      };
    const { google } = this;
    this.journal = new MemoryJournal(this.disk, gate);
    const writes = new Ledger(perMinute(60), this.time, this.quota.writes);
    const reads = new Ledger(perMinute(60), this.time, this.quota.reads);
    this.flusher = startFlusher({
      journal: this.journal,
      upstream: {
        batchUpdate: gated((body, fields) => google.batchUpdate(body, fields)),
        updateByFilter: gated((body) => google.updateByFilter(body)),
        metadata: gated((id) => google.metadata(id)),
        search: gated((key) => google.search(key)),
        sheetIds: gated(() => google.sheetIds()),
        read: gated((ranges) => google.read(ranges)),
      },
      writes: { ledger: writes, keep: (state) => alive() && (this.quota.writes = state) },
      reads: { ledger: reads, keep: (state) => alive() && (this.quota.reads = state) },
      proof: { read: () => this.proof, keep: (delivery) => alive() && (this.proof = delivery) },
      layout: (table) => (table === this.layout.table ? this.layout : undefined),
      rowOf: (_, key) => this.snapshot.get(key),
      events: {
        landing: () => Promise.resolve(),
        settled: (how) => alive() && this.settled.push(how),
        sent: () => {},
        moved: (table) => alive() && this.moved(table),
        found: (table) => alive() && this.found(table),
      },
      clock: this.time,
      alarm: this.time.alarm,
      random: this.#random,
      log: {
        info() {},
        warn: (...said: unknown[]) => this.said.push(String(said.at(-1))),
        error: (...said: unknown[]) => this.said.push(String(said.at(-1))),
      },
    });
  }

  /** The broker reads the table. */
  look(): void {
    this.snapshot = new Map(
      this.google.values(this.layout.tab).flatMap((row, i) => (i === 0 || row[0] === "" ? [] : [[String(row[0]), i]])),
    );
  }

  append(key: string, values: Record<string, string | number | boolean | null>): Entry {
    return this.#take("append", key, { id: key, ...values });
  }
  update(key: string, values: Record<string, string | number | boolean | null>): Entry {
    return this.#take("update", key, values);
  }
  remove(key: string): Entry {
    return this.#take("delete", key, {});
  }

  /** Parked writes wait again: as the broker has it from the journal. */
  again(...parked: readonly Entry[]): void {
    this.flusher.retried(parked.map((entry) => this.journal.take(entry)));
  }

  #ids = 0;
  #take(op: "append" | "update" | "delete", key: string, values: Record<string, string | number | boolean | null>): Entry {
    const id = `${this.disk.identity}-${(this.#ids += 1)}`;
    const entry = this.journal.take({ id, table: this.layout.table, op, key, values, at: this.time.wall() });
    this.flusher.accepted([entry]);
    return entry;
  }

  /** Runs, starting again after crashes, until nothing waits. */
  async drain(within = 4 * 3_600_000): Promise<void> {
    const end = this.time.at + within;
    while (this.disk.entries.length > 0 || this.disk.batches.length > 0) {
      const crashes = this.crashes;
      await this.time.until(() => this.crashes > crashes || this.disk.entries.length + this.disk.batches.length === 0, end - this.time.at);
      if (this.crashes > crashes) this.start();
      else if (this.time.at >= end) assert.fail(`stuck: ${JSON.stringify(this.disk.entries.slice(0, 3))}`);
    }
  }

  /** Each row's key and the row, from the top; a row without a key has "". */
  rows(): readonly (readonly [string, readonly unknown[]])[] {
    return this.google
      .values(this.layout.tab)
      .slice(1)
      .map((row) => [typeof row[0] === "string" ? row[0] : "", row]);
  }
}

/** The most calls in any 60 s. */
export function busiest(calls: readonly number[]): number {
  const sorted = calls.toSorted((a, b) => a - b);
  let [from, most] = [0, 0];
  for (const [i, at] of sorted.entries()) {
    while ((sorted[from] ?? at) <= at - 60_000) from += 1;
    most = Math.max(most, i - from + 1);
  }
  return most;
}
