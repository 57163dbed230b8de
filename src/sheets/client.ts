/**
 * The tables, as every worker holds them: a cache in this process, fed by a transport.
 *
 *   age < TTL                    fresh
 *   TTL … TTL + max(TTL, 30 s)   stale: served at once, and a refresh is asked for
 *   beyond                       the caller waits for the refresh; when it fails, what is there is served, and for
 *                                the next callers too, who find the failure known, until 30 s after it may be tried again
 *
 * Once rows have been seen, no failure of Google or of the broker makes them unavailable: they only age, and say so.
 */
import { systemClock, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { mebibytes, ms, seconds, type Ms } from "../base/units.ts";
import { LiveFeed, type Feed } from "./feed.ts";
import { HeldTables, type TableView } from "./held.ts";
import type { Transport } from "./transport.ts";
import { EVERY_TABLE, type Priority, type TableInfo, type Unavailable } from "./types.ts";
import { ACCOUNTS } from "./users.ts";
import { UnavailableError } from "./unavailable.ts";
import { outOfBounds } from "./wire-from-client.ts";
import type { Write, WriteAnswer, WriteRequest, WriteWait } from "./writes.ts";

export type { TableSource, TableView } from "./held.ts";
export { UnavailableError } from "./unavailable.ts";

export interface Tables {
  /** All tables, whoever may read them, but the one that logins look at; empty until the broker has said which there are. */
  list(): readonly TableInfo[];
  /** What is held of a table, fresh or not, without waiting. */
  peek(name: string): TableView | undefined;
  /**
   * A table's rows, as fresh as its TTL allows (see above).
   * @param priority what they are for, when calls to Google are short: `urgent` for a login, `export` for an export, which can wait.
   * @throws UnavailableError when there is no such table, or none of its rows was ever seen; the signal's reason when it aborts.
   */
  table(name: string, signal?: AbortSignal, priority?: Priority): Promise<TableView>;
  /**
   * Changes rows: all of a request's changes, or none.
   * @param wait `journal`: answered once they are on disk here, and every worker has the rows; `sheet`: once the spreadsheet has them,
   * or when that takes too long, with the state they have then.
   * @returns what was written, or why nothing was. Only `away` may leave the outcome open, and says so. @throws the signal's reason when
   * it aborts: the write goes on.
   */
  write(request: WriteRequest, wait: WriteWait, signal?: AbortSignal): Promise<WriteAnswer>;
  /** What became of a write. @returns undefined when there is none with this id, or it landed over a day ago. @throws UnavailableError. */
  findWrite(id: string): Promise<Write | undefined>;
  /** What becomes of the rows of all tables that somebody may read, as it is noticed. */
  readonly feed: Feed;
  close(): void;
}

declare module "../base/runtime.ts" {
  interface Services {
    readonly tables: Tables;
  }
}

export interface TablesOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** How long the first caller waits for the list of tables. */
  readonly patience?: Ms;
  /** Most bytes of rows held; the least recently used table goes first, and is asked for again when it is wanted. */
  readonly maxBytes?: number;
  /** 0 ≤ random < 1. */
  readonly random?: () => number;
}

const refusal = (table: string, reason: Unavailable["reason"], message: string): UnavailableError =>
  new UnavailableError({ table, reason, message, retryAfter: reason === "unknown" ? ms(0) : seconds(1) });

class Client implements Tables {
  readonly #transport: Transport;
  readonly #patience: Ms;
  readonly #held: HeldTables;
  readonly feed: Feed;
  /** Refreshes that someone waits for, by priority and table: one call for all of them. */
  readonly #flights = new Map<string, Promise<boolean>>();
  readonly #listed = Promise.withResolvers<void>();
  #listFailure: Unavailable | undefined;

