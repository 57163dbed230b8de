/** What waits for the sheet, in the order in which it was accepted. */
import type { Entry } from "../../journal/journal.ts";

/** Names a row across tables. */
export const rowName = ({ table, key }: { readonly table: string; readonly key: string }): string => `${table}\0${key}`;

interface Waiting {
  readonly entry: Entry;
  readonly bytes: number;
}

/** About what an entry takes in a request. */
const sizeOf = (entry: Entry): number => Buffer.byteLength(JSON.stringify(entry.values)) + 45 * Object.keys(entry.values).length + 16;

export class Queue {
  #waiting = new Map<number, Waiting>();
  #last = 0;
  bytes = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** What is there already stays as it is. */
  add(entries: readonly Entry[]): void {
    const fresh = entries.filter((entry) => !this.#waiting.has(entry.lsn));
    const inOrder = fresh.every(({ lsn }, i) => lsn > (fresh[i - 1]?.lsn ?? this.#last));
    for (const entry of fresh) {
      const bytes = sizeOf(entry);
      this.bytes += bytes;
      this.#waiting.set(entry.lsn, { entry, bytes });
      this.#last = Math.max(this.#last, entry.lsn);
    }
    if (!inOrder) this.#waiting = new Map([...this.#waiting].sort(([a], [b]) => a - b));
  }

  remove(lsn: number): Entry | undefined {
    const found = this.#waiting.get(lsn);
    if (found === undefined) return undefined;
    this.bytes -= found.bytes;
    this.#waiting.delete(lsn);
    return found.entry;
  }

  get(lsn: number): Entry | undefined {
    return this.#waiting.get(lsn)?.entry;
  }

  oldest(): Entry | undefined {
    return this.#waiting.values().next().value?.entry;
  }

  all(): Iterable<Waiting> {
    return this.#waiting.values();
  }

  of(lsns: readonly number[]): readonly Waiting[] {
    return lsns.toSorted((a, b) => a - b).flatMap((lsn) => this.#waiting.get(lsn) ?? []);
  }

  /** Later writes of the same row. */
  after({ lsn, table, key }: Entry): readonly number[] {
    return [...this.#waiting.values()].flatMap(({ entry: e }) => (e.lsn > lsn && e.table === table && e.key === key ? [e.lsn] : []));
  }

  /** @returns the number up to which all is settled once these have landed. */
  settledUpTo(landing: ReadonlySet<number>): number {
    for (const lsn of this.#waiting.keys()) if (!landing.has(lsn)) return lsn - 1;
    return this.#last;
  }
}
