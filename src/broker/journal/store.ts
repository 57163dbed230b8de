/** What each operation does to the journal's rows. What changes is called inside a transaction. */
import type { Timestamp } from "../../base/units.ts";
import type { Write } from "../../sheets/writes.ts";
import { Books, plain } from "./books.ts";
import { Damage, type Database } from "./database.ts";
import type { NewEntry, SetAside, Settlement } from "./journal.ts";
import { Lookup } from "./lookup.ts";
import type { AddOp, AddResult, Limits, Named, Op } from "./messages.ts";
import { Parking } from "./parking.ts";
import { bytesOf, recordOf, type BatchRecord, type LandedRecord, type OnceRecord, type ParkedRecord } from "./records.ts";
import type { Row } from "./rows.ts";
import { plus, type State } from "./state.ts";
import type { Moment } from "./steady.ts";

export class Store {
  readonly #books: Books;
  readonly #lookup: Lookup;
  readonly #parking: Parking;

  constructor(database: Database, limits: Limits, state: State) {
    this.#books = new Books(database, limits, state);
    this.#lookup = new Lookup(this.#books);
    this.#parking = new Parking(this.#books, this.#lookup);
  }

  get state(): State {
    return this.#books.state;
  }

  /** Puts back what was before a transaction that failed. */
  set state(state: State) {
    this.#books.state = state;
  }

  find(id: string): Write | undefined {
    return this.#lookup.known(id)?.write;
  }

  parked(most: number): Write[] {
    return this.#parking.parked(most);
  }

  aside(most: number, ids: readonly string[] | undefined): SetAside[] {
    return this.#parking.aside(most, ids);
  }

