/** One table that is written to: what Google last said of it, and what was accepted since and may not be in that. */
import { after, minutes, type Instant } from "../base/units.ts";
import { fillOf, hiddenBytes, rowGrowth, sum, valuesBytes, type Growth } from "../sheets/growth.ts";
import type { Layout } from "../sheets/layout.ts";
import type { Content } from "../sheets/snapshot.ts";
import type { Table } from "../sheets/types.ts";
import type { Entry } from "./journal/journal.ts";
import { indexKeys, keysOf, layRow, overlay, type CellRow, type Laid } from "./overlay.ts";
import type { Standing } from "./validate.ts";

/** Google's rows, as far as they are visible, when they are needed. */
export interface Source {
  readonly load: () => Content | undefined;
  readonly layout: Layout | undefined;
  /** How far below the header row each row stood; undefined: it is not known. */
  readonly places?: readonly number[];
  /** Of the whole answer; undefined: these rows come from disk. */
  readonly bytes?: number;
}

interface Base {
  readonly content: Content;
  readonly bytes: number;
  /** Names of the columns. */
  readonly shown: ReadonlySet<string>;
  readonly places: readonly number[] | undefined;
  readonly index: ReadonlyMap<string, number>;
  /** Keys that stand in more than one row. */
  readonly doubles: ReadonlySet<string>;
}

/** An accepted entry. Once it has landed it is kept until a reading that was asked for later has taken its place. */
interface Lying {
  readonly entry: Entry;
  landedAt: Instant | undefined;
}

/** Entries that are on their way to the journal's disk, and the rows as they leave them. */
export interface Draft {
  readonly entries: readonly Laid[];
  readonly rows: ReadonlyMap<string, CellRow | undefined>;
}

/** No answer of Google is on its way for so long: what landed before is in any reading that may still arrive. */
const SURELY_READ = minutes(5);
const MANY = 1_000;
const NONE: Growth = { rows: 0, bytes: 0 };

function baseOf(content: Content, { places, bytes = valuesBytes(content.rows) }: Pick<Source, "places" | "bytes">): Base {
  const index = indexKeys(content);
  const doubles = new Set<string>();
  if (index.size < content.rows.length) for (const [at, key] of keysOf(content).entries()) if (index.get(key) !== at) doubles.add(key);
  return { content, bytes, shown: new Set(content.columns.map(({ name }) => name)), places, index, doubles };
}

export class WrittenTable {
  readonly table: Table;
  #source: Source = { load: () => undefined, layout: undefined };
  #base: Base | undefined;
  #lying: Lying[] = [];
  readonly #drafts = new Set<Draft>();
  /** Rows that differ from the base's, drafts included; undefined: there is none. What the next change is judged by. */
  #view = new Map<string, CellRow | undefined>();
  /** What the rows of the view add to the base. */
  #grown: Growth = NONE;
  /** What an entry made of a row: most rows of an overlay are those of the last one. */
  #laid = new WeakMap<Laid, { readonly before: CellRow | undefined; readonly row: CellRow | undefined }>();

  constructor(table: Table) {
    this.table = table;
  }

  /** New rows of Google's. @param askedAt entries that had landed by then are in them. */
  base(source: Source, askedAt: Instant): void {
    this.#source = source;
    this.#base = undefined;
    this.#laid = new WeakMap();
    this.#lying = this.#lying.filter(({ landedAt }) => landedAt === undefined || landedAt > askedAt);
    this.#review();
  }

  /** What changes are judged by; undefined: nothing is known of the table yet. */
  standing(): Standing | undefined {
    const base = this.#held();
    const { table } = this;
    const { layout } = this.#source;
    if (base === undefined || layout === undefined) return undefined;
    return {
      table,
      layout,
      columns: base.content.columns,
      ...this.#size(base),
      shown: base.shown,
      row: (key) => this.#row(base, key),
      isAmbiguous: (key) => base.doubles.has(key),
    };
  }

  /** Other requests are judged as if these were accepted. To be followed by `commit` or `drop`. */
  draft(draft: Draft): void {
    this.#drafts.add(draft);
    const base = this.#held();
    if (base === undefined) return;
    for (const [key, row] of draft.rows) this.#put(base, key, row);
    for (const { values } of draft.entries) this.#hide(base, values);
  }

  drop(draft: Draft): void {
    this.#drafts.delete(draft);
    this.#review();
  }

  commit(draft: Draft, entries: readonly Entry[]): void {
    this.#drafts.delete(draft);
    this.lay(entries);
  }

