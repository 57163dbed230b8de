/**
 * When Google is asked, and for what. One call at a time for the spreadsheet, made only because a client asks:
 *
 *   want, touch → due ─ tick (25 ms), quota, back-off → one batchGet of all that is due and what goes along → accepted or failed
 *
 * A failure keeps what was asked for due, as long as someone goes on asking; in a lock-out nothing is sent.
 */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { impossible } from "../base/never.ts";
import { after, between, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import { quoted } from "../sheets/a1.ts";
import type { Table, Unavailable } from "../sheets/types.ts";
import type { Alarm } from "./alarm.ts";
import { backoff } from "./backoff.ts";
import { firstDue, isFresh, latest, notBeforeAfter, selection, staysDue, type Demand } from "./demand.ts";
import type { Ledger } from "./quota.ts";
import type { Outcome } from "./upstream.ts";

export interface RefresherPort {
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** 0 ≤ random < 1. */
  readonly random: () => number;
  readonly quota: Ledger;
  /** Counts the call, makes it, and closes the ledger when it is refused. */
  read(tables: readonly Table[]): Promise<Outcome<readonly unknown[]>>;
  /** Takes a table's values, asked for at an instant. @returns why they can't be its rows, or undefined. */
  accept(table: Table, values: unknown, askedAt: Instant): string | undefined;
  /** A refresh of a table has failed. */
  failed(why: Unavailable): void;
}

interface Place extends Demand {
  readonly table: Table;
  why: Unavailable | undefined;
  waiters: ((why: Unavailable | undefined) => void)[];
}

const TICK = ms(25);
/** A caller waits so long for a call that may not be made yet; beyond, it is told so at once. */
const PATIENCE = seconds(1);
/** A range that is not there is looked for so often; any of several, at least so far apart. */
const LOST_PAUSE = seconds(30);
const LOST_APART = seconds(5);
/** What fits into one URL. */
const MOST_RANGES = 100;
const MOST_CHARACTERS = 6_000;
/** A worker takes no longer message, and one may name a tab or a column of any length. */
const LONGEST_MESSAGE = 1_000;

export class Refresher {
  readonly #port: RefresherPort;
  #places: ReadonlyMap<string, Place> = new Map();
  #flying = false;
  #closed = false;
  #alarm: { readonly at: Instant; readonly cancel: () => void } | undefined;
  #notBefore: Instant;
  #failures = 0;
  #mostRanges = MOST_RANGES;
  /** Less while the range that fails a call is looked for by halving. */
  #searching = MOST_RANGES;

  constructor(port: RefresherPort) {
    this.#port = port;
    this.#notBefore = port.clock.now();
  }

  /**
   * A table that stays what it was keeps its place, and whoever waits for it.
   * @param checkedAt when each table's rows were last known to be true, for those that are known.
   */
  setTables(tables: readonly Table[], checkedAt: ReadonlyMap<string, Instant>): void {
    const before = this.#places;
    const now = this.#port.clock.now();
    const placeOf = (table: Table): Place => {
      const known = before.get(table.name);
      if (known !== undefined && JSON.stringify(known.table) === JSON.stringify(table)) return known;
      const fresh = { askedAt: undefined, due: false, notBefore: now, lostAt: undefined, why: undefined, waiters: [] };
      return { table, ttl: table.ttl, checkedAt: checkedAt.get(table.name), ...fresh };
    };
    this.#places = new Map(tables.map((table) => [table.name, placeOf(table)]));
    for (const [name, place] of before) if (this.#places.get(name) !== place) this.#settle(place, unknown(name));
  }

  /** Asks for the tables that no rows are known of. */
  warm(): void {
    this.touch([...this.#places.values()].filter((place) => place.checkedAt === undefined).map((place) => place.table.name));
  }

  /** @returns undefined when the table's rows are fresh, else why they are not. */
  async want(name: string): Promise<Unavailable | undefined> {
    const place = this.#places.get(name);
    if (place === undefined) return unknown(name);
    const now = this.#port.clock.now();
    if (!this.#ask(place, now)) return undefined;
    const at = latest(this.#allowedAt(), place.notBefore);
    if (between(now, at) > PATIENCE) return { ...(place.why ?? this.#locked(name)), retryAfter: between(now, at) };
    return new Promise((resolve) => place.waiters.push(resolve));
  }

  touch(names: readonly string[]): void {
    const now = this.#port.clock.now();
    for (const name of names) {
      const place = this.#places.get(name);
      if (place !== undefined) this.#ask(place, now);
    }
  }

  /** Asks for these as soon as it may, fresh or not. */
  renew(names: readonly string[]): void {
    const now = this.#port.clock.now();
    for (const place of names.flatMap((name) => this.#places.get(name) ?? [])) {
      place.askedAt = now;
      place.due = true;
      this.#arm(latest(after(now, TICK), place.notBefore));
    }
  }

  /** What is known to be wrong, for a client that comes later. */
  failures(): readonly Unavailable[] {
    return [...this.#places.values()].flatMap((place) => place.why ?? []);
  }

  close(): void {
    this.#closed = true;
    this.#alarm?.cancel();
    for (const place of this.#places.values())
      this.#settle(place, { table: place.table.name, reason: "broker", message: "the broker is stopping", retryAfter: seconds(1) });
  }

  /** @returns whether Google must be asked. */
  #ask(place: Place, now: Instant): boolean {
    place.askedAt = now;
    if (isFresh(place, now)) return false;
    place.due = true;
    this.#arm(latest(after(now, TICK), place.notBefore));
    return true;
  }

  #allowedAt(): Instant {
    return latest(this.#notBefore, this.#port.quota.next());
  }

  /** One alarm, at the earliest moment that something may be done. */
  #arm(wanted: Instant): void {
    if (this.#flying || this.#closed) return;
    const at = latest(wanted, this.#allowedAt());
    if (this.#alarm !== undefined && this.#alarm.at <= at) return;
    this.#alarm?.cancel();
    const cancel = this.#port.alarm(at, () => {
      this.#alarm = undefined;
      this.#wake();
    });
    this.#alarm = { at, cancel };
  }

  #wake(): void {
    const allowedAt = this.#allowedAt(); // before `now`: a call that is allowed "now" must not lie in the future of it
    const now = this.#port.clock.now();
    const { due, along } = selection(this.#places.values(), now);
    if (due.length > 0 && allowedAt <= now) return void this.#fly(this.#fitting([...due, ...along]));
    const next = due.length > 0 ? allowedAt : firstDue(this.#places.values());
    if (next !== undefined) this.#arm(next);
  }

  /** As many as one call may carry. */
  #fitting(places: readonly Place[]): readonly Place[] {
    let characters = 0;
    const most = Math.min(this.#mostRanges, this.#searching);
    const fits = places.findIndex((place, i) => i > 0 && (i >= most || (characters += place.table.range.length + 20) > MOST_CHARACTERS));
    return fits === -1 ? places : places.slice(0, fits);
  }

  async #fly(places: readonly Place[]): Promise<void> {
    this.#flying = true;
    const began = this.#port.clock.now();
    let outcome: Outcome<readonly unknown[]>;
    try {
      outcome = await this.#port.read(places.map((place) => place.table));
    } catch (e) {
      outcome = { is: "malformed", message: messageOf(e) };
    }
    this.#flying = false;
    if (this.#closed) return;
    this.#landed(places, outcome, began);
    const next = firstDue(this.#places.values());
    if (next !== undefined) this.#arm(latest(next, this.#port.clock.now()));
  }

  #landed(places: readonly Place[], outcome: Outcome<readonly unknown[]>, began: Instant): void {
    const { clock, quota, random } = this.#port;
    const now = clock.now();
    const failed = outcome.is === "unavailable" || outcome.is === "malformed" || outcome.is === "denied";
    this.#failures = failed ? this.#failures + 1 : 0;
    switch (outcome.is) {
      case "ok":
        this.#searching = Math.min(MOST_RANGES, this.#searching * 2);
        for (const [i, place] of places.entries()) this.#take(place, outcome.value[i], began);
        return;
      case "noRange":
        return this.#lose(places, outcome.range, outcome.message);
      case "tooLarge":
        if (places.length === 1) return this.#failOne(places[0] as Place, outcome.message);
        this.#mostRanges = Math.ceil(places.length / 2); // asked again at once, in smaller parts
        return;
      case "locked":
        return this.#failAll(places, "quota", outcome.message, between(now, quota.next()));
      case "denied":
        return this.#failAll(places, "denied", outcome.message, backoff(this.#failures, random()));
      case "unavailable":
      case "malformed":
        return this.#failAll(places, "upstream", outcome.message, backoff(this.#failures, random()));
      default:
        return impossible(outcome);
    }
  }

  #take(place: Place, values: unknown, began: Instant): void {
    if (this.#places.get(place.table.name) !== place) return; // cut otherwise since the call was made
    const wrong = this.#port.accept(place.table, values, began);
    if (wrong !== undefined) return this.#failOne(place, wrong);
    place.checkedAt = began;
    place.due = false;
    place.lostAt = undefined;
    place.why = undefined;
    this.#settle(place, undefined);
  }

  /** The range that Google does not know, told apart from the others: they are asked for again at once, without it. */
  #lose(places: readonly Place[], range: string, message: string): void {
    const named = places.filter((place) => [place.table.range, quoted(place.table.range)].some((own) => bare(own) === bare(range)));
    const culprits = named.length > 0 ? named : places.length === 1 ? places : [];
    this.#searching = culprits.length > 0 ? MOST_RANGES : Math.ceil(places.length / 2); // one of these: the halves will tell
    const now = this.#port.clock.now();
    for (const place of this.#places.values())
      if (place.lostAt !== undefined) place.notBefore = latest(place.notBefore, after(now, LOST_APART));
    const text = `${message}; it will be looked for again`;
    for (const place of culprits) {
      place.lostAt = now;
      this.#hold(place, LOST_PAUSE, text);
    }
  }

  #failOne(place: Place, message: string): void {
    this.#hold(place, backoff(4, this.#port.random()), message);
  }

  #hold(place: Place, wait: Ms, message: string): void {
    const now = this.#port.clock.now();
    place.notBefore = notBeforeAfter(place, wait, now);
    place.due = staysDue(place, now);
    this.#fail(place, { table: place.table.name, reason: "upstream", message, retryAfter: between(now, place.notBefore) });
  }

  /** The spreadsheet itself can't be had: everything that waits for it is told. */
  #failAll(places: readonly Place[], reason: Unavailable["reason"], message: string, wait: Ms): void {
    const now = this.#port.clock.now();
    this.#notBefore = after(now, wait);
    const retryAfter = ms(Math.max(1_000, wait));
    for (const place of new Set([...places, ...[...this.#places.values()].filter((p) => p.due)])) {
      place.due = staysDue(place, now);
      this.#fail(place, { table: place.table.name, reason, message, retryAfter });
    }
  }

  #fail(place: Place, { message, ...rest }: Unavailable): void {
    const why = { ...rest, message: message.slice(0, LONGEST_MESSAGE) };
    place.why = why;
    this.#port.failed(why);
    this.#settle(place, why);
  }

  #settle(place: Place, why: Unavailable | undefined): void {
    for (const waiter of place.waiters.splice(0)) waiter(why);
  }

  #locked(table: string): Unavailable {
    return { table, reason: "quota", message: "the read quota of this minute is used up", retryAfter: PATIENCE };
  }
}

/** A range as two spellings of it are compared. */
const bare = (range: string): string => range.replaceAll("'", "").toLowerCase();

const unknown = (table: string): Unavailable => ({ table, reason: "unknown", message: `there is no table "${table}"`, retryAfter: ms(0) });
