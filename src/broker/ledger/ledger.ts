/**
 * The broker's ledger: slots and counts, what of them is on disk, and the workers that are told.
 *
 *   open ─ a worker asks ─→ core ─→ answer, and every worker hears what changed ─ a moment ─→ disk
 *     └ yield: nothing is answered any more, all is on disk ─ takeBack ─→ open
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { SlotsState } from "../../base/slots.ts";
import { between, minutes, ms, seconds, type Ms, type Timestamp } from "../../base/units.ts";
import type { Spent } from "../../sheets/ledger.ts";
import type { LedgerEvents, LedgerHost, LedgerSeat, Renewal, Tally } from "../../sheets/ledger-host.ts";
import { Counts } from "./counts.ts";
import { ageOf, type Known } from "./facts.ts";
import type { Kept } from "./kept.ts";
import { LedgerFile, type Books } from "./ledger-file.ts";
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

export class SharedLedger implements LedgerHost {
  readonly #options: LedgerOptions;
  #slots: Slots;
  #counts: Counts;
  readonly #seats = new Set<LedgerEvents>();
  readonly #file: LedgerFile;
  #open = false;
  #told: SlotsState | undefined;
  #timers: NodeJS.Timeout[] = [];
  #flush: NodeJS.Timeout | undefined;
  #flushed = Promise.withResolvers<void>();
  /** Slots that have run out since this process began. */
  expired = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#file = new LedgerFile(options.log, options.open);
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
    const at = this.#now();
    const known = this.#file.open(at);
    if (known !== undefined) this.#restore(known, at);
    this.#open = true;
    this.#timers = [setInterval(() => this.reap(), LOOK_EVERY).unref(), setInterval(() => this.#sweep(), SWEEP_EVERY).unref()];
    this.#settle();
  }

  /** Gives it up: from now on workers are to ask again. @returns when a successor may read it. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const timer of this.#timers) clearInterval(timer);
    this.#endFlush((books) => this.#file.close(books, this.#now()));
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

  #restore({ leases, ended, marks, days, windows }: Known, at: Now): void {
    const slots = new Slots(this.#slots.rules);
    const counts = new Counts(this.#options.zone);
    slots.restore(leases, ended, marks, at.now);
    counts.days.restore(days);
    for (const { state, at: when } of windows) counts.windows.restore([state], ageOf(when, at.wall), at.now);
    [this.#slots, this.#counts] = [slots, counts];
    this.#file.loaded(slots);
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
    this.#file.changed("lease", leases);
    this.#file.changed("ended", ended);
    this.#file.changed("mark", marks);
    for (const { id, why } of out) for (const seat of this.#seats) seat.ended(id, why);
    const { state } = this.#slots;
    if (state.used !== this.#told?.used || state.max !== this.#told.max) {
      if (state.status !== this.#told?.status) this.#say(state);
      this.#told = state;
      for (const seat of this.#seats) seat.slots(state);
    }
    if (this.#flush !== undefined || !this.#open) return;
    this.#flush = setTimeout(() => this.#endFlush((books) => this.#file.write(books, this.#now())), MOMENT);
  }

  #say({ used, max, status }: SlotsState): void {
    const level = status === "FULL" ? "warn" : "info";
    if (this.#told !== undefined) this.#options.log[level]({ slots: used, max }, `slots ${used}/${max} ${status}`);
  }

  /** Carries out a write, and tells those who wait for it. */
  #endFlush(write: (books: Books) => void): void {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    const waiting = this.#flushed;
    this.#flushed = Promise.withResolvers();
    write({ slots: this.#slots, counts: this.#counts });
    waiting.resolve();
  }

  #now(): Now {
    const { clock } = this.#options;
    return { now: clock.now(), wall: clock.wall() };
  }
}

const AWAY = "the ledger is on its way to another broker: try again";
