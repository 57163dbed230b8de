import type { Logger } from "../base/log.ts";
import type { Ms, Timestamp } from "../base/units.ts";
import type { Step } from "../sheets/edits.ts";
import type { Layout } from "../sheets/layout.ts";
import { readAccounts } from "../sheets/accounts.ts";
import { readTable, type Findings, type Reading } from "../sheets/rows.ts";
import type { SecretKey } from "../sheets/secrets.ts";
import { stamp, type Content } from "../sheets/snapshot.ts";
import { definitionOf } from "../sheets/tables.ts";
import type { SnapshotHead, Table } from "../sheets/types.ts";
import type { Saved, SnapshotFiles } from "./disk.ts";
import { encodeNext, stepsSince, withStep, type Drawn } from "./steps.ts";
import type { Store } from "./store.ts";

export type Accepted =
  | ({ readonly is: "changed" } & Saved)
  | { readonly is: "same"; readonly head: SnapshotHead }
  /** Not to be shown: what was there stays. */
  | { readonly is: "withheld" }
  | { readonly is: "malformed"; readonly why: string };

interface Held extends Saved {
  readonly rows: number;
  readonly definition: string;
  /** Of a table that may be written to: what its bytes were made of. */
  readonly drawn?: Drawn | undefined;
  /** How the last versions became one another, up to this one. */
  readonly steps: readonly Step[];
}

/** A table's rows on their way to the clients. */
interface Coming {
  readonly content: Content;
  readonly head: Pick<SnapshotHead, "asOf" | "checkedAt" | "warnings" | "hidden">;
  readonly definition: string;
  readonly layout: Layout | undefined;
}

/** Lays what was accepted over Google's rows; undefined: these may show values in wrong places, and must not be shown. */
type Over = (reading: Extract<Reading, { is: "ok" }>) => Content | undefined;

/** The largest snapshot that fits into a frame with its head. */
const MOST_BYTES = 60 * 1_048_576;
const MOST_NAMES = 1_000;
/** Hidden columns that an answer names, and the characters of a name. */
const MOST_HIDDEN = 20;
const LONGEST_HIDDEN = 80;

/** How many things are wrong with a table. An empty tab is one. */
const countOf = ({ withoutKey, duplicateKeys, misfits, hidden, warnings }: Findings): number =>
  Math.max(withoutKey + duplicateKeys + misfits + hidden.length, Math.min(1, warnings.length));

