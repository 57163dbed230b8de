/** What each operation does to the journal's rows. What changes is called inside a transaction. */
import type { Timestamp } from "../../base/units.ts";
import type { Write } from "../../sheets/writes.ts";
import { Damage, META, type Database } from "./database.ts";
import type { NewEntry, SetAside, Settlement } from "./journal.ts";
import type { AddOp, AddResult, Limits, Named, Op, Retried } from "./messages.ts";
import {
  bytesOf,
  encodeEntry,
  isAside,
  isOver,
  landedWrite,
  parkedWrite,
  recordOf,
  setAside,
  waitingWrite,
  type BatchRecord,
  type Counters,
  type LandedRecord,
  type OnceRecord,
  type ParkedRecord,
} from "./records.ts";
import type { Kind, Row } from "./rows.ts";
import { plus, type State } from "./state.ts";

/** How many rows of a kind one tidying looks at: a step that no write waits long for. */
const STEP = 250;
/** So far from the oldest is looked for one that may go before it. */
const NEAR = 100;

const plain = (nr: number, record: unknown, name: string | null = null): Row => ({ nr, name, record: JSON.stringify(record), body: null });

export class Store {
  readonly #database: Database;
  readonly #limits: Limits;
  state: State;

  constructor(database: Database, limits: Limits, state: State) {
    this.#database = database;
    this.#limits = limits;
    this.state = state;
  }

