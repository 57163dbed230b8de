/**
 * The broker's ledger: slots and counts in memory, their facts on disk (durable.ts), and the workers that hear what changes.
 *
 *   closed ─ start ─→ unread ─ the file was read ─→ open ─ close: all is written ─→ closed: workers ask the next broker
 *                       └──────────── close ──────────────────────────────────────────↑
 *
 * Nothing is reported as done before it is durable: a logout, `slots end` and a login that ends an older session wait for the disk. While
 * writes fail, such a login is refused (`away`) and ends nothing.
 *
 * While the file can't be read its revocations are unknown, and the ledger fails safe:
 *   - no session is admitted (`away`: 503 and Retry-After), because it may have been ended, or its slot may be taken;
 *   - sessions that workers have admitted before stay in, and are checked as soon as the file was read;
 *   - a session that is ended meanwhile is ended at once, but is reported as such only when that is on disk;
 *   - counts go on in memory, and are added to those of the file once it was read.
 */
import type { Clock } from "../../base/clock.ts";
import { ClockWatch, SETTLED } from "../../base/clock-watch.ts";
import type { Logger } from "../../base/log.ts";
import type { Shortage, SlotsState } from "../../base/slots.ts";
import { minutes, seconds, type Ms } from "../../base/units.ts";
import { TOKENS_KEY, type Admission, type Session, type Spent } from "../../sheets/ledger.ts";
import type { LedgerEvents, LedgerHost, LedgerSeat, Renewal, Tally } from "../../sheets/ledger-host.ts";
import { COME_AGAIN } from "../../sheets/ledger-wire.ts";
import { daysAhead, stepReport } from "./clock-report.ts";
import { Counts } from "./counts.ts";
import { Durable } from "./durable.ts";
import { ageOf, readKnown, windowFact } from "./facts.ts";
import type { Kept } from "./kept.ts";
import { findSessions, isEnding, sessionLines, type SessionLine } from "./sessions.ts";
import { Slots, type Now, type SlotRules } from "./slots.ts";
import { Unsaved } from "./unsaved.ts";

export interface LedgerOptions {
  readonly rules: SlotRules;
  /** Where a day begins at midnight: an IANA name. */
  readonly zone: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens the file. @throws when the disk refuses: then it is tried again. */
  readonly open: () => Kept;
  /** The pause after the nth failure of the disk in a row. */
  readonly pause?: (failures: number) => Ms;
}

/** How an operator's order to end sessions ended. */
export interface EndedSessions {
  /** How many were in. */
  readonly count: number;
  /** It is on disk. If not, the ledger goes on trying. */
  readonly durable: boolean;
}

const LOOK_EVERY = seconds(1);
const SWEEP_EVERY = minutes(1);
/** What is not on disk by then is reported as not done: below the operator's patience, and workers ask again. */
const DURABLE_WITHIN = seconds(2);
/** Uses of sessions that workers report while the file is unread; a session beyond that is checked when it is used next. */
const MOST_UNCHECKED = 20_000;
type Use = keyof Renewal;

export class SharedLedger implements LedgerHost {
  readonly #options: LedgerOptions;
  readonly #seats = new Set<LedgerEvents>();
  readonly #unsaved = new Unsaved();
  readonly #disk: Durable;
  readonly #watch: ClockWatch;
  readonly #unchecked: { readonly session: Session; readonly as: Use }[] = [];
  #slots: Slots;
  #counts: Counts;
  #open = false;
  #told: SlotsState | undefined;
  #timers: NodeJS.Timeout[] = [];
  /** Slots that have run out since this process began. */
  expired = 0;

  constructor(options: LedgerOptions) {
    const { open, log, pause, clock, rules, zone } = options;
    this.#options = options;
    this.#slots = new Slots(rules);
    this.#counts = new Counts(zone);
    this.#watch = new ClockWatch(clock);
    const source = {
      load: (kept: Kept) => this.#load(kept),
      unsaved: () => this.#unsaved.facts(this.#parts, this.#now()),
      saved: () => this.#unsaved.saved(this.#parts),
    };
    this.#disk = new Durable({ open, log, source, ...(pause === undefined ? {} : { pause }) });
  }

