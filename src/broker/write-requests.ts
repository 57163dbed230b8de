/**
 * A request to write, from a worker's call to its answer:
 *
 *   request → validated against the rows as all before it leave them → journal (durable) → laid over the rows → pushed → seen → answer
 *
 * Requests are judged one after the other and journaled side by side: what is on its way to the disk counts as accepted for those
 * that follow, and is shown to nobody.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { impossible } from "../base/never.ts";
import { minutes, seconds, type Ms } from "../base/units.ts";
import type { WriteCall } from "../sheets/direct-transport.ts";
import { EVERY_TABLE } from "../sheets/types.ts";
import { UnavailableError } from "../sheets/unavailable.ts";
import type { Delivery, Write, WriteAnswer, WriteRefusal, WriteRequest } from "../sheets/writes.ts";
import type { Flusher } from "./flusher/port.ts";
import type { Added, Entry, Journal, NewEntry, Once } from "./journal/journal.ts";
import { validate } from "./validate.ts";
import type { Waiting } from "./waiting.ts";
import type { Draft, WrittenTable } from "./written.ts";

/** A call is repeated for as long as a worker waits for its answer, which is minutes at most. */
const CALL_KEPT = minutes(30);

/** A journal that takes writes, and what became of those that it took. */
export interface OpenJournal {
  readonly journal: Journal;
  readonly flusher: Flusher;
  readonly waiting: Waiting;
  readonly newId: () => string;
  /** Notes the number of an accepted write. */
  readonly note: (lsn: number) => void;
}

/** What is right, and has room. */
interface Reserved {
  readonly is: "valid";
  readonly draft: Draft;
  readonly entries: readonly NewEntry[];
}

/** Shows a table's rows to all readers. @returns when those that answer have seen them. */
type Show = (table: string) => Promise<void>;

/** The requests under way. */
export class WriteRequests {
  readonly #clock: Clock;
  readonly #show: Show;
  readonly #adding = new Set<Promise<unknown>>();
  readonly #answering = new Set<Promise<unknown>>();

  constructor(clock: Clock, show: Show) {
    this.#clock = clock;
    this.#show = show;
  }