  /** @returns what the operation answers with. @throws Error when it can't be done; nothing of the transaction may be kept then. */
  change(op: Op, now: Timestamp): unknown {
    switch (op.do) {
      case "add":
        return this.#add(op, now);
      case "recall":
        return this.#before(op.once, now);
      case "seal":
        return this.#seal(op);
      case "sent":
        return this.#sent(op.nr, op.at);
      case "settle":
        return this.#settle(op.nr, op.how);
      case "retry":
        return this.#retry(op.lsns, now);
      case "discard":
        return op.lsns.map((lsn) => this.#discard(lsn));
      case "dropFences":
        return op.ids.forEach((id) => this.#database.drop("fence", id));
      case "keepTags":
        op.dropped.forEach((id) => this.#database.drop("tag", id));
        op.kept.forEach(({ id, ...tag }) => this.#database.put("tag", plain(id, tag)));
        return this.#count({ nextMetadataId: op.nextMetadataId });
      case "tidy":
        return this.#tidy(now);
      default:
        throw new Error(`${op.do} changes nothing`);
    }
  }

  find(id: string): Write | undefined {
    return this.#known(id)?.write;
  }

  parked(most: number): Write[] {
    return this.#database.end("parked", "last", most).flatMap(({ row }) => (row === undefined || !isAside(row) ? [] : [parkedWrite(row)]));
  }

  aside(most: number, ids: readonly string[] | undefined): SetAside[] {
    const rows =
      ids === undefined
        ? this.#database.sound("parked")
        : ids.flatMap((id) => this.#believed(() => this.#database.named("parked", id)) ?? []);
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
    return this.#database.named("entry", id) === undefined && this.#believed(() => this.#database.named("landed", id)) === undefined;
  }

  /** Done twice it answers the same: the stub that is left behind says where each went. */
  #retry(lsns: readonly number[], now: Timestamp): (Retried | undefined)[] {
    return lsns.map((lsn) => {
      const row = this.#believed(() => this.#database.get("parked", lsn));
      if (row === undefined) return undefined;
      const { over } = recordOf("parked", row);
      if (over?.is === "again") return this.#waits(over.as);
      return this.#isOpen(row) ? this.#again(row, now) : undefined;
    });
  }

  #waits(lsn: number): Retried | undefined {
    const row = this.#database.get("entry", lsn);
    return row === undefined ? undefined : { lsn, record: row.record };
  }

  #again(row: Row, now: Timestamp): Retried {
    const { id, table, op, key, values } = recordOf("parked", row);
    const record = encodeEntry({ id, table, op, key, values, at: now });
    const full = this.#full(1, bytesOf({ record }));
    if (full?.is === "full") throw new Error(full.message);
    const lsn = this.state.counters.nextLsn;
    this.#stub(row, { is: "again", as: lsn });
    this.#database.put("entry", { nr: lsn, name: id, record, body: null });
    this.state = { ...this.state, waiting: plus(this.state.waiting, 1, bytesOf({ record })) };
    this.#count({ nextLsn: lsn + 1 });
    return { lsn, record };
  }

  #discard(lsn: number): boolean {
    const row = this.#believed(() => this.#database.get("parked", lsn));
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
    this.#database.put("parked", stub);
    const { parked, setAside } = this.state;
    this.state = { ...this.state, parked: plus(parked, 0, bytesOf(stub) - bytesOf(row)), setAside: setAside - 1 };
  }

  #add({ ids, records, once }: AddOp, now: Timestamp): AddResult {
    const known = ids.flatMap((id) => this.#known(id) ?? []);
    if (known[0] !== undefined) return { is: "known", firstLsn: known[0].lsn, writes: known.map(({ write }) => write) };
    const before = once === undefined ? undefined : this.#before(once, now);
    if (before !== undefined) return before;
    const bytes = records.reduce((sum, record) => sum + bytesOf({ record }), 0);
    const full = this.#full(records.length, bytes);
    if (full !== undefined) return full;
    const firstLsn = this.state.counters.nextLsn;
    records.forEach((record, i) => this.#database.put("entry", { nr: firstLsn + i, name: ids[i] ?? null, record, body: null }));
    this.state = {
      ...this.state,
      waiting: plus(this.state.waiting, records.length, bytes),
      counters: { ...this.state.counters, nextLsn: firstLsn + records.length },
    };
    if (once !== undefined) this.#remember(once, { digest: once.digest, firstLsn, count: records.length, settledAt: now });
    return { is: "added", firstLsn };
  }

  #full(count: number, bytes: number): AddResult | undefined {
    const { waiting } = this.state;
    if (waiting.bytes + bytes > this.#limits.waitingBytes)
      return { is: "full", message: `${waiting.bytes} bytes wait to be sent, and at most ${this.#limits.waitingBytes} may` };
    if (waiting.rows + count > this.#limits.waiting)
      return { is: "full", message: `${waiting.rows} writes wait to be sent, and at most ${this.#limits.waiting} may` };
    return undefined;
  }

  /** What is to be answered to a key that was used before. */
  #before({ name, digest, ring }: Named, now: Timestamp): AddResult | undefined {
    let row: Row | undefined;
    try {
      row = this.#database.named(ring, name);
    } catch (e) {
      if (!(e instanceof Damage)) throw e;
      return { is: "disk", message: "what is noted of this key is damaged: whether it was used is not known, so nothing was written" };
    }
    if (row === undefined) return undefined;
    const noted = recordOf(ring, row);
    if (isOver(ring, noted.settledAt, now)) {
      this.#forget(ring, row.nr, bytesOf(row));
      return undefined;
    }
    if (noted.digest !== digest) return { is: "reused" };
    const lsns = Array.from({ length: noted.count }, (_, i) => noted.firstLsn + i);
    return { is: "repeated", writes: lsns.flatMap((lsn) => this.#numbered(lsn) ?? []) };
  }

  #remember({ name, ring }: Named, noted: OnceRecord): void {
    const last = this.#database.end(ring, "last", 1)[0]?.nr ?? 0;
    this.#keep(ring, plain(last + 1, noted, name), this.#limits[ring], Infinity);
  }

  #seal({ batch, nextMetadataId }: Extract<Op, { do: "seal" }>): void {
    const { nr, fence, lsns, sealedAt, sentAt, body } = batch;
    for (const lsn of lsns)
      if (this.#database.get("entry", lsn) === undefined) throw new Error(`batch ${nr} can't be sealed: write ${lsn} does not wait`);
    const record = JSON.stringify({ fence, lsns, sealedAt } satisfies BatchRecord);
    const there = this.#database.get("batch", nr);
    if (there !== undefined) {
      if (there.record === record && Buffer.compare(there.body ?? new Uint8Array(), body) === 0) return;
      throw new Error(`batch ${nr} can't be sealed: it is sealed already, with other bytes`);
    }
    this.#database.put("batch", { nr, name: null, record, body });
    this.state = { ...this.state, sealed: new Map(this.state.sealed).set(nr, { lsns: new Set(lsns), sentAt: undefined }) };
    if (sentAt !== undefined) this.#sent(nr, sentAt);
    this.#count({ nextBatch: Math.max(nr + 1, this.state.counters.nextBatch), nextMetadataId });
  }

  #sent(nr: number, at: Timestamp): void {
    const batch = this.state.sealed.get(nr);
    if (batch === undefined) throw new Error(`batch ${nr} can't be sent: it is not sealed, or settled`);
    if (batch.sentAt !== undefined) return; // when it was first handed over
    this.#database.put("sending", plain(nr, at));
    this.state = { ...this.state, sealed: new Map(this.state.sealed).set(nr, { ...batch, sentAt: at }) };
  }

  /** Done twice it does nothing more: a settlement may be repeated by who does not know whether it was taken. */
  #settle(nr: number, { landed, parked, again, at }: Settlement): void {
    const before = this.state.counters;
    for (const lsn of landed)
      this.#move(lsn, "landed", ({ id, table, op, key, at: since }) => ({ id, table, op, key, at: since, settledAt: at }));
    for (const { lsn, reason } of parked) this.#move(lsn, "parked", (entry): ParkedRecord => ({ ...entry, reason, settledAt: at }));
    this.#endBatch(nr, new Set([...landed, ...parked.map(({ lsn }) => lsn), ...again]), landed.length > 0 ? at : undefined, at);
    if (this.state.counters !== before) this.#count({});
  }

  #endBatch(nr: number, over: ReadonlySet<number>, landedAt: Timestamp | undefined, at: Timestamp): void {
    const batch = this.state.sealed.get(nr);
    const row = batch === undefined ? undefined : this.#database.get("batch", nr);
    if (batch === undefined || row === undefined) return;
    const record = recordOf("batch", row);
    const lsns = record.lsns.filter((lsn) => !over.has(lsn));
    const sealed = new Map(this.state.sealed);
    // A batch of no rows is a fence alone: it is settled when the fence stands.
    if (landedAt !== undefined || record.lsns.length === 0) this.#database.put("fence", plain(record.fence.id, at));
    if (lsns.length === 0) {
      this.#database.drop("batch", nr);
      this.#database.drop("sending", nr);
      sealed.delete(nr);
    } else {
      this.#database.put("batch", { ...row, record: JSON.stringify({ ...record, lsns } satisfies BatchRecord) });
      sealed.set(nr, { ...batch, lsns: new Set(lsns) });
    }
    this.state = { ...this.state, sealed };
  }

