import type { Logger } from "../base/log.ts";
import type { Timestamp } from "../base/units.ts";
import { readTable, type Findings } from "../sheets/rows.ts";
import { encodeSnapshot, stamp } from "../sheets/snapshot.ts";
import { definitionOf } from "../sheets/tables.ts";
import type { SnapshotHead, Table } from "../sheets/types.ts";
import type { Saved, SnapshotFiles } from "./disk.ts";
import type { Store } from "./store.ts";

export type Accepted =
  | ({ readonly is: "changed" } & Saved)
  | { readonly is: "same"; readonly head: SnapshotHead }
  | { readonly is: "malformed"; readonly why: string };

interface Held extends Saved {
  readonly rows: number;
  readonly definition: string;
}

/** The largest snapshot that fits into a frame with its head. */
const MOST_BYTES = 60 * 1_048_576;

/** The newest rows of every table, as far as they may be seen: in memory, and on disk for the next broker. */
export class Snapshots {
  readonly #files: SnapshotFiles;
  readonly #store: Store;
  readonly #log: Logger;
  readonly #spreadsheetId: string;
  readonly #held = new Map<string, Held>();
  /** The last version of each table, also of one that was forgotten: a version never means two things. */
  readonly #versions = new Map<string, number>();
  readonly #findings = new Map<string, string>();

  constructor(spreadsheetId: string, files: SnapshotFiles, store: Store, log: Logger) {
    this.#spreadsheetId = spreadsheetId;
    this.#files = files;
    this.#store = store;
    this.#log = log;
  }

  get(table: string): Held | undefined {
    return this.#held.get(table);
  }

  all(): Iterable<Held> {
    return this.#held.values();
  }

  /**
   * Loads what the last broker left, and forgets what is no table any more or is cut otherwise now.
   * @param now nothing can have been checked later than that.
   */
  load(tables: readonly Table[], now: Timestamp): void {
    const definitions = new Map(tables.map((table) => [table.name, definitionOf(table, this.#spreadsheetId)]));
    for (const [name, held] of this.#held) if (definitions.get(name) !== held.definition) this.#held.delete(name);
    for (const [name, definition] of definitions) {
      const saved = this.#held.has(name) ? undefined : this.#files.read(name, definition);
      if (saved === undefined) continue;
      const checked = this.#store.checked(name);
      const known = checked?.hash === saved.head.hash ? checked.checkedAt : saved.head.checkedAt;
      const checkedAt = Math.min(known, now) as Timestamp;
      const version = Math.max(saved.head.version, (this.#versions.get(name) ?? 0) + 1);
      this.#hold({ head: { ...saved.head, epoch: this.#store.epoch, version, checkedAt }, bytes: saved.bytes }, definition);
    }
  }

  /**
   * Takes Google's values for a table. What can't be its rows changes nothing.
   * @param at when they were asked for.
   */
  accept(table: Table, values: unknown, at: Timestamp): Accepted {
    const reading = readTable(values, table);
    if (reading.is === "malformed") return reading;
    const { bytes, hash } = encodeSnapshot(reading.content);
    if (bytes.byteLength > MOST_BYTES)
      return { is: "malformed", why: `the rows of ${table.range} are ${bytes.byteLength} bytes: the most is ${MOST_BYTES}` };
    this.#report(table.name, reading.findings);
    const held = this.#held.get(table.name);
    if (held?.head.hash === hash) {
      const head = { ...held.head, checkedAt: at };
      this.#held.set(table.name, { ...held, head });
      this.#keepChecked();
      return { is: "same", head };
    }
    const definition = definitionOf(table, this.#spreadsheetId);
    const version = (this.#versions.get(table.name) ?? 0) + 1;
    const head: SnapshotHead = { table: table.name, epoch: this.#store.epoch, version, hash, asOf: at, checkedAt: at };
    this.#hold({ head, bytes }, definition);
    this.#files.write({ head, bytes }, definition);
    this.#keepChecked();
    return { is: "changed", head, bytes };
  }

  /** @returns when everything is on disk. */
  flushed(): Promise<void> {
    return this.#files.flushed();
  }

  #hold({ head, bytes }: Saved, definition: string): void {
    stamp(bytes, head.epoch, head.version);
    const rows = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
    this.#held.set(head.table, { head, bytes, rows, definition });
    this.#versions.set(head.table, head.version);
  }

  #keepChecked(): void {
    this.#store.keepChecked(new Map([...this.#held].map(([name, { head }]) => [name, { hash: head.hash, checkedAt: head.checkedAt }])));
  }

  /** Says what is wrong with the rows once, not at every refresh. */
  #report(table: string, { withoutKey, duplicateKeys, misfits, warnings }: Findings): void {
    const said = JSON.stringify([withoutKey, duplicateKeys, misfits, warnings]);
    if (this.#findings.get(table) === said) return;
    this.#findings.set(table, said);
    if (warnings.length > 0)
      this.#log.warn({ table, withoutKey, duplicateKeys, misfits, warnings }, `${warnings[0]}${warnings.length > 1 ? " (and more)" : ""}`);
  }
}