  /** @returns when all that was on its way to the journal is there. */
  async added(): Promise<void> {
    await Promise.all(this.#adding);
  }

  /** @returns when all that were under way are answered. */
  async answered(): Promise<void> {
    await Promise.allSettled(this.#answering);
  }

  /** Something else that the journal is asked to take: who comes after waits for it, too. */
  hold<T>(adding: Promise<T>): Promise<T> {
    this.#adding.add(adding);
    return adding.finally(() => this.#adding.delete(adding));
  }

  /** @param open the journal that this request goes to, whichever is open later. */
  write(written: WrittenTable, request: WriteRequest, call: WriteCall, open: OpenJournal): Promise<WriteAnswer> {
    const answer = this.#write(written, request, call, open);
    this.#answering.add(answer);
    return answer.finally(() => this.#answering.delete(answer));
  }

  async #write(written: WrittenTable, request: WriteRequest, call: WriteCall, open: OpenJournal): Promise<WriteAnswer> {
    const once = onceOf(request, call);
    if (request.replay === true) return this.#replay(request, call, open);
    if (open.flusher.right.is !== "yes") await open.flusher.proveRight(request.table);
    let judged = this.#judge(written, request, open);
    if (judged.is === "refused" && this.#adding.size > 0) {
      await Promise.all(this.#adding); // what it was refused for may not come to be, or be this request itself
      judged = this.#judge(written, request, open);
    }
    if (judged.is === "refused") {
      const before = once === undefined ? undefined : await open.journal.recall(once);
      return before === undefined ? judged : this.#repeat(request.table, before, call, open);
    }
    const added = await this.hold(this.#add(written, judged, once, open));
    return this.#answer(request.table, added, call, open);
  }

  /** @returns the answer of the accepted request of this name, which may be on its way to the journal. */
  async #replay({ table, once }: WriteRequest, call: WriteCall, open: OpenJournal): Promise<WriteAnswer> {
    await Promise.all(this.#adding);
    const before = once === undefined ? undefined : await open.journal.recall(named(once));
    if (before === undefined) return refused("unknown-key", "no request was accepted under this Idempotency-Key");
    return this.#repeat(table, before, call, open);
  }

  /** The first answer again. Where the disk does not tell it, the request may have been taken. */
  async #repeat(table: string, before: Added, call: WriteCall, open: OpenJournal): Promise<WriteAnswer> {
    const answer = await this.#answer(table, before, call, open);
    return before.is === "disk" && answer.is === "refused" ? { ...answer, refusal: { ...answer.refusal, unsure: true } } : answer;
  }

  async #add(written: WrittenTable, { draft, entries }: Reserved, once: Once | undefined, open: OpenJournal): Promise<Added> {
    written.draft(draft);
    let added: Added;
    try {
      added = await open.journal.add({ entries, ...(once === undefined ? {} : { once }) });
    } catch (e) {
      added = { is: "disk", message: `the journal failed: ${messageOf(e)}` }; // a bug: the connection of who waits shall live
    }
    if (added.is === "added") {
      written.commit(draft, added.entries);
      open.waiting.accept(added.entries, entries);
      open.flusher.accepted(added.entries);
      for (const { lsn } of added.entries.slice(-1)) open.note(lsn);
    } else {
      written.drop(draft);
      open.waiting.free(entries);
    }
    return added;
  }

  /** Room and rules: what passes is reserved. */
  #judge(
    written: WrittenTable,
    { changes }: WriteRequest,
    { waiting, newId, flusher }: OpenJournal,
  ): Reserved | Extract<WriteAnswer, { is: "refused" }> {
    const { right } = flusher;
    if (right.is === "no") return refused("read-only", right.message, seconds(30));
    const standing = written.standing();
    if (standing === undefined)
      return refused("not-writable", `the columns of "${written.table.name}" are not known yet: it was never read`, seconds(2));
    const valid = validate(standing, changes, newId, this.#clock.wall());
    if (valid.is === "refused") return valid;
    const full = waiting.reserve(valid.entries);
    if (full !== undefined) return refused("full", full, seconds(5));
    return { is: "valid", draft: { entries: valid.entries, rows: valid.rows }, entries: valid.entries };
  }

  async #answer(table: string, added: Added, call: WriteCall, open: OpenJournal): Promise<WriteAnswer> {
    switch (added.is) {
      case "added":
      case "repeated": {
        await this.#show(table);
        const ids = added.is === "added" ? added.entries.map(({ id }) => id) : added.writes.map(({ id }) => id);
        const moved = call.wait === "sheet" && (await open.waiting.settled(ids, call.within)) === "moved";
        const known = added.is === "added" ? added.entries.map(fresh) : added.writes;
        const writes = known.map((write) => open.waiting.find(write.id) ?? write);
        const written = { is: "written", writes, delivery: deliveryOf(open), repeated: added.is === "repeated" } as const;
        return moved ? { ...written, moved } : written;
      }
      case "reused":
        return refused("reused-key", "this Idempotency-Key was used for another request: use a new one");
      case "full":
        return refused("full", added.message, seconds(5));
      case "disk":
        return refused("disk", added.message, seconds(5));
      default:
        return impossible(added);
    }
  }
}

const deliveryOf = ({ flusher }: OpenJournal): Delivery => (flusher.delivery === "at-least-once" ? "at-least-once" : "exactly-once");

/** @param retryAfter when the same request may succeed; left out: never. */
export function refused(reason: WriteRefusal["reason"], message: string, retryAfter?: Ms): Extract<WriteAnswer, { is: "refused" }> {
  return { is: "refused", refusal: { reason, message, ...(retryAfter === undefined ? {} : { retryAfter }) } };
}

/** What an id became is asked of a journal that is not open. */
export const unopened = (): UnavailableError =>
  new UnavailableError({
    table: EVERY_TABLE,
    reason: "broker",
    message: "the journal is not open in this broker: what became of a write is not known now",
    retryAfter: seconds(5),
  });

/** The journal is open, and its disk does not tell. */
export const unread = (why: string): UnavailableError =>
  new UnavailableError({
    table: EVERY_TABLE,
    reason: "broker",
    message: `the journal can't be read: what became of a write is not known now (${why})`,
    retryAfter: seconds(5),
  });

const fresh = ({ id, table, op, key, at }: Entry): Write => ({ id, table, op, key, state: "journaled", at });

const named = ({ key, digest }: NonNullable<WriteRequest["once"]>): Once => ({ key: `client:${key}`, digest });

/** A client's name of its request, else the call's id: it is repeated when its answer was lost. The two can't be taken for each other. */
function onceOf({ once, table, changes }: WriteRequest, { id }: WriteCall): Once | undefined {
  if (once !== undefined) return named(once);
  if (id === undefined) return undefined;
  const digest = createHash("sha256")
    .update(JSON.stringify([table, changes]))
    .digest("base64url");
  return { key: `call:${id}`, digest, keep: CALL_KEPT };
}
