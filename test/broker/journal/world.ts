/** What the journal's tests share. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { makeLogger } from "../../../src/base/log.ts";
import { kibibytes, type Instant, type Timestamp } from "../../../src/base/units.ts";
import type { Batch, Entry, Journal, NewEntry, Settlement } from "../../../src/broker/journal/journal.ts";
import { openJournal, type JournalOptions } from "../../../src/broker/journal/open.ts";

export const silent = makeLogger({ role: "broker" }, "silent", { write: () => {} });
export const START = 1_790_000_000_000 as Timestamp;

const undoing = new WeakMap<TestContext, (() => unknown)[]>();

/** What is made last is undone first: a journal is closed before its folder goes. */
export function undo(t: TestContext, work: () => unknown): void {
  const before = undoing.get(t);
  if (before !== undefined) return void before.push(work);
  const works = [work];
  undoing.set(t, works);
  t.after(async () => {
    for (const last of works.toReversed()) await last();
  });
}

export function folder(t: TestContext, prefix = join(tmpdir(), "drover-journal-")): string {
  const dir = mkdtempSync(prefix);
  undo(t, () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A journal whose death fails the test, unless it says otherwise; closed when the test ends. It keeps little room: many are made. */
export async function open(t: TestContext, dir: string, more: Partial<JournalOptions> = {}): Promise<Journal> {
  const onFatal = (why: string): void => {
    throw new Error(`fatal: ${why}`);
  };
  const journal = await openJournal({ dir, now: () => Date.now() as Timestamp, log: silent, onFatal, reserve: kibibytes(64), ...more });
  undo(t, () => journal.close());
  return journal;
}

let made = 0;

export function entry(more: Partial<NewEntry> = {}): NewEntry {
  const id = more.id ?? `01JD${String((made += 1)).padStart(22, "0")}`;
  return { id, table: "scores", op: "append", key: id, values: { name: "Ada", points: 7, ok: true, note: null }, at: START, ...more };
}

export async function addOne(journal: Journal, more: Partial<NewEntry> = {}): Promise<Entry> {
  const added = await journal.add({ entries: [entry(more)] });
  const first = added.is === "added" ? added.entries[0] : undefined;
  if (first === undefined) throw new Error(`not added: ${JSON.stringify(added)}`);
  return first;
}

export function batch(nr: number, lsns: readonly number[], more: Partial<Batch> = {}): Batch {
  const body = Buffer.from(JSON.stringify({ requests: lsns }));
  return { nr, fence: { id: 1_000 + nr, value: `identity:${nr}:digest` }, body, lsns, sealedAt: START, sentAt: undefined, ...more };
}

export const settlement = (more: Partial<Settlement>): Settlement => ({ landed: [], parked: [], again: [], at: START, ...more });

/** A journal's two clocks. */
export function clocks(): {
  readonly clocks: { readonly now: () => Timestamp; readonly monotonic: () => Instant };
  /** Time passes. */
  pass(time: number): void;
  /** The wall clock is set. */
  step(by: number): void;
} {
  let wall = Number(START);
  let running = 0;
  return {
    clocks: { now: () => wall as Timestamp, monotonic: () => running as Instant },
    pass(time) {
      wall += time;
      running += time;
    },
    step: (by) => void (wall += by),
  };
}