  /** Out of what waits, into what has landed or is parked. */
  #move(lsn: number, to: "landed" | "parked", record: (entry: NewEntry) => LandedRecord): void {
    const row = this.#database.get("entry", lsn);
    if (row === undefined) return;
    this.#database.drop("entry", lsn);
    this.state = {
      ...this.state,
      waiting: plus(this.state.waiting, -1, -bytesOf(row)),
      counters: { ...this.state.counters, [to]: this.state.counters[to] + 1 },
    };
    const [rows, bytes] =
      to === "landed" ? [this.#limits.landed, this.#limits.landedBytes] : [this.#limits.parked, this.#limits.parkedBytes];
    if (to === "parked") this.state = { ...this.state, setAside: this.state.setAside + 1 };
    this.#keep(to, plain(lsn, record(recordOf("entry", row)), row.name), rows, bytes);
  }

  /** Keeps a row, and the oldest of its kind no longer where there are too many. */
  #keep(kind: "landed" | "parked" | "once" | "call", row: Row, mostRows: number, mostBytes: number): void {
    this.#database.put(kind, row);
    this.state = { ...this.state, [kind]: plus(this.state[kind], 1, bytesOf(row)) };
    while (this.state[kind].rows > 1 && (this.state[kind].rows > mostRows || this.state[kind].bytes > mostBytes)) {
      const oldest = this.#first(kind);
      if (oldest === undefined) break;
      if (kind === "parked" && oldest.row !== undefined && isAside(oldest.row))
        this.state = { ...this.state, setAside: this.state.setAside - 1 };
      this.#forget(kind, oldest.nr, oldest.row === undefined ? 0 : bytesOf(oldest.row));
    }
  }

  /** The oldest; of parked writes the oldest that was dealt with, as long as there is one near: nobody has decided about the others. */
  #first(kind: "landed" | "parked" | "once" | "call"): ReturnType<Database["end"]>[number] | undefined {
    const oldest = this.#database.end(kind, "first", kind === "parked" ? NEAR : 1);
    return oldest.find(({ row }) => row === undefined || kind !== "parked" || !isAside(row)) ?? oldest[0];
  }

  #forget(kind: "landed" | "parked" | "once" | "call", nr: number, bytes: number): void {
    this.#database.drop(kind, nr);
    this.state = { ...this.state, [kind]: plus(this.state[kind], -1, -bytes) };
  }

  /** @returns whether there is more to do at once. */
  #tidy(now: Timestamp): boolean {
    let forgotten = 0;
    for (const kind of ["landed", "once", "call"] as const)
      for (const { nr, row } of this.#database.end(kind, "first", STEP)) {
        if (row !== undefined && !isOver(kind, recordOf(kind, row).settledAt, now)) continue;
        this.#forget(kind, nr, row === undefined ? 0 : bytesOf(row));
        forgotten += 1;
      }
    return forgotten >= STEP;
  }

  #count(counters: Partial<Counters>): void {
    this.state = { ...this.state, counters: { ...this.state.counters, ...counters } };
    this.#database.put("meta", plain(META.counters, this.state.counters));
  }

  #known(id: string): { lsn: number; write: Write } | undefined {
    for (const kind of ["entry", "landed", "parked"] as const) {
      const row = this.#believed(() => this.#database.named(kind, id));
      if (row !== undefined) return { lsn: row.nr, write: this.#write(kind, row) };
    }
    return undefined;
  }

  #numbered(lsn: number): Write | undefined {
    for (const kind of ["entry", "landed", "parked"] as const) {
      const row = this.#believed(() => this.#database.get(kind, lsn));
      if (row === undefined) continue;
      const over = kind === "parked" ? recordOf("parked", row).over : undefined;
      return over?.is === "again" ? this.#numbered(over.as) : this.#write(kind, row);
    }
    return undefined;
  }

  /** A row of the past that was altered is as good as none. (Those that wait were judged when the journal was opened.) */
  #believed(read: () => Row | undefined): Row | undefined {
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
    const sent = [...this.state.sealed.values()].some(({ lsns, sentAt }) => sentAt !== undefined && lsns.has(row.nr));
    return waitingWrite(row, sent ? "sent" : "journaled");
  }
}
