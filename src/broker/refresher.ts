/**
 * When Google is asked for the tables of one spreadsheet, and for what. One call at a time, made only because a client asks:
 *
 *   want, touch → due ─ tick (25 ms), quota, breaker → one batchGet of all that is due and what goes along → accepted or failed
 *
 * A failure keeps what was asked for due, as long as someone goes on asking; in a lock-out nothing is sent.
 */
import { after, between, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import type { Priority, Table, Unavailable } from "../sheets/types.ts";
import type { Alarm } from "./alarm.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import { firstDue, firstOf, inUse, isFresh, latest, selection } from "./demand.ts";
import { fitting } from "./fitting.ts";
import { fly, Latency } from "./flight.ts";
import { Landings, type LandingPort } from "./landing.ts";
import { newPlace, settle, unknown, type Known, type Place } from "./place.ts";
import type { Outcome } from "./upstream.ts";

export interface RefresherPort extends LandingPort {
  readonly alarm: Alarm;
  /** Counts the call, makes it, and closes the ledger when it is refused. */
  read(tables: readonly Table[], signal: AbortSignal): Promise<Outcome<readonly unknown[]>>;
  /** A call has ended, whatever came of it. */
  landed?(): void;
}

/** What is said of a spreadsheet. */
export interface BreakerReport {
  readonly state: BreakerState;
  /** Calls that failed in a row. */
  readonly failures: number;
  readonly notBefore: Instant;
}

const TICK = ms(25);
/** A caller waits so long for a call that may not be made yet; beyond, it is told so at once. */
const PATIENCE = seconds(1);
/** Who has rows waits no longer for newer ones, and not at all when the last try has failed. */
const WITH_ROWS = seconds(2);
/** A call is overtaken when it takes longer than a TTL, and than answers have lately: twice the slowest of them. */
const SLOWER = 2;

export class Refresher {
  readonly #port: RefresherPort;
  readonly #breaker: Breaker;
  readonly #landings: Landings;
  readonly #latency = new Latency();
  #places: ReadonlyMap<string, Place> = new Map();
  #flying = false;
  #closed = false;
  #alarm: { readonly at: Instant; readonly cancel: () => void } | undefined;

  constructor(port: RefresherPort) {
    this.#port = port;
    this.#breaker = new Breaker(port.clock.now());
    this.#landings = new Landings(port, this.#breaker);
  }

  /**
   * A table that stays what it was keeps its place, and whoever waits for it.
   * @param known what is known of tables' rows already.
   */
  setTables(tables: readonly Table[], known: ReadonlyMap<string, Known>): void {
    const before = this.#places;
    const now = this.#port.clock.now();
    const placeOf = (table: Table): Place => {
      const place = before.get(table.name);
      const same = place !== undefined && JSON.stringify(place.table) === JSON.stringify(table);
      return same ? place : newPlace(table, known.get(table.name), now);
    };
    this.#places = new Map(tables.map((table) => [table.name, placeOf(table)]));
    for (const [name, place] of before) if (this.#places.get(name) !== place) settle(place, unknown(name));
  }

  /** Asks for the tables that no rows are known of. */
  warm(): void {
    this.touch([...this.#places.values()].filter((place) => place.checkedAt === undefined).map((place) => place.table.name));
  }

  /** @returns undefined when the table's rows are fresh, else why they are not. */
  async want(name: string, priority: Priority = "refresh"): Promise<Unavailable | undefined> {
    const place = this.#places.get(name);
    if (place === undefined) return unknown(name);
    const now = this.#port.clock.now();
    if (!this.#ask(place, now, priority)) return undefined;
    const at = latest(this.#allowed()[place.priority], place.notBefore);
    if (between(now, at) > PATIENCE) return { ...(place.why ?? spent(name)), retryAfter: between(now, at) };
    const hasRows = place.checkedAt !== undefined;
    if (hasRows && place.why !== undefined) return place.why;
    return this.#answer(place, hasRows ? after(now, WITH_ROWS) : undefined);
  }

  touch(names: readonly string[]): void {
    const now = this.#port.clock.now();
    for (const name of names) {
      const place = this.#places.get(name);
      if (place !== undefined) this.#ask(place, now, "refresh");
    }
  }

  /** Asks for a table as soon as it may although its rows count as fresh: the sheet is known to be another, or an operator wants it. */
  renew(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    const now = this.#port.clock.now();
    place.askedAt = now;
    place.renewedAt = now;
    this.#due(place, now, "refresh");
  }

  /** Ends the pause after a reading that did not find the table's range: the flusher has found it, or an operator wants it. */
  lookAgain(name: string): void {
    const place = this.#places.get(name);
    if (place?.lostAt === undefined) return;
    place.lostAt = undefined;
    place.notBefore = this.#port.clock.now();
    this.renew(name);
  }

  /** Whether a reading of the table has landed that began then or later. */
  isReadSince(name: string, at: Instant): boolean {
    return (this.#places.get(name)?.checkedAt ?? -Infinity) >= at;
  }

  /** What is known to be wrong, for a client that comes later. */
  failures(): readonly Unavailable[] {
    return [...this.#places.values()].flatMap((place) => place.why ?? []);
  }

  /** The tables that somebody uses. */
  used(): readonly Place[] {
    const now = this.#port.clock.now();
    return [...this.#places.values()].filter((place) => inUse(place, now));
  }

  /** Lays a floor under the TTLs. @returns the tables that it changes. */
  stretch(floor: Ms): readonly Table[] {
    const changed = [...this.#places.values()].filter(({ table, ttl }) => ttl !== Math.max(table.ttl, floor));
    for (const place of changed) place.ttl = ms(Math.max(place.table.ttl, floor));
    return changed.map(({ table }) => table);
  }

  report(): BreakerReport {
    const { state, failures, notBefore } = this.#breaker;
    return { state, failures, notBefore };
  }

  close(): void {
    this.#closed = true;
    this.#alarm?.cancel();
    for (const place of this.#places.values())
      settle(place, { table: place.table.name, reason: "broker", message: "the broker is stopping", retryAfter: seconds(1) });
  }

  /** @returns whether Google must be asked. */
  #ask(place: Place, now: Instant, priority: Priority): boolean {
    place.askedAt = now;
    if (isFresh(place, now)) return false;
    const first = place.checkedAt === undefined && place.why === undefined;
    const asked = first ? "urgent" : priority;
    this.#due(place, now, asked);
    const wait = between(now, this.#port.quota.next(place.priority));
    if (wait > PATIENCE && place.why === undefined) this.#landings.fail(place, { ...spent(place.table.name), retryAfter: wait });
    return true;
  }

  #due(place: Place, now: Instant, priority: Priority): void {
    place.priority = place.due ? firstOf(place.priority, priority) : priority;
    if (!place.due) place.dueAt = after(now, TICK);
    place.due = true;
    this.#arm();
  }

  #answer(place: Place, until: Instant | undefined): Promise<Unavailable | undefined> {
    return new Promise((resolve) => {
      const late = (): void => {
        place.waiters = place.waiters.filter((waiter) => waiter !== answer);
        resolve(place.why ?? slow(place.table.name));
      };
      const cancel = until === undefined ? undefined : this.#port.alarm(until, late);
      const answer = (why: Unavailable | undefined): void => (cancel?.(), resolve(why));
      place.waiters.push(answer);
    });
  }

  /** When a call of each priority may be made. */
  #allowed(): Readonly<Record<Priority, Instant>> {
    const { quota } = this.#port;
    const at = (priority: Priority): Instant => latest(this.#breaker.notBefore, quota.next(priority));
    return { urgent: at("urgent"), refresh: at("refresh"), export: at("export") };
  }

  /** One alarm, at the earliest moment that something may be done. */
  #arm(): void {
    if (this.#flying || this.#closed) return;
    const at = firstDue(this.#places.values(), this.#allowed());
    if (this.#alarm?.at === at) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (at === undefined) return;
    const cancel = this.#port.alarm(at, () => {
      this.#alarm = undefined;
      this.#wake();
    });
    this.#alarm = { at, cancel };
  }

  #wake(): void {
    const allowed = this.#allowed(); // before `now`: a call that is allowed "now" must not lie in the future of it
    const now = this.#port.clock.now();
    const { due, along } = selection(this.#places.values(), now, (priority) => allowed[priority] <= now);
    const [first] = due;
    if (first !== undefined) return void this.#fly(fitting([...due, ...along], this.#landings.most), first.priority);
    this.#arm();
  }

  async #fly(places: readonly Place[], priority: Priority): Promise<void> {
    const { clock, alarm, quota, read } = this.#port;
    this.#flying = true;
    this.#breaker.called();
    const tables = places.map((place) => place.table);
    const patience = ms(Math.max(SLOWER * this.#latency.slowest, Math.min(...places.map(({ ttl }) => ttl))));
    const call = (signal: AbortSignal): Promise<Outcome<readonly unknown[]>> => read(tables, signal);
    const mayOvertake = (): boolean => !this.#closed && quota.next(priority) <= clock.now();
    const overdue = (): void => this.#overdue(places, patience);
    const landing = await fly({ clock, alarm, call, mayOvertake, overdue }, patience);
    this.#flying = false;
    if (this.#closed) return;
    if (landing.outcome.is === "ok") this.#latency.took(between(landing.began, clock.now()));
    this.#landings.land(places, landing, this.#places);
    this.#port.landed?.();
    this.#arm();
  }

  /** Whoever has rows is told that newer ones take their time. */
  #overdue(places: readonly Place[], waited: Ms): void {
    if (this.#closed) return;
    for (const place of places)
      if (place.checkedAt !== undefined && this.#places.get(place.table.name) === place)
        this.#landings.fail(place, { ...slow(place.table.name), message: `no answer from Google for ${waited} ms`, retryAfter: waited });
  }
}

const spent = (table: string): Unavailable => ({
  table,
  reason: "quota",
  cause: "quota",
  message: "the read quota of this minute is used up",
  retryAfter: PATIENCE,
});

const slow = (table: string): Unavailable => ({
  table,
  reason: "upstream",
  cause: "timeout",
  message: "Google takes long to answer",
  retryAfter: PATIENCE,
});
