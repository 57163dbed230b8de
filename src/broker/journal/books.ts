/** The journal's rows and the numbers about them, which change together: what waits has a bound, and what is over is kept for a time. */
import type { Timestamp } from "../../base/units.ts";
import { META, type Database } from "./database.ts";
import type { AddResult, Limits } from "./messages.ts";
import { bytesOf, isAside, recordOf, type Aged, type Counters } from "./records.ts";
import type { Row } from "./rows.ts";
import { plus, putMeta, type State } from "./state.ts";
import { isOver, type Moment } from "./steady.ts";

/** How many rows of a kind one tidying looks at: a step that no write waits long for. */
const STEP = 250;
/** So far from the oldest is looked for one that may go before it. */
const NEAR = 100;

/** Kinds of which the oldest go when there are too many. */
type Ring = "landed" | "parked" | "once" | "call";

/** A row whose record is this. */
export const plain = (nr: number, record: unknown, name: string | null = null): Row => ({
  nr,
  name,
  record: JSON.stringify(record),
  body: null,
});

/** An open journal's. */
export class Books {
  readonly database: Database;
  readonly limits: Limits;
  /** Of the transaction under way; who rolls it back puts the one before it here. */
  state: State;

  constructor(database: Database, limits: Limits, state: State) {
    this.database = database;
    this.limits = limits;
    this.state = state;
  }

  /** Counts, on disk too. */
  count(counters: Partial<Counters>): void {
    this.state = { ...this.state, counters: { ...this.state.counters, ...counters } };
    this.database.put("meta", plain(META.counters, this.state.counters));
  }

  /** @returns why so much more can't wait; undefined: it can. */
  full(count: number, bytes: number): AddResult | undefined {
    const { waiting } = this.state;
    if (waiting.bytes + bytes > this.limits.waitingBytes)
      return { is: "full", message: `${waiting.bytes} bytes wait to be sent, and at most ${this.limits.waitingBytes} may` };
    if (waiting.rows + count > this.limits.waiting)
      return { is: "full", message: `${waiting.rows} writes wait to be sent, and at most ${this.limits.waiting} may` };
    return undefined;
  }

  /** Keeps a row, and the oldest of its kind no longer where there are too many. */
  keep(kind: Ring, row: Row, mostRows: number, mostBytes: number): void {
    this.database.put(kind, row);
    this.state = { ...this.state, [kind]: plus(this.state[kind], 1, bytesOf(row)) };
    while (this.state[kind].rows > 1 && (this.state[kind].rows > mostRows || this.state[kind].bytes > mostBytes)) {
      const oldest = this.#first(kind);
      if (oldest === undefined) break;
      if (kind === "parked" && oldest.row !== undefined && isAside(oldest.row))
        this.state = { ...this.state, setAside: this.state.setAside - 1 };
      this.forget(kind, oldest.nr, oldest.row === undefined ? 0 : bytesOf(oldest.row));
    }
  }

  /** The oldest; of parked writes the oldest that was dealt with, as long as there is one near: nobody has decided about the others. */
  #first(kind: Ring): ReturnType<Database["end"]>[number] | undefined {
    const oldest = this.database.end(kind, "first", kind === "parked" ? NEAR : 1);
    return oldest.find(({ row }) => row === undefined || kind !== "parked" || !isAside(row)) ?? oldest[0];
  }

  /** A row goes, and is counted no longer. */
  forget(kind: Ring, nr: number, bytes: number): void {
    this.database.drop(kind, nr);
    this.state = { ...this.state, [kind]: plus(this.state[kind], -1, -bytes) };
  }

  /** Notes a step of the wall clock: a successor must know of it. */
  note({ since }: Moment): void {
    if (since === undefined || since === this.state.steadySince) return;
    putMeta(this.database, META.steady, since);
    this.state = { ...this.state, steadySince: since };
  }

  isOver(kind: Aged, stamp: Timestamp, at: Moment): boolean {
    return isOver(kind, stamp, { ...at, since: at.since ?? this.state.steadySince });
  }

  /** Forgets what has had its time, a step of it. @returns whether there is more to do at once. */
  tidy(at: Moment): boolean {
    let forgotten = 0;
    this.database.drop("meta", META.loss); // the process logs it before its first tidying
    for (const kind of ["landed", "once", "call"] as const)
      for (const { nr, row } of this.database.end(kind, "first", STEP)) {
        if (row !== undefined && !this.isOver(kind, recordOf(kind, row).settledAt, at)) continue;
        this.forget(kind, nr, row === undefined ? 0 : bytesOf(row));
        forgotten += 1;
      }
    return forgotten >= STEP;
  }
}