  get state(): SlotsState {
    return this.#slots.state;
  }

  /** Begins with what the last broker left, and with what this one has and no file knows of. Never throws. */
  start(): void {
    if (this.#open) return;
    this.#open = true;
    this.#timers = [setInterval(() => this.#tick(), LOOK_EVERY).unref(), setInterval(() => this.#sweep(), SWEEP_EVERY).unref()];
    this.#disk.open();
    this.#settle();
  }

  /** Gives the ledger up: from now on workers are to ask another broker. A successor may read the file when this returns. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const timer of this.#timers) clearInterval(timer);
    const at = this.#now();
    this.#unsaved.everyLease(this.#slots);
    const windows = this.#counts.windows.state(at.now);
    const isWritten = this.#disk.close(windows.map((state) => ({ kind: "window", key: state.key, value: windowFact(state, at) })));
    if (isWritten) this.#counts = new Counts(this.#options.zone); // the successor counts on from there
  }

  retune(rules: SlotRules): void {
    this.#slots.rules = rules;
    this.#settle();
  }

  join(events: LedgerEvents): LedgerSeat {
    this.#seats.add(events);
    if (this.#told !== undefined) events.slots(this.#told);
    return {
      enter: (session, before) => this.#enter(session, before),
      leave: async (session) => {
        const left = this.#step((at): true => (this.#slots.revoke(session, at), true));
        return left !== undefined && (await this.#disk.settled(DURABLE_WITHIN)) ? true : undefined;
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

  /** How long a slot is held after its last use. */
  get lease(): Ms {
    return this.#slots.rules.lease;
  }

  /** Refuses new sessions, or (undefined) admits them. @returns false: the ledger is closed. */
  setShortage(why: Shortage | undefined): boolean {
    return this.#step(() => ((this.#slots.shortage = why), true)) ?? false;
  }

  /** Rows written in the last minute. */
  get tokensUsed(): number {
    return this.#counts.windows.level({ key: TOKENS_KEY, most: 0, per: minutes(1), times: 0 }, this.#now().now).used;
  }

  /** The sessions that hold slots, the oldest first. */
  list(): SessionLine[] {
    return sessionLines(this.#slots, this.#now().now);
  }

  /**
   * Ends one session, by the beginning of its id (at least 6 characters), or all of a user.
   * @returns when it is on disk, or not in time; a text: why nothing was ended.
   */
  async end(who: string): Promise<EndedSessions | string> {
    const count = this.#end(who);
    return typeof count === "string" ? count : { count, durable: await this.#disk.settled(DURABLE_WITHIN) };
  }

  /** Its file could not be read yet: which sessions are in, and the day, are not known. */
  get isUnread(): boolean {
    return this.#open && !this.#disk.isOpen;
  }

  #end(who: string): number | string {
    if (this.isUnread) return this.#step((at) => this.#slots.revokeUser(who, at)) ?? AWAY; // ends them once they are known
    const found = findSessions(this.#slots, who);
    if (found.is === "user") return this.#step((at) => this.#slots.revokeUser(who, at)) ?? AWAY;
    if (found.is === "session") return this.#step((at) => (this.#slots.revoke(found.session, at), 1)) ?? AWAY;
    return isEnding(this.#unsaved.endings(this.#slots), who) ? 0 : found.why;
  }

  /** Counts daily quotas by the clock's day, although a later day was counted before the clock was set back. @returns that day. */
  resetDay(): string | undefined {
    return this.#step(({ wall }) => (this.#counts.days.reset(wall), this.#counts.days.current(wall).day));
  }

  async #enter(session: Session, before: Session | undefined): Promise<Admission | undefined> {
    if (this.isUnread) return { is: "away", retryAfter: COME_AGAIN };
    const admission = this.#step((at) => this.#slots.enter(session, at, before, !this.#disk.isFailing));
    if (admission?.is !== "in" || !this.#unsaved.awaits(session)) return admission;
    return (await this.#disk.settled(DURABLE_WITHIN)) ? admission : undefined;
  }

  /** @returns what the step gives; undefined when the ledger is not ours now. */
  #step<T>(step: (at: Now) => T): T | undefined {
    if (!this.#open) return undefined;
    const result = step(this.#now());
    this.#settle();
    return result;
  }

  #load(kept: Kept): void {
    const at = this.#now();
    const { leases, ended, marks, days, windows } = readKnown(kept, at);
    const mine = this.#unsaved.endings(this.#slots);
    const { rules, shortage } = this.#slots;
    this.#slots = new Slots(rules);
    this.#slots.shortage = shortage;
    this.#slots.restore(leases, ended, marks, at.now);
    const taken = windows.map(({ state }) => state.key);
    this.#unsaved.loaded(this.#slots, taken);
    this.#slots.adopt(mine.ended, mine.marks, at);
    this.#counts.days.restore(days);
    for (const { state, at: when } of windows) this.#counts.windows.restore([state], ageOf(when, at.wall), at.now);
    for (const { session, as } of this.#unchecked.splice(0)) this.#apply(session, as, at);
    this.#settle();
    const ahead = daysAhead(this.#counts.days, at.wall);
    if (ahead !== undefined) this.#options.log.warn(ahead);
  }

  #renew({ active, held, known }: Renewal): void {
    this.#step((at) => {
      for (const session of known) this.#heard(session, "known", at);
      for (const session of active) this.#heard(session, "active", at);
      for (const session of held) this.#heard(session, "held", at);
    });
  }

  #heard(session: Session, as: Use, at: Now): void {
    if (this.#disk.isOpen) this.#apply(session, as, at);
    else if (this.#unchecked.length < MOST_UNCHECKED) this.#unchecked.push({ session, as });
  }

  #apply(session: Session, as: Use, at: Now): void {
    if (as === "known") this.#slots.check(session, at);
    else this.#slots.renew(session, as === "held", at);
  }

  #tally(tallies: readonly Tally[], from: LedgerEvents): void {
    const { now } = this.#now();
    for (const tally of tallies) this.#counts.windows.add(tally, now);
    for (const seat of this.#seats) if (seat !== from) seat.tallied(tallies);
  }

  #tick(): void {
    const step = this.#watch.look();
    if (step !== undefined) {
      const { fields, text } = stepReport(step, this.#counts.days);
      this.#options.log.warn(fields, text);
    }
    this.reap();
  }

  #sweep(): void {
    this.#step(({ now, wall }) => {
      // Ended sessions are forgotten by the wall clock, which may be corrected after a start.
      if (this.#watch.steadyFor >= SETTLED) this.#slots.sweep(wall);
      this.#counts.windows.sweep(now);
      this.#counts.days.sweep(wall);
    });
  }

  /** After every step: workers hear of it, and the disk a moment later. */
  #settle(): void {
    const change = this.#slots.take();
    this.#unsaved.note(change);
    for (const { id, why } of change.out) for (const seat of this.#seats) seat.ended(id, why);
    const { state } = this.#slots;
    if (state.used !== this.#told?.used || state.max !== this.#told.max || state.closed !== this.#told.closed) {
      if (state.status !== this.#told?.status) this.#say(state);
      this.#told = state;
      for (const seat of this.#seats) seat.slots(state);
    }
    this.#disk.changed();
  }

  #say({ used, max, status }: SlotsState): void {
    const level = status === "FULL" ? "warn" : "info";
    if (this.#told !== undefined) this.#options.log[level]({ slots: used, max }, `slots ${used}/${max} ${status}`);
  }

  get #parts(): { readonly slots: Slots; readonly counts: Counts } {
    return { slots: this.#slots, counts: this.#counts };
  }

  #now(): Now {
    const { clock } = this.#options;
    return { now: clock.now(), wall: clock.wall() };
  }
}

/** Why nothing was done: the ledger is closed here. */
export const AWAY = "the ledger is on its way to another broker: try again";
