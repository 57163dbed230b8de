/** What a client wants changed → entries for the journal, or the first reason why not: all of a request, or nothing of it. */
import { impossible } from "../base/never.ts";
import type { Timestamp } from "../base/units.ts";
import { writeCell } from "../sheets/cell.ts";
import { hiddenBytes, rowGrowth, sum, tooMuch, type Growth } from "../sheets/growth.ts";
import { unwritable, type Layout } from "../sheets/layout.ts";
import { nthId, rowId } from "../sheets/rowids.ts";
import { rowBody, rowTag, rowText, type Cell } from "../sheets/snapshot.ts";
import type { Content } from "../sheets/snapshot.ts";
import type { ColumnType, Table } from "../sheets/types.ts";
import { MOST_CHANGES, type Change, type Values, type WriteRefusal } from "../sheets/writes.ts";
import type { NewEntry } from "./journal/journal.ts";
import { layRow, type CellRow } from "./overlay.ts";

/** A table as the next change finds it: what the sheet holds, and all that was accepted since. */
export interface Standing {
  readonly table: Table;
  readonly layout: Layout;
  readonly columns: Content["columns"];
  /** How large it is, with all that was accepted. */
  readonly rows: number;
  readonly bytes: number;
  /** Names of the columns that rows show. */
  readonly shown: ReadonlySet<string>;
  row(key: string): CellRow | undefined;
  /** More than one row of the sheet has this key. */
  isAmbiguous(key: string): boolean;
}

export type Validated =
  | { readonly is: "valid"; readonly entries: readonly NewEntry[]; readonly rows: ReadonlyMap<string, CellRow | undefined> }
  | { readonly is: "refused"; readonly refusal: WriteRefusal };

/** What Google allows in one spreadsheet. */
const MOST_CELLS = 10_000_000;
const LONGEST_KEY = 1_000;

/** A refusal on its way out of the checks: thrown here, caught in `validate`, seen by nobody else. */
class Refused extends Error {
  readonly refusal: WriteRefusal;
  constructor(reason: WriteRefusal["reason"], message: string, nr?: number, column?: string) {
    super(message);
    this.refusal = { reason, message, ...(nr === undefined ? {} : { nr }), ...(column === undefined ? {} : { column }) };
  }
}

/** @param newId makes the id of one write. */
export function validate(standing: Standing, changes: readonly Change[], newId: () => string, at: Timestamp): Validated {
  try {
    return new Checks(standing, newId, at).all(changes);
  } catch (e) {
    if (e instanceof Refused) return { is: "refused", refusal: e.refusal };
    throw e;
  }
}

const show = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);

const own = (cells: Values, name: string): Cell | undefined => (Object.hasOwn(cells, name) ? cells[name] : undefined);

class Checks {
  readonly #standing: Standing;
  readonly #types: ReadonlyMap<string, ColumnType>;
  readonly #newId: () => string;
  readonly #at: Timestamp;
  /** Rows as the changes before this one leave them. */
  readonly #rows = new Map<string, CellRow | undefined>();

  constructor(standing: Standing, newId: () => string, at: Timestamp) {
    const { layout, table } = standing;
    this.#standing = standing;
    this.#newId = newId;
    this.#at = at;
    const said = new Map(table.columns.map(({ name, type }) => [name, type]));
    for (const { name, type } of standing.columns) said.set(name, type); // also `name_2`, which has the type of `name`
    if (layout.deleted !== undefined) said.set(layout.deleted, "boolean");
    this.#types = new Map(layout.columns.flatMap((name) => (name === undefined ? [] : [[name, said.get(name) ?? "auto"] as const])));
  }

