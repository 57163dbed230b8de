/**
 * The broker's ledger: slots and counts, what of them is on disk, and the workers that are told.
 *
 *   open ─ a worker asks ─→ core ─→ answer, and every worker hears what changed ─ a moment ─→ disk
 *     └ yield: nothing is answered any more, all is on disk ─ takeBack ─→ open
 */
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { SlotsState } from "../../base/slots.ts";
import { between, minutes, ms, seconds, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import type { Spent } from "../../sheets/ledger.ts";
import type { LedgerEvents, LedgerHost, LedgerSeat, Renewal, Tally } from "../../sheets/ledger-host.ts";
import { Counts } from "./counts.ts";
import { ageOf, leaseFact, readKnown, windowFact } from "./facts.ts";
import { keepNothing, type Fact, type Kept } from "./kept.ts";
import { Slots, type Now, type SlotRules } from "./slots.ts";

export interface LedgerOptions {
  readonly rules: SlotRules;
  /** Where a day begins at midnight: an IANA name. */
  readonly zone: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens what is kept. @throws when the disk refuses: then nothing is. */
  readonly open: () => Kept;
}

/** One session, for the operator. */
export interface SessionLine {
  readonly id: string;
  readonly user: string;
  readonly admin: boolean;
  readonly since: Timestamp;
  /** Until it is out, if nothing happens. */
  readonly left: Ms;
  /** An event stream is open. */
  readonly held: boolean;
}

const MOMENT = ms(20);
const LOOK_EVERY = seconds(1);
const SWEEP_EVERY = minutes(1);
/** A lease that moved by less is not written again: after a restart everybody has some grace anyway. */
const WORTH_WRITING = seconds(15);

export class SharedLedger implements LedgerHost {
  readonly #options: LedgerOptions;
  #slots: Slots;
  #counts: Counts;
  readonly #seats = new Set<LedgerEvents>();
  readonly #dirty = { lease: new Set<string>(), ended: new Set<string>(), mark: new Set<string>() };
  /** Until when each lease is, on disk. */
  readonly #written = new Map<string, Instant>();
  #kept: Kept = keepNothing;
  #open = false;
  #told: SlotsState | undefined;
  #timers: NodeJS.Timeout[] = [];
  #flush: NodeJS.Timeout | undefined;
  #flushed = Promise.withResolvers<void>();
  #failing = false;
  /** Slots that have run out since this process began. */
  expired = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.rules);
    this.#counts = new Counts(options.zone);
  }

  get state(): SlotsState {
    return this.#slots.state;
  }

  /**
   * Begins with what the last broker left, or what this one did before it gave up. Never throws: without a disk it begins with what it
   * has in memory, and workers say who is in.
   */
  start(): void {
    if (this.#open) return;
    try {
      this.#kept = this.#options.open();
      this.#load(this.#kept, this.#now());
    } catch (e) {
      this.#options.log.error(`the ledger of sessions and counts can't be read or written, it is kept in memory alone: ${messageOf(e)}`);
    }
    this.#open = true;
    this.#timers = [setInterval(() => this.reap(), LOOK_EVERY).unref(), setInterval(() => this.#sweep(), SWEEP_EVERY).unref()];
    this.#settle();
  }

  /** Gives it up: from now on workers are to ask again. @returns when a successor may read it. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const timer of this.#timers) clearInterval(timer);
    const at = this.#now();
    this.#written.clear(); // every lease as it is now
    for (const id of this.#slots.leases.keys()) this.#dirty.lease.add(id);
    this.#write(this.#counts.windows.state(at.now).map((state) => ({ kind: "window", key: state.key, value: windowFact(state, at) })));
    try {
      this.#kept.close();
    } catch (e) {
      this.#options.log.warn(`the ledger's file did not close: ${messageOf(e)}`);
    }
    this.#kept = keepNothing;
  }

  retune(rules: SlotRules): void {
    this.#slots.rules = rules;
    this.#settle();
  }

  join(events: LedgerEvents): LedgerSeat {
    this.#seats.add(events);
    if (this.#told !== undefined) events.slots(this.#told);
    return {
      enter: async (session, before) => this.#step((at) => this.#slots.enter(session, at, before)),
      leave: async (session) => {
        const left = this.#step((at): true => (this.#slots.revoke(session, at), true));
        if (left !== undefined && this.#flush !== undefined) await this.#flushed.promise;
        return left;
      },
      spend: async (deeds) => this.#step((at): Spent => this.#counts.spend(deeds, at)),
      refund: (deeds) => this.#step((at) => this.#counts.refund(deeds, at)),
      renew: (renewal) => this.#renew(renewal),
      tally: (tallies) => this.#tally(tallies, events),
      end: () => void this.#seats.delete(events),
    };
  }

  /** Frees what has run out. @returns how many slots. */
  reap(): number {
    const freed = this.#step(({ now }) => this.#slots.expire(now)) ?? 0;
    this.expired += freed;
    return freed;
  }

  /** From now on there are so many slots: nobody is put out. @returns false when the ledger is not ours now. */
  setMax(max: number): boolean {
    return this.#step(() => ((this.#slots.rules = { ...this.#slots.rules, max }), true)) ?? false;
  }

  /** Who is in, the longest first. */
  list(): SessionLine[] {
    const { now } = this.#now();
    return [...this.#slots.leases.values()]
      .map(({ session, until, held }) => ({ ...session, left: ms(Math.max(0, between(now, until))), held }))
      .toSorted((a, b) => a.since - b.since);
  }

  /** Puts out one session, by the beginning of its id (at least 6 characters), or all of a user. @returns how many were in, or why none. */
  end(who: string): number | string {
    const exact = [...this.#slots.leases.values()].filter(({ session }) => session.user === who);
    if (exact.length > 0) return this.#step((at) => this.#slots.revokeUser(who, at)) ?? AWAY;
    const begins = who.length < 6 ? [] : [...this.#slots.leases.values()].filter(({ session }) => session.id.startsWith(who));
    const [one, another] = begins;
    if (another !== undefined) return `${begins.length} sessions begin with ${who}: say more of the id`;
    if (one === undefined) return `nobody is in as ${who}, and no session begins with it`;
    return this.#step((at) => (this.#slots.revoke(one.session, at), 1)) ?? AWAY;
  }

  /** @returns what the step gives; undefined when the ledger is not ours now. */
  #step<T>(step: (at: Now) => T): T | undefined {
    if (!this.#open) return undefined;
    const result = step(this.#now());
    this.#settle();
    return result;
  }

  #load(kept: Kept, at: Now): void {
    const { leases, ended, marks, days, windows } = readKnown(kept, at);
    const slots = new Slots(this.#slots.rules);
    const counts = new Counts(this.#options.zone);
    slots.restore(leases, ended, marks, at.now);
    counts.days.restore(days);
    for (const { state, at: when } of windows) counts.windows.restore([state], ageOf(when, at.wall), at.now);
    kept.clear("window"); // they are ours now
    [this.#slots, this.#counts] = [slots, counts];
    this.#written.clear();
    for (const [id, { until }] of slots.leases) this.#written.set(id, until);
  }

  #renew({ active, held, known }: Renewal): void {
    this.#step((at) => {
      for (const session of known) this.#slots.check(session, at);
      for (const session of active) this.#slots.renew(session, false, at);
      for (const session of held) this.#slots.renew(session, true, at);
    });
  }

  #tally(tallies: readonly Tally[], from: LedgerEvents): void {
    const { now } = this.#now();
    for (const { key, per, times } of tallies) this.#counts.windows.add(key, per, times, now);
    for (const seat of this.#seats) if (seat !== from) seat.tallied(tallies);
  }

  #sweep(): void {
    this.#step(({ now, wall }) => {
      this.#slots.sweep(wall);
      this.#counts.windows.sweep(now);
      this.#counts.days.sweep(wall);
    });
  }

  /** After every step: workers hear of it, and the disk a moment later. */
  #settle(): void {
    const { leases, ended, marks, out } = this.#slots.take();
    for (const id of leases) this.#dirty.lease.add(id);
    for (const id of ended) this.#dirty.ended.add(id);
    for (const user of marks) this.#dirty.mark.add(user);
    for (const { id, why } of out) for (const seat of this.#seats) seat.ended(id, why);
    const { state } = this.#slots;
    if (state.used !== this.#told?.used || state.max !== this.#told.max) {
      if (state.status !== this.#told?.status) this.#say(state);
      this.#told = state;
      for (const seat of this.#seats) seat.slots(state);
    }
    if (this.#flush !== undefined || !this.#open) return;
    this.#flush = setTimeout(() => this.#write([]), MOMENT);
  }

  #say({ used, max, status }: SlotsState): void {
    const level = status === "FULL" ? "warn" : "info";
    if (this.#told !== undefined) this.#options.log[level]({ slots: used, max }, `slots ${used}/${max} ${status}`);
  }

  #write(more: readonly Fact[]): void {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    const waiting = this.#flushed;
    this.#flushed = Promise.withResolvers();
    const facts = [...this.#facts(this.#now()), ...more];
    try {
      if (facts.length > 0) this.#kept.write(facts);
      this.#failing = false;
    } catch (e) {
      if (!this.#failing) this.#options.log.error(`the ledger can't be written, a restart will know less of who is in: ${messageOf(e)}`);
      this.#failing = true;
      for (const { kind, key } of facts) if (kind === "lease" || kind === "ended" || kind === "mark") this.#dirty[kind].add(key);
    }
    waiting.resolve();
  }

  #facts(at: Now): Fact[] {
    const { lease, ended, mark } = this.#dirty;
    const { leases, ended: out, marks } = this.#slots;
    const facts: Fact[] = [];
    for (const id of lease) {
      const now = leases.get(id);
      const before = this.#written.get(id);
      if (now !== undefined && before !== undefined && Math.abs(between(before, now.until)) < WORTH_WRITING) continue;
      if (now === undefined) this.#written.delete(id);
      else this.#written.set(id, now.until);
      facts.push({ kind: "lease", key: id, value: now === undefined ? undefined : leaseFact(now, at) });
    }
    for (const id of ended) facts.push({ kind: "ended", key: id, value: out.get(id) });
    for (const user of mark) facts.push({ kind: "mark", key: user, value: marks.get(user) });
    for (const key of this.#counts.days.take()) facts.push({ kind: "day", key, value: this.#counts.days.get(key) });
    for (const set of [lease, ended, mark]) set.clear();
    return facts;
  }

  #now(): Now {
    const { clock } = this.#options;
    return { now: clock.now(), wall: clock.wall() };
  }
}

const AWAY = "the ledger is on its way to another broker: try again";
