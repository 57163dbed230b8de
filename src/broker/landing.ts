/** What the outcome of a call means for the tables that were asked for, and for those that wait. */
import type { Clock } from "../base/clock.ts";
import { impossible } from "../base/never.ts";
import { after, between, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import { foldTitle, looksLikeCells, quoted } from "../sheets/a1.ts";
import { valuesBytes } from "../sheets/growth.ts";
import type { Cause, Table, Unavailable } from "../sheets/types.ts";
import { backoff } from "./backoff.ts";
import type { Breaker } from "./breaker.ts";
import { latest, notBeforeAfter, staysDue } from "./demand.ts";
import type { Landing } from "./flight.ts";
import { settle, type Place } from "./place.ts";
import type { Ledger } from "./quota.ts";

export interface LandingPort {
  readonly clock: Clock;
  /** 0 ≤ random < 1. */
  readonly random: () => number;
  readonly quota: Ledger;
  /** Takes a table's values, asked for at an instant. @returns why they can't be its rows, or undefined. */
  accept(table: Table, values: unknown, askedAt: Instant): string | undefined;
  /** A refresh of a table has failed. */
  failed(why: Unavailable): void;
}

type Why = Pick<Unavailable, "reason" | "message"> & { readonly cause: Cause };

/** A range that is not there is looked for so often; any of several, at least so far apart. */
const LOST_PAUSE = seconds(30);
const LOST_APART = seconds(5);
const MOST_RANGES = 100;
/** A worker takes no longer message, and one may name a tab or a column of any length. */
const LONGEST_MESSAGE = 1_000;

/** A range as two spellings of it are compared. */
const bare = (range: string): string => foldTitle(range.replaceAll("'", ""));

export class Landings {
  readonly #port: LandingPort;
  readonly #breaker: Breaker;
  #most = MOST_RANGES;

  constructor(port: LandingPort, breaker: Breaker) {
    this.#port = port;
    this.#breaker = breaker;
  }

  /** How many ranges the next call may name: fewer while what is too large for one, or the range that fails one, is found by halving. */
  get most(): number {
    return this.#most;
  }

  /** @param places that were asked for. @param all of the spreadsheet. */
  land(places: readonly Place[], landing: Landing<readonly unknown[]>, all: ReadonlyMap<string, Place>): void {
    const { outcome, began } = landing;
    this.#weigh(landing, all);
    switch (outcome.is) {
      case "ok":
        this.#most = Math.min(MOST_RANGES, this.#most * 2);
        for (const [i, place] of places.entries()) if (all.get(place.table.name) === place) this.#take(place, outcome.value[i], began); // else it is cut otherwise now
        return;
      case "noRange":
        return this.#lose(places, outcome.range, outcome.message, all);
      case "tooLarge":
        this.#most = Math.max(1, Math.ceil(places.length / 2)); // asked again at once, in smaller parts
        if (places.length > 1) return;
        return this.#failOne(places[0] as Place, "too-large", outcome.message);
      case "locked":
        return this.failAll(places, all, { reason: "quota", cause: "quota", message: outcome.message });
      case "denied":
        return this.failAll(places, all, { reason: "denied", cause: "denied", message: outcome.message });
      case "unavailable":
        return this.failAll(places, all, { reason: "upstream", cause: outcome.cause ?? "upstream", message: outcome.message });
      case "malformed":
        return this.failAll(places, all, { reason: "upstream", cause: "malformed", message: outcome.message });
      default:
        return impossible(outcome);
    }
  }

  /** The breaker hears what it was: a shut quota says nothing of the spreadsheet, a wrong range that it is there. */
  #weigh(landing: Landing<unknown>, all: ReadonlyMap<string, Place>): void {
    const { clock, random } = this.#port;
    const { is } = landing.outcome;
    if (is === "locked") return this.#breaker.ended();
    if (is !== "unavailable" && is !== "malformed" && is !== "denied") return this.#breaker.answered();
    const asked = [...all.values()].filter(({ due }) => due).map(({ ttl }) => ttl);
    const longest = is === "denied" ? ms(Infinity) : (Math.min(...asked) as Ms);
    this.#breaker.failed(landing, clock.now(), longest, random());
  }

  #take(place: Place, values: unknown, began: Instant): void {
    place.bytes = valuesBytes(values);
    const wrong = this.#port.accept(place.table, values, began);
    if (wrong !== undefined) return this.#failOne(place, "malformed", wrong);
    place.checkedAt = began;
    place.due = place.renewedAt !== undefined && began < place.renewedAt;
    place.lostAt = undefined;
    place.why = undefined;
    settle(place, undefined);
  }

  /** The range that Google does not know, told apart from the others: they are asked for again at once, without it. */
  #lose(places: readonly Place[], lost: string, message: string, all: ReadonlyMap<string, Place>): void {
    const named = places.filter((place) => bare(quoted(place.table.range)) === bare(lost));
    const culprits = named.length > 0 ? named : places.length === 1 ? places : [];
    this.#most = culprits.length > 0 ? MOST_RANGES : Math.ceil(places.length / 2); // one of these: the halves will tell
    const now = this.#port.clock.now();
    for (const place of all.values()) if (place.lostAt !== undefined) place.notBefore = latest(place.notBefore, after(now, LOST_APART));
    for (const place of culprits) {
      place.lostAt = now;
      const { range } = place.table;
      const hint = looksLikeCells(range) ? ` (cells need their tab: 'TAB'!${range})` : "";
      const cause = lost === "" ? "malformed" : "missing";
      this.#hold(place, LOST_PAUSE, { reason: "upstream", cause, message: `${message}${hint}; it will be looked for again` });
    }
  }

  #failOne(place: Place, cause: Cause, message: string): void {
    this.#hold(place, backoff(4, this.#port.random()), { reason: "upstream", cause, message });
  }

  #hold(place: Place, wait: Ms, why: Why): void {
    const now = this.#port.clock.now();
    place.notBefore = notBeforeAfter(place, wait, now);
    place.due = staysDue(place, now);
    this.fail(place, { ...why, table: place.table.name, retryAfter: between(now, place.notBefore) });
  }

  /** The spreadsheet itself can't be had: everything that waits for it is told. */
  failAll(places: readonly Place[], all: ReadonlyMap<string, Place>, why: Why): void {
    const { clock, quota } = this.#port;
    const now = clock.now();
    const at = latest(this.#breaker.notBefore, quota.next("refresh"));
    const retryAfter = ms(Math.max(1_000, between(now, at)));
    for (const place of new Set([...places, ...[...all.values()].filter((p) => p.due)])) {
      place.due = staysDue(place, now);
      this.fail(place, { ...why, table: place.table.name, retryAfter });
    }
  }

  fail(place: Place, { message, ...rest }: Unavailable): void {
    const why = { ...rest, message: message.slice(0, LONGEST_MESSAGE) };
    place.why = why;
    if (place.priority === "urgent") place.priority = "refresh"; // a retry is less urgent than a first read; an export stays an export
    this.#port.failed(why);
    settle(place, why);
  }
}