export interface SnapshotsPort {
  readonly spreadsheetId: string;
  readonly files: SnapshotFiles;
  readonly store: Store;
  readonly log: Logger;
  /** Whether a table may be written to: then where it stands is kept on disk. */
  readonly written: (table: string) => boolean;
  /** How long a table's rows count as fresh now. */
  readonly ttlOf: (table: Table) => Ms;
  /** A tab's title as the spreadsheet spells it. */
  readonly titleOf: (title: string) => string;
  /** For what is kept of users' secrets; undefined: nobody can log in. */
  readonly secretKey: SecretKey | undefined;
}

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
  /** All names that a table's header row has had. */
  readonly #names = new Map<string, Set<string>>();
  readonly #written: (table: string) => boolean;
  readonly #ttlOf: (table: Table) => Ms;
  readonly #titleOf: (title: string) => string;
  /** The files of written tables are another broker's. */
  #yielded = false;
  readonly #secretKey: SecretKey | undefined;

  constructor(port: SnapshotsPort) {
    this.#spreadsheetId = port.spreadsheetId;
    this.#files = port.files;
    this.#store = port.store;
    this.#log = port.log;
    this.#written = port.written;
    this.#ttlOf = port.ttlOf;
    this.#titleOf = port.titleOf;
    this.#secretKey = port.secretKey;
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
      const { ttl: _, ...head } = saved.head; // what held for the last broker
      this.#hold({ ...saved, head: { ...head, epoch: this.#store.epoch, version, checkedAt } }, definition);
    }
  }

  /**
   * Takes Google's values for a table. What can't be its rows changes nothing.
   * @param at when they were asked for. @param over lays over them what they may not have yet.
   */
  accept(table: Table, values: unknown, at: Timestamp, over?: Over): Accepted {
    const reading = this.reading(values, table);
    if (reading.is === "malformed") return reading;
    const { content, layout, findings } = reading;
    const shown = over === undefined ? content : over(reading);
    if (shown === undefined) return { is: "withheld" };
    const lost = this.#lostNames(table.name, layout);
    this.#report(table.name, findings, lost);
    const warnings = countOf(findings) + lost.length;
    const hidden = findings.hidden.slice(0, MOST_HIDDEN).map(({ name }) => name.slice(0, LONGEST_HIDDEN));
    const head = { asOf: at, checkedAt: at, ...(warnings === 0 ? {} : { warnings }), ...(hidden.length === 0 ? {} : { hidden }) };
    const accepted = this.#take(table, { content: shown, head, layout, definition: definitionOf(table, this.#spreadsheetId) });
    if (accepted.is !== "malformed") this.#keepChecked();
    return accepted;
  }

  /** How many rows another definition of the table left on disk; undefined: none did. */
  rowsOfOther(table: Table): number | undefined {
    return this.#files.rowsOfOther(table.name, definitionOf(table, this.#spreadsheetId));
  }

  /** Google's values as a table's rows. */
  reading(values: unknown, table: Table): Reading {
    if (table.accounts === undefined) {
      const reading = readTable(values, table);
      if (reading.is === "malformed") return reading;
      return { ...reading, layout: { ...reading.layout, tab: this.#titleOf(reading.layout.tab) } };
    }
    return this.#secretKey === undefined
      ? { is: "malformed", why: "there is no key that users' secrets could be kept by" }
      : readAccounts(values, table, this.#secretKey);
  }

  /** Takes what clients are to see of a table whose rows are known, at a moment when Google has not been asked. */
  show(table: Table, content: Content, at: Timestamp): Accepted {
    const held = this.#held.get(table.name);
    if (held === undefined) return { is: "malformed", why: `nothing is known of ${table.range}` };
    const { layout, definition, head } = held;
    return this.#take(table, { content, head: { ...head, asOf: at }, layout, definition });
  }

  #take(table: Table, { content, head: said, definition, layout }: Coming): Accepted {
    const held = this.#held.get(table.name);
    const { snapshot, bytes, hash, edited } = encodeNext(held?.drawn, content);
    if (bytes.byteLength > MOST_BYTES)
      return { is: "malformed", why: `the rows of ${table.range} are ${bytes.byteLength} bytes: the most is ${MOST_BYTES}` };
    const head = this.#headOf(table, hash, said);
    const place = layout === undefined ? {} : { layout };
    const drawn = this.#written(table.name) ? { content, snapshot } : undefined; // of others every reading is another list
    if (held?.head.hash === hash) {
      const moved = this.#written(table.name) && JSON.stringify(held.layout) !== JSON.stringify(layout);
      this.#held.set(table.name, {
        bytes: held.bytes,
        rows: held.rows,
        steps: held.steps,
        drawn: drawn && { content, snapshot: held.drawn?.snapshot ?? snapshot },
        definition,
        head,
        ...place,
      });
      if (moved) this.#save(table.name);
      return { is: "same", head };
    }
    const step = held === undefined || edited === undefined ? undefined : { ...edited, from: held.head.version, head };
    this.#hold({ head, bytes, drawn, ...place }, definition, step === undefined ? [] : withStep(held?.steps ?? [], step, bytes.length));
    this.#save(table.name);
    return { is: "changed", head, bytes };
  }

  #headOf(table: Table, hash: string, { asOf, checkedAt, warnings, hidden }: Coming["head"]): SnapshotHead {
    const held = this.#held.get(table.name);
    const same = held?.head.hash === hash;
    const times = {
      asOf: same ? held.head.asOf : asOf,
      checkedAt,
      ...(warnings === undefined ? {} : { warnings }),
      ...(hidden === undefined ? {} : { hidden }),
      ...this.#ttl(table),
    };
    const version = same ? held.head.version : (this.#versions.get(table.name) ?? 0) + 1;
    return { table: table.name, epoch: this.#store.epoch, version, hash, ...times };
  }

  /** @returns what makes a version's rows into the newest, step by step; undefined: that is not known, or the version is no earlier one. */
  since(table: string, version: number): readonly Step[] | undefined {
    const held = this.#held.get(table);
    return held === undefined ? undefined : stepsSince(held.steps, version, held.head.version);
  }

  /** @returns the head of a table's rows, with the TTL that holds now; undefined: there are none. */
  retimed(table: Table): SnapshotHead | undefined {
    const held = this.#held.get(table.name);
    if (held === undefined) return undefined;
    const { ttl: _, ...rest } = held.head;
    const head = { ...rest, ...this.#ttl(table) };
    this.#held.set(table.name, { ...held, head });
    return head;
  }

  #ttl(table: Table): Pick<SnapshotHead, "ttl"> {
    const ttl = this.#ttlOf(table);
    return ttl > table.ttl ? { ttl } : {};
  }

  /** From now on another broker keeps the rows of written tables: ours lack what it accepts. @returns when everything is on disk. */
  async yield(): Promise<void> {
    this.#yielded = true;
    await this.flushed();
  }

  /** They are ours again. */
  takeBack(): void {
    if (!this.#yielded) return;
    this.#yielded = false;
    for (const table of this.#held.keys()) if (this.#written(table)) this.#save(table);
  }

  #save(table: string): void {
    const held = this.#held.get(table);
    if (held === undefined || (this.#yielded && this.#written(table))) return;
    const { head, bytes, layout, definition } = held;
    this.#files.write({ head, bytes, ...(layout !== undefined && this.#written(table) ? { layout } : {}) }, definition);
  }

  /** Names that the header row had, and has no longer: somebody has renamed or removed a column. */
  #lostNames(table: string, { columns }: Layout): readonly string[] {
    const now = new Set(columns.filter((name) => name !== undefined));
    const before = this.#names.get(table) ?? new Set(this.#held.get(table)?.layout?.columns.filter((name) => name !== undefined));
    this.#names.set(table, new Set([...[...before].slice(-MOST_NAMES), ...now]));
    return [...before].filter((name) => !now.has(name));
  }

  /** @returns when what is held of a table is on disk. */
  written(table: string): Promise<void> {
    return this.#files.written(table);
  }

  /** @returns when everything is on disk. */
  flushed(): Promise<void> {
    return this.#files.flushed();
  }

  #hold(saved: Saved & Pick<Held, "drawn">, definition: string, steps: readonly Step[] = []): void {
    const { head, bytes } = saved;
    stamp(bytes, head.epoch, head.version);
    const rows = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
    this.#held.set(head.table, { ...saved, rows, definition, steps });
    this.#versions.set(head.table, head.version);
  }

  #keepChecked(): void {
    this.#store.keepChecked(new Map([...this.#held].map(([name, { head }]) => [name, { hash: head.hash, checkedAt: head.checkedAt }])));
  }

  /** Says what is wrong with the rows once, not at every refresh. Names that are gone may have been secret ones: they are counted. */
  #report(table: string, { withoutKey, duplicateKeys, misfits, hidden, warnings: found }: Findings, lost: readonly string[]): void {
    const gone = `the header row has lost ${lost.length} column name${lost.length === 1 ? "" : "s"} that it had before`;
    const warnings = lost.length === 0 ? found : [gone, ...found];
    const said = JSON.stringify([withoutKey, duplicateKeys, misfits, hidden, warnings]);
    if (this.#findings.get(table) === said) return;
    this.#findings.set(table, said);
    if (warnings.length > 0)
      this.#log.warn({ table, withoutKey, duplicateKeys, misfits, warnings }, `${warnings[0]}${warnings.length > 1 ? " (and more)" : ""}`);
  }
}
