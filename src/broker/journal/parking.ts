/** Writes that Google has refused for good: what there is, and what the operator decides about them. */
import type { Timestamp } from "../../base/units.ts";
import type { Write } from "../../sheets/writes.ts";
import { plain, type Books } from "./books.ts";
import type { SetAside } from "./journal.ts";
import type { Lookup } from "./lookup.ts";
import type { Retried } from "./messages.ts";
import { bytesOf, encodeEntry, isAside, parkedWrite, recordOf, setAside, type ParkedRecord } from "./records.ts";
import type { Row } from "./rows.ts";
import { plus } from "./state.ts";

/** Decides inside a transaction, like Store. */
export class Parking {
  readonly #books: Books;
  readonly #lookup: Lookup;

  constructor(books: Books, lookup: Lookup) {
    this.#books = books;
    this.#lookup = lookup;
  }

  parked(most: number): Write[] {
    return this.#books.database
      .end("parked", "last", most)
      .flatMap(({ row }) => (row === undefined || !isAside(row) ? [] : [parkedWrite(row)]));
  }

  aside(most: number, ids: readonly string[] | undefined): SetAside[] {
    const rows =
      ids === undefined
        ? this.#books.database.sound("parked")
        : ids.flatMap((id) => this.#lookup.believed(() => this.#books.database.named("parked", id)) ?? []);
    const found: SetAside[] = [];
    for (const row of rows) {
      if (found.length >= most) break;
      if (this.#isOpen(row)) found.push(setAside(row));
    }
    return found.toSorted((a, b) => a.lsn - b.lsn);
  }

  /** One that waits or has landed under the same id has been dealt with, whatever a salvaged file says. */
  #isOpen(row: Row): boolean {
    if (!isAside(row)) return false;
    const { id } = recordOf("parked", row);
    return (
      this.#books.database.named("entry", id) === undefined &&
      this.#lookup.believed(() => this.#books.database.named("landed", id)) === undefined
    );
  }

  /** Done twice it answers the same: the stub that is left behind says where each went. */
  retry(lsns: readonly number[], now: Timestamp): (Retried | undefined)[] {
    return lsns.map((lsn) => {
      const row = this.#lookup.believed(() => this.#books.database.get("parked", lsn));
      if (row === undefined) return undefined;
      const { over } = recordOf("parked", row);
      if (over?.is === "again") return this.#waits(over.as);
      return this.#isOpen(row) ? this.#again(row, now) : undefined;
    });
  }

  #waits(lsn: number): Retried | undefined {
    const row = this.#books.database.get("entry", lsn);
    return row === undefined ? undefined : { lsn, record: row.record };
  }

  #again(row: Row, now: Timestamp): Retried {
    const { id, table, op, key, values } = recordOf("parked", row);
    const record = encodeEntry({ id, table, op, key, values, at: now });
    const full = this.#books.full(1, bytesOf({ record }));
    if (full?.is === "full") throw new Error(full.message);
    const lsn = this.#books.state.counters.nextLsn;
    this.#stub(row, { is: "again", as: lsn });
    this.#books.database.put("entry", { nr: lsn, name: id, record, body: null });
    this.#books.state = { ...this.#books.state, waiting: plus(this.#books.state.waiting, 1, bytesOf({ record })) };
    this.#books.count({ nextLsn: lsn + 1 });
    return { lsn, record };
  }

  /** Gives it up. @returns false: there is nothing to give up. */
  discard(lsn: number): boolean {
    const row = this.#lookup.believed(() => this.#books.database.get("parked", lsn));
    if (row === undefined) return false;
    if (recordOf("parked", row).over?.is === "discarded") return true; // done before, by who died before he could say so
    if (!this.#isOpen(row)) return false;
    this.#stub(row, { is: "discarded" });
    return true;
  }

  /** What is left of a parked write that was dealt with: without its values. */
  #stub(row: Row, over: NonNullable<ParkedRecord["over"]>): void {
    const before = recordOf("parked", row);
    const reason = over.is === "discarded" ? `given up by the operator; Google's reason: ${before.reason}` : before.reason;
    const stub = plain(row.nr, { ...before, values: {}, reason, over } satisfies ParkedRecord, over.is === "discarded" ? row.name : null);
    this.#books.database.put("parked", stub);
    const { parked, setAside } = this.#books.state;
    this.#books.state = { ...this.#books.state, parked: plus(parked, 0, bytesOf(stub) - bytesOf(row)), setAside: setAside - 1 };
  }
}