  /** @returns what the operation answers with. @throws Error when it can't be done; nothing of the transaction may be kept then. */
  change(op: Op, at: Moment): unknown {
    this.#books.note(at);
    switch (op.do) {
      case "add":
        return this.#add(op, at);
      case "recall":
        return this.#before(op.once, at);
      case "seal":
        return this.#seal(op);
      case "sent":
        return this.#sent(op.nr, op.at);
      case "settle":
        return this.#settle(op.nr, op.how);
      case "retry":
        return this.#parking.retry(op.lsns, at.now);
      case "discard":
        return op.lsns.map((lsn) => this.#parking.discard(lsn));
      case "dropFences":
        return op.ids.forEach((id) => this.#books.database.drop("fence", id));
      case "keepTags":
        op.dropped.forEach((id) => this.#books.database.drop("tag", id));
        op.kept.forEach(({ id, ...tag }) => this.#books.database.put("tag", plain(id, tag)));
        return this.#books.count({ nextMetadataId: op.nextMetadataId });
      case "tidy":
        return this.#books.tidy(at);
      default:
        throw new Error(`${op.do} changes nothing`);
    }
  }

  #add({ ids, records, once }: AddOp, at: Moment): AddResult {
    const known = ids.flatMap((id) => this.#lookup.known(id) ?? []);
    if (known[0] !== undefined) return { is: "known", firstLsn: known[0].lsn, writes: known.map(({ write }) => write) };
    const before = once === undefined ? undefined : this.#before(once, at);
    if (before !== undefined) return before;
    const bytes = records.reduce((sum, record) => sum + bytesOf({ record }), 0);
    const full = this.#books.full(records.length, bytes);
    if (full !== undefined) return full;
    const firstLsn = this.state.counters.nextLsn;
    records.forEach((record, i) => this.#books.database.put("entry", { nr: firstLsn + i, name: ids[i] ?? null, record, body: null }));
    this.state = {
      ...this.state,
      waiting: plus(this.state.waiting, records.length, bytes),
      counters: { ...this.state.counters, nextLsn: firstLsn + records.length },
    };
    if (once !== undefined) this.#remember(once, { digest: once.digest, firstLsn, count: records.length, settledAt: at.now });
    return { is: "added", firstLsn };
  }

  /** What is to be answered to a key that was used before. */
  #before({ name, digest, ring }: Named, at: Moment): AddResult | undefined {
    let row: Row | undefined;
    try {
      row = this.#books.database.named(ring, name);
    } catch (e) {
      if (!(e instanceof Damage)) throw e;
      return { is: "disk", message: "what is noted of this key is damaged: whether it was used is not known, so nothing was written" };
    }
    if (row === undefined) return undefined;
    const noted = recordOf(ring, row);
    if (this.#books.isOver(ring, noted.settledAt, at)) {
      this.#books.forget(ring, row.nr, bytesOf(row));
      return undefined;
    }
    if (noted.digest !== digest) return { is: "reused" };
    const lsns = Array.from({ length: noted.count }, (_, i) => noted.firstLsn + i);
    return { is: "repeated", writes: lsns.flatMap((lsn) => this.#lookup.numbered(lsn) ?? []) };
  }

  #remember({ name, ring }: Named, noted: OnceRecord): void {
    const last = this.#books.database.end(ring, "last", 1)[0]?.nr ?? 0;
    this.#books.keep(ring, plain(last + 1, noted, name), this.#books.limits[ring], Infinity);
  }

  #seal({ batch, nextMetadataId }: Extract<Op, { do: "seal" }>): void {
    const { nr, fence, lsns, sealedAt, sentAt, body } = batch;
    for (const lsn of lsns)
      if (this.#books.database.get("entry", lsn) === undefined) throw new Error(`batch ${nr} can't be sealed: write ${lsn} does not wait`);
    const record = JSON.stringify({ fence, lsns, sealedAt } satisfies BatchRecord);
    const there = this.#books.database.get("batch", nr);
    if (there !== undefined) {
      if (there.record === record && Buffer.compare(there.body ?? new Uint8Array(), body) === 0) return;
      throw new Error(`batch ${nr} can't be sealed: it is sealed already, with other bytes`);
    }
    this.#books.database.put("batch", { nr, name: null, record, body });
    this.state = { ...this.state, sealed: new Map(this.state.sealed).set(nr, { lsns: new Set(lsns), sentAt: undefined }) };
    if (sentAt !== undefined) this.#sent(nr, sentAt);
    this.#books.count({ nextBatch: Math.max(nr + 1, this.state.counters.nextBatch), nextMetadataId });
  }

  #sent(nr: number, at: Timestamp): void {
    const batch = this.state.sealed.get(nr);
    if (batch === undefined) throw new Error(`batch ${nr} can't be sent: it is not sealed, or settled`);
    if (batch.sentAt !== undefined) return; // when it was first handed over
    this.#books.database.put("sending", plain(nr, at));
    this.state = { ...this.state, sealed: new Map(this.state.sealed).set(nr, { ...batch, sentAt: at }) };
  }

  /** Done twice it does nothing more: a settlement may be repeated by who does not know whether it was taken. */
  #settle(nr: number | undefined, { landed, parked, again, at }: Settlement): void {
    const before = this.state.counters;
    for (const lsn of landed)
      this.#move(lsn, "landed", ({ id, table, op, key, at: since }) => ({ id, table, op, key, at: since, settledAt: at }));
    for (const { lsn, reason } of parked) this.#move(lsn, "parked", (entry): ParkedRecord => ({ ...entry, reason, settledAt: at }));
    this.#endBatch(nr, new Set([...landed, ...parked.map(({ lsn }) => lsn), ...again]), landed.length > 0 ? at : undefined, at);
    if (this.state.counters !== before) this.#books.count({});
  }

  #endBatch(nr: number | undefined, over: ReadonlySet<number>, landedAt: Timestamp | undefined, at: Timestamp): void {
    const batch = nr === undefined ? undefined : this.state.sealed.get(nr);
    if (nr === undefined || batch === undefined) return;
    const row = this.#books.database.get("batch", nr);
    if (row === undefined) return;
    const record = recordOf("batch", row);
    const lsns = record.lsns.filter((lsn) => !over.has(lsn));
    const sealed = new Map(this.state.sealed);
    // A batch of no rows is a fence alone: it is settled when the fence stands.
    if (landedAt !== undefined || record.lsns.length === 0) this.#books.database.put("fence", plain(record.fence.id, at));
    if (lsns.length === 0) {
      this.#books.database.drop("batch", nr);
      this.#books.database.drop("sending", nr);
      sealed.delete(nr);
    } else {
      this.#books.database.put("batch", { ...row, record: JSON.stringify({ ...record, lsns } satisfies BatchRecord) });
      sealed.set(nr, { ...batch, lsns: new Set(lsns) });
    }
    this.state = { ...this.state, sealed };
  }

  /** Out of what waits, into what has landed or is parked. */
  #move(lsn: number, to: "landed" | "parked", record: (entry: NewEntry) => LandedRecord): void {
    const row = this.#books.database.get("entry", lsn);
    if (row === undefined) return;
    this.#books.database.drop("entry", lsn);
    this.state = {
      ...this.state,
      waiting: plus(this.state.waiting, -1, -bytesOf(row)),
      counters: { ...this.state.counters, [to]: this.state.counters[to] + 1 },
    };
    const [rows, bytes] =
      to === "landed"
        ? [this.#books.limits.landed, this.#books.limits.landedBytes]
        : [this.#books.limits.parked, this.#books.limits.parkedBytes];
    if (to === "parked") this.state = { ...this.state, setAside: this.state.setAside + 1 };
    this.#books.keep(to, plain(lsn, record(recordOf("entry", row)), row.name), rows, bytes);
  }
}