  /** Entries that are on disk. */
  lay(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const behind = this.#lying.findLastIndex(({ entry: { lsn } }) => lsn < entry.lsn);
      this.#lying.splice(behind + 1, 0, { entry, landedAt: undefined });
    }
  }

  /**
   * Counts up what lies here as it was found in a journal that was opened again. What is missing there has been dealt with by another, and is
   * taken for landed: `parked` takes it away.
   * @returns what is missing.
   */
  recover(entries: readonly Entry[], now: Instant): readonly Entry[] {
    const known = new Set(entries.map(({ lsn }) => lsn));
    const missing = this.#lying.filter(({ entry, landedAt }) => landedAt === undefined && !known.has(entry.lsn));
    for (const lying of missing) lying.landedAt = now;
    const here = new Set(this.#lying.map(({ entry }) => entry.lsn));
    this.lay(entries.filter(({ lsn }) => !here.has(lsn)));
    this.#review();
    return missing.map(({ entry }) => entry);
  }

  landed(lsns: ReadonlySet<number>, now: Instant): void {
    for (const lying of this.#lying) if (lsns.has(lying.entry.lsn)) lying.landedAt = now;
    if (this.#lying.length > MANY) this.#fold(now);
  }

  /** These will never be in the sheet. */
  parked(lsns: ReadonlySet<number>): void {
    this.#lying = this.#lying.filter(({ entry }) => !lsns.has(entry.lsn));
    this.#review();
  }

  /** Where a key's row stood at the last reading, counted from the tab's first row; undefined: it was not there, or it is not known. */
  rowOf(key: string): number | undefined {
    const base = this.#held();
    const place = base?.places?.[base.index.get(key) ?? -1];
    const { layout } = this.#source;
    return place === undefined || layout === undefined ? undefined : layout.row + place;
  }

  /** What clients see: Google's rows and all that is on disk; undefined: no rows are known. */
  content(): Content | undefined {
    const base = this.#held();
    if (base === undefined) return undefined;
    const entries = this.#lying.map(({ entry }) => entry);
    return overlay(base.content, base.index, entries, this.#lay);
  }

  readonly #lay: typeof layRow = (columns, before, entry) => {
    const known = this.#laid.get(entry);
    if (known !== undefined && known.before === before) return known.row;
    const row = layRow(columns, before, entry);
    this.#laid.set(entry, { before, row });
    return row;
  };

  #held(): Base | undefined {
    if (this.#base !== undefined) return this.#base;
    const content = this.#source.load();
    return content === undefined ? undefined : (this.#base = baseOf(content, this.#source));
  }

  #size({ content, bytes }: Base): Growth {
    return sum({ rows: content.rows.length, bytes }, this.#grown);
  }

  /** How much of its limits the table has, in percent; undefined: nothing is known of it. */
  fill(): number | undefined {
    const base = this.#held();
    return base === undefined ? undefined : fillOf(this.table, this.#size(base));
  }

  #put(base: Base, key: string, row: CellRow | undefined): void {
    this.#grown = sum(this.#grown, rowGrowth(this.#row(base, key), row));
    this.#view.set(key, row);
  }

  #hide({ shown }: Base, values: Laid["values"]): void {
    this.#grown = sum(this.#grown, { rows: 0, bytes: hiddenBytes(values, shown) });
  }

  #row(base: Base, key: string): CellRow | undefined {
    if (this.#view.has(key)) return this.#view.get(key);
    const at = base.index.get(key);
    return at === undefined ? undefined : base.content.rows[at];
  }

  #review(): void {
    this.#view = new Map();
    this.#grown = NONE;
    if (this.#lying.length === 0 && this.#drafts.size === 0) return;
    const base = this.#held();
    if (base === undefined) return;
    const { columns } = base.content;
    const lay = (entry: Laid): void => {
      this.#put(base, entry.key, this.#lay(columns, this.#row(base, entry.key), entry));
      this.#hide(base, entry.values);
    };
    for (const { entry } of this.#lying) lay(entry);
    for (const { entries } of this.#drafts) for (const entry of entries) lay(entry);
  }

  /** A table that nobody reads gets no new rows from Google: what landed long ago becomes part of those that are here. */
  #fold(now: Instant): void {
    const base = this.#held();
    const old = this.#lying.filter(({ landedAt }) => landedAt !== undefined && after(landedAt, SURELY_READ) < now);
    if (base === undefined || old.length === 0) return;
    const entries = old.map(({ entry }) => entry);
    const content = overlay(base.content, base.index, entries, this.#lay);
    const hidden = entries.reduce((bytes, { values }) => bytes + hiddenBytes(values, base.shown), 0);
    const grown = valuesBytes(content.rows) - valuesBytes(base.content.rows);
    this.#base = baseOf(content, { bytes: base.bytes + hidden + grown });
    this.#lying = this.#lying.filter((lying) => !old.includes(lying));
    this.#review();
  }
}
