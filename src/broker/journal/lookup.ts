/** Looks for a write in all that the journal knows of: what waits, has landed, or was parked. */
import type { Write } from "../../sheets/writes.ts";
import type { Books } from "./books.ts";
import { Damage } from "./database.ts";
import { landedWrite, parkedWrite, recordOf, waitingWrite } from "./records.ts";
import type { Kind, Row } from "./rows.ts";

/** Changes nothing. */
export class Lookup {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  /** A write by its id, with its number. */
  known(id: string): { lsn: number; write: Write } | undefined {
    for (const kind of ["entry", "landed", "parked"] as const) {
      const row = this.believed(() => this.#books.database.named(kind, id));
      if (row !== undefined) return { lsn: row.nr, write: this.#write(kind, row) };
    }
    return undefined;
  }

  /** A write by its number, or by the one that it has got since. */
  numbered(lsn: number): Write | undefined {
    for (const kind of ["entry", "landed", "parked"] as const) {
      const row = this.believed(() => this.#books.database.get(kind, lsn));
      if (row === undefined) continue;
      const over = kind === "parked" ? recordOf("parked", row).over : undefined;
      return over?.is === "again" ? this.numbered(over.as) : this.#write(kind, row);
    }
    return undefined;
  }

  /** A row of the past that was altered is as good as none. (Those that wait were judged when the journal was opened.) */
  believed(read: () => Row | undefined): Row | undefined {
    try {
      return read();
    } catch (e) {
      if (e instanceof Damage) return undefined;
      throw e;
    }
  }

  #write(kind: Kind, row: Row): Write {
    if (kind === "landed") return landedWrite(row);
    if (kind === "parked") return parkedWrite(row);
    const sent = [...this.#books.state.sealed.values()].some(({ lsns, sentAt }) => sentAt !== undefined && lsns.has(row.nr));
    return waitingWrite(row, sent ? "sent" : "journaled");
  }
}