  constructor(transport: Transport, options: TablesOptions) {
    this.#transport = transport;
    this.#patience = options.patience ?? seconds(15);
    const held = new HeldTables({
      clock: options.clock ?? systemClock,
      log: options.log,
      maxBytes: options.maxBytes ?? mebibytes(256),
      random: options.random ?? Math.random,
      touch: (table) => transport.touch(table),
    });
    this.#held = held;
    const feed = new LiveFeed();
    this.feed = feed;
    transport.listen({
      snapshot: (arrival) => held.arrived(arrival),
      edited: (step) => held.edited(step),
      renewed: (head) => held.renewed(head),
      failed: (why) => (why.table === EVERY_TABLE ? this.#knowList(why) : held.failed(why)),
      tables: (list) => (held.listed(list), this.#knowList(undefined)),
      changes: (changes) => feed.arrived(changes),
      link: (up) => held.linked(up),
    });
  }

  list(): readonly TableInfo[] {
    return [...(this.#held.infos?.values() ?? [])].filter(({ name }) => name !== ACCOUNTS);
  }

  peek(name: string): TableView | undefined {
    return this.#held.view(name);
  }

  async table(name: string, signal?: AbortSignal, priority: Priority = "refresh"): Promise<TableView> {
    signal?.throwIfAborted();
    const held = this.#held.view(name);
    if (held === undefined) await this.#mustExist(name, signal);
    else {
      const freshness = this.#held.freshness(name);
      if (freshness !== "fresh") held.source.expired();
      if (freshness !== "expired") return held;
    }
    return this.#refreshed(name, signal, priority);
  }

  async write(request: WriteRequest, wait: WriteWait, signal?: AbortSignal): Promise<WriteAnswer> {
    signal?.throwIfAborted();
    const wrong = outOfBounds(request);
    if (wrong !== undefined) return { is: "refused", refusal: { reason: "invalid", message: wrong } };
    return abortable(this.#transport.write(request, wait), signal);
  }

  findWrite(id: string): Promise<Write | undefined> {
    return this.#transport.find(id);
  }

  close(): void {
    this.#transport.close();
  }

  /** Waits for a refresh. @returns its rows, or when it fails the rows that are held, with the reason. */
  async #refreshed(name: string, signal: AbortSignal | undefined, priority: Priority): Promise<TableView> {
    let waited: boolean;
    try {
      waited = await abortable(this.#want(name, priority), signal);
    } catch (e) {
      const held = this.#held.view(name);
      if (held === undefined || signal?.aborted === true || !(e instanceof UnavailableError)) throw e;
      if (held.failure === undefined) this.#held.failed({ ...e.why, table: name }); // for those who come next, too
      return { ...held, failure: held.failure ?? e.why };
    }
    const view = this.#held.view(name);
    if (view !== undefined) return waited ? { ...view, waited } : view;
    throw refusal(name, "broker", `the broker has answered without the rows of "${name}"`);
  }

  /** @returns whether that waited for Google. */
  #want(name: string, priority: Priority): Promise<boolean> {
    const id = `${priority} ${name}`;
    const flying = this.#flights.get(id);
    if (flying !== undefined) return flying;
    const flight = this.#transport.want(name, this.#held.view(name)?.head.hash, priority).finally(() => this.#flights.delete(id));
    this.#flights.set(id, flight);
    flight.catch(() => {}); // every waiter has its own copy of the failure; without waiters nobody needs it
    return flight;
  }

  /** @throws UnavailableError for a name that is not in the list; waits for the list when there is none yet. */
  async #mustExist(name: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#held.infos === undefined && this.#listFailure === undefined) await this.#awaitList(name, signal);
    if (this.#held.infos?.has(name) === true) return;
    if (this.#held.infos === undefined && this.#listFailure !== undefined)
      throw new UnavailableError({ ...this.#listFailure, table: name });
    throw refusal(name, "unknown", `there is no table "${name}"`);
  }

  async #awaitList(name: string, signal: AbortSignal | undefined): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(refusal(name, "broker", "the broker has not said yet which tables there are")),
      this.#patience,
    );
    try {
      await abortable(Promise.race([this.#listed.promise, late.promise]), signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #knowList(failure: Unavailable | undefined): void {
    this.#listFailure = failure;
    this.#listed.resolve();
  }
}

/** Waits for a promise until the signal aborts: the work goes on for whoever else waits for it. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", gone, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", gone));
  });
}

/** The tables behind a transport. Starts listening at once; waits for nothing. */
export function createTables(transport: Transport, options: TablesOptions = {}): Tables {
  return new Client(transport, options);
}
