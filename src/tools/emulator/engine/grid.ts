/**
 * The cells of one sheet, sparse: a map of rows, each an array without trailing holes. Rows are copied before the first
 * write inside a transaction, so undoing costs what was written, not what is there.
 */
import type { Cell } from "./cell.ts";
import { isBlank } from "./cell.ts";
import type { Dimension } from "./axis.ts";

export type Row = readonly (Cell | undefined)[];
type OwnRow = (Cell | undefined)[];

type Undo =
  | { readonly row: number; readonly before: Row | undefined }
  | { readonly rows: Map<number, Row> };

export class Grid {
  #rows: Map<number, Row>;
  /** One more than the last stored row. */
  #used: number;
  #undo: Undo[] | undefined;
  /** Rows that this transaction made and may change in place. */
  #own = new Set<Row>();

  constructor(rows: Iterable<readonly [number, Row]> = []) {
    this.#rows = new Map(rows);
    this.#used = 0;
    this.#measure();
  }

  #measure(): void {
    this.#used = 0;
    for (const row of this.#rows.keys()) this.#used = Math.max(this.#used, row + 1);
  }

  /** One more than the last row that stores anything; formats and notes count. */
  get used(): number {
    return this.#used;
  }

  /** One more than the last row that holds a value. */
  get filled(): number {
    for (let row = this.#used; row > 0; row--)
      if (this.#rows.get(row - 1)?.some((cell) => !isBlank(cell)) === true) return row;
    return 0;
  }

  row(row: number): Row | undefined {
    return this.#rows.get(row);
  }

  cell(row: number, column: number): Cell | undefined {
    return this.#rows.get(row)?.[column];
  }

  entries(): IterableIterator<[number, Row]> {
    return this.#rows.entries();
  }

  /** Stores a cell; undefined removes it. */
  set(row: number, column: number, cell: Cell | undefined): void {
    if (cell === undefined && this.#rows.get(row)?.[column] === undefined) return;
    const own = this.#ownRow(row);
    while (own.length < column) own.push(undefined);
    own[column] = cell;
    if (cell === undefined) this.#trim(row, own);
    else this.#used = Math.max(this.#used, row + 1);
  }

  #ownRow(row: number): OwnRow {
    const before = this.#rows.get(row);
    if (before !== undefined && this.#own.has(before)) return before as OwnRow;
    this.#undo?.push({ row, before });
    const copy = before === undefined ? [] : [...before];
    if (this.#undo !== undefined) this.#own.add(copy);
    this.#rows.set(row, copy);
    return copy;
  }

  #trim(row: number, own: OwnRow): void {
    while (own.length > 0 && own.at(-1) === undefined) own.pop();
    if (own.length > 0) return;
    this.#rows.delete(row);
    this.#own.delete(own);
    this.#undo?.push({ row, before: undefined });
    while (this.#used > 0 && !this.#rows.has(this.#used - 1)) this.#used -= 1;
  }

  /** Replaces the rows by what `place` makes of each row's number; undefined drops the row. */
  renumber(place: (row: number) => number | undefined): void {
    const moved = new Map<number, Row>();
    for (const [row, cells] of this.#rows) {
      const to = place(row);
      if (to !== undefined) moved.set(to, cells);
    }
    this.#replace(moved);
  }

  /** Rebuilds every row. Rows that come back empty are dropped. */
  rebuild(change: (cells: Row, row: number) => Row): void {
    const next = new Map<number, Row>();
    for (const [row, cells] of this.#rows) {
      const made = [...change(cells, row)];
      while (made.length > 0 && made.at(-1) === undefined) made.pop();
      if (made.length > 0) next.set(row, made);
    }
    this.#replace(next);
  }

  #replace(rows: Map<number, Row>): void {
    this.#undo?.push({ rows: this.#rows });
    this.#rows = rows;
    this.#own.clear();
    this.#measure();
  }

  /** Moves columns or rows: `place` gives each index its new one, or undefined to drop it. */
  move(dimension: Dimension, place: (index: number) => number | undefined): void {
    if (dimension === "ROWS") return this.renumber(place);
    this.rebuild((cells) => {
      const moved: OwnRow = [];
      for (const [column, cell] of cells.entries()) {
        const to = cell === undefined ? undefined : place(column);
        if (to === undefined) continue;
        while (moved.length < to) moved.push(undefined);
        moved[to] = cell;
      }
      return moved;
    });
  }

  begin(): void {
    this.#undo = [];
    this.#own.clear();
  }

  commit(): void {
    this.#undo = undefined;
    this.#own.clear();
  }

  rollback(): void {
    for (const step of (this.#undo ?? []).toReversed()) {
      if ("rows" in step) this.#rows = step.rows;
      else if (step.before === undefined) this.#rows.delete(step.row);
      else this.#rows.set(step.row, step.before);
    }
    this.commit();
    this.#measure();
  }
}