  all(changes: readonly Change[]): Validated {
    const { table, layout } = this.#standing;
    if (changes.length === 0) throw new Refused("invalid", "the request has no change in it");
    if (changes.length > MOST_CHANGES)
      throw new Refused("invalid", `${changes.length} changes in one request: the most is ${MOST_CHANGES}`);
    for (const op of new Set(changes.map((change) => change.op))) {
      const why = unwritable(table, op);
      if (why !== undefined) throw new Refused("not-writable", why);
    }
    if (!layout.columns.includes(layout.key))
      throw new Refused("not-writable", `the tab ${show(layout.tab)} is empty: write the names of its columns into its first row`);
    this.#fits(changes);
    const entries = changes.map((change, nr) => this.#entry(change, nr));
    this.#hasRoom(entries);
    return { is: "valid", entries, rows: this.#rows };
  }

  #fits(changes: readonly Change[]): void {
    const { layout, rows } = this.#standing;
    const added = changes.filter(({ op }) => op === "append").length;
    const cells = (layout.row + 1 + rows + added) * (layout.column + layout.columns.length);
    if (added > 0 && cells > MOST_CELLS)
      throw new Refused("not-writable", `the tab ${show(layout.tab)} would have ${cells} cells: a spreadsheet holds ${MOST_CELLS}`);
  }

  #hasRoom(entries: readonly NewEntry[]): void {
    const { table, shown } = this.#standing;
    let added: Growth = { rows: 0, bytes: entries.reduce((bytes, { values }) => bytes + hiddenBytes(values, shown), 0) };
    for (const [key, row] of this.#rows) added = sum(added, rowGrowth(this.#standing.row(key), row));
    const why = tooMuch(table, this.#standing, added);
    if (why !== undefined) throw new Refused("table-full", why);
  }

  #entry(change: Change, nr: number): NewEntry {
    const id = this.#newId();
    const made = this.#made(change, nr, id);
    const row = layRow(this.#standing.columns, this.#row(made.key), made);
    this.#rows.set(made.key, row);
    return { id, table: this.#standing.table.name, ...made, at: this.#at };
  }

  #made(change: Change, nr: number, id: string): Pick<NewEntry, "op" | "key" | "values"> {
    switch (change.op) {
      case "append":
        return { op: "append", ...this.#append(change, nr, id) };
      case "update":
        this.#exists(change, nr);
        return { op: "update", key: change.key, values: this.#update(change, nr) };
      case "delete":
        this.#exists(change, nr);
        return { op: "delete", key: change.key, values: {} };
      default:
        return impossible(change);
    }
  }

  #append({ values }: Extract<Change, { op: "append" }>, nr: number, id: string): { key: string; values: Values } {
    const { layout } = this.#standing;
    const cells = this.#cells(values, nr);
    if (Object.values(cells).every((cell) => cell === null)) throw new Refused("invalid", "the row is empty", nr);
    if (layout.rowIds === true) {
      // Read back, a row of unticked checkboxes is no row.
      if (Object.values(cells).every((cell) => cell === null || cell === false)) throw new Refused("invalid", "the row is empty", nr);
      return { key: this.#freeId(cells), values: cells };
    }
    const given = own(cells, layout.key) ?? null;
    const type = this.#types.get(layout.key) ?? "auto";
    if (given === null && type !== "auto" && type !== "string")
      throw new Refused("invalid", `the key ${show(layout.key)} is needed: one can't be made for a column of type ${type}`, nr, layout.key);
    const key = String(given ?? id);
    if (key.trim() === "" || key.length > LONGEST_KEY)
      throw new Refused("invalid", `a key has 1 to ${LONGEST_KEY} characters, and not only blanks`, nr, layout.key);
    if (this.#row(key) !== undefined)
      throw new Refused("duplicate-key", `there is a row with the key ${show(key)} already`, nr, layout.key);
    return { key, values: { ...cells, [layout.key]: given ?? id } };
  }

  /** The id that the row will have when it is read back. */
  #freeId(values: Values): string {
    const row = layRow(this.#standing.columns, undefined, { op: "append", key: "", values }) ?? [];
    const id = rowId(row);
    let nr = 1;
    while (this.#row(nthId(id, nr)) !== undefined) nr += 1;
    return nthId(id, nr);
  }

  #update({ key, values }: Extract<Change, { op: "update" }>, nr: number): Values {
    const { layout } = this.#standing;
    const { [layout.key]: _, ...cells } = this.#cells(values, nr);
    if (Object.hasOwn(values, layout.key) && String(values[layout.key]) !== key)
      throw new Refused("invalid", `the key of a row can't be changed: it is ${show(key)}`, nr, layout.key);
    if (Object.keys(cells).length === 0) throw new Refused("invalid", "no column is named that would be changed", nr);
    return cells;
  }

  #exists({ key, ifMatch }: Extract<Change, { key: string }>, nr: number): void {
    const { columns, table } = this.#standing;
    const row = this.#row(key);
    if (row === undefined) throw new Refused("unknown-key", `there is no row with the key ${show(key)}`, nr);
    if (this.#standing.isAmbiguous(key))
      throw new Refused("duplicate-key", `more than one row of the sheet has the key ${show(key)}: which one is meant can't be told`, nr);
    if (ifMatch !== undefined && ifMatch !== rowTag(rowBody(table.name, rowText(columns, row))))
      throw new Refused("conflict", `the row with the key ${show(key)} is not what it was: read it again`, nr);
  }

  #row(key: string): CellRow | undefined {
    return this.#rows.has(key) ? this.#rows.get(key) : this.#standing.row(key);
  }

  /** Names are looked at as own properties, so that `__proto__` is a name like any other. */
  #cells(values: Values, nr: number): Readonly<Record<string, Cell>> {
    const { layout } = this.#standing;
    const cells = Object.entries(values).map(([name, value]): [string, Cell] => {
      const column = name.normalize("NFC");
      const type = this.#types.get(column);
      if (type === undefined || column === layout.deleted)
        throw new Refused("invalid", `the table has no column ${show(name)} that can be written`, nr, name.slice(0, 200));
      const written = writeCell(value, type);
      if (written.is === "misfit") throw new Refused("invalid", `${show(column)} is to be ${written.expected}`, nr, column);
      return [column, written.cell];
    });
    const byName = Object.fromEntries(cells);
    if (Object.keys(byName).length < cells.length) throw new Refused("invalid", "a column is named twice", nr);
    return byName;
  }
}
