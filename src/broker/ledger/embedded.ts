/**
 * Sessions and counters in this broker's memory, their facts on this machine's disk (durable.ts).
 *
 *   closed ─ start ─→ unread ─ the file was read ─→ open ─ close: all is written ─→ closed: workers ask the next broker
 *                       └──────────── close ──────────────────────────────────────────↑
 *
 * A logout, `slots end` and a login that ends an older session wait for the disk. While writes fail, such a login is refused (`away`) and
 * ends nothing.
 *
 * While the file can't be read its revocations are unknown, and the store fails safe:
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
import { TOKENS_KEY, type Deed, type Entry, type Session, type Spent } from "../../sheets/ledger.ts";
import type { Renewal, Tally } from "../../sheets/ledger-host.ts";
import { COME_AGAIN } from "../../sheets/ledger-wire.ts";
import { daysAhead, stepReport } from "./clock-report.ts";
import { Counts } from "./counts.ts";
import type { DayCount } from "./days.ts";
import { Durable } from "./durable.ts";
import { ageOf, readKnown, windowFact } from "./facts.ts";
import type { Kept } from "./kept.ts";
import { findSessions, isEnding, sessionLines, type SessionLine } from "./sessions.ts";
import { Slots, type Ended, type Mark, type Now, type SlotRules } from "./slots.ts";
import { AWAY, type EndedSessions, type LedgerStore, type StoreEvents } from "./store.ts";
import { Unsaved } from "./unsaved.ts";

export interface EmbeddedOptions {
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

const LOOK_EVERY = seconds(1);
const SWEEP_EVERY = minutes(1);
/** What is not on disk by then is reported as not done: below the operator's patience, and workers ask again. */
const DURABLE_WITHIN = seconds(2);
/** Uses of sessions that workers report while the file is unread; a session beyond that is checked when it is used next. */
const MOST_UNCHECKED = 20_000;
type Use = keyof Renewal;

export class EmbeddedStore implements LedgerStore {
  readonly #options: EmbeddedOptions;
  readonly #unsaved = new Unsaved();
  readonly #disk: Durable;
  readonly #watch: ClockWatch;
  readonly #unchecked: { readonly session: Session; readonly as: Use }[] = [];
  #slots: Slots;
  #counts: Counts;
  /** Undefined: closed. */
  #events: StoreEvents | undefined;
  #timers: NodeJS.Timeout[] = [];
  readonly report = undefined;
  expired = 0;

  constructor(options: EmbeddedOptions) {
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

  /** Begins with what the last broker left, and with what this one has and no file knows of. */
  start(events: StoreEvents): void {
    if (this.#events !== undefined) return;
    this.#events = events;
    this.#timers = [setInterval(() => this.#tick(), LOOK_EVERY).unref(), setInterval(() => this.#sweep(), SWEEP_EVERY).unref()];
    this.#disk.open();
    this.#settle();
  }

  async ready(): Promise<void> {} // it begins without its file, too

  close(): void {
    if (this.#events === undefined) return;
    this.#events = undefined;
    for (const timer of this.#timers) clearInterval(timer);
    const at = this.#now();
    this.#unsaved.everyLease(this.#slots);
    const windows = this.#counts.windows.state(at.now);
    const isWritten = this.#disk.close(windows.map((state) => ({ kind: "window", key: state.key, value: windowFact(state, at) })));
    if (isWritten) this.#counts = new Counts(this.#options.zone); // the successor counts on from there
  }

  async enter(session: Session, before?: Session, within: readonly Deed[] = []): Promise<Entry | undefined> {
    if (this.isUnread) return { is: "away", retryAfter: COME_AGAIN };
    const admission = this.#step(
      (at): Entry => this.#counts.over(within, at) ?? this.#slots.enter(session, at, before, !this.#disk.isFailing),
    );
    if (admission?.is !== "in" || !this.#unsaved.awaits(session)) return admission;
    return (await this.#disk.settled(DURABLE_WITHIN)) ? admission : undefined;
  }

  async leave(session: Session): Promise<true | undefined> {
    const left = this.#step((at): true => (this.#slots.revoke(session, at), true));
    return left !== undefined && (await this.#disk.settled(DURABLE_WITHIN)) ? true : undefined;
  }

  renew({ active, held, known }: Renewal): void {
    this.#step((at) => {
      for (const session of known) this.#heard(session, "known", at);
      for (const session of active) this.#heard(session, "active", at);
      for (const session of held) this.#heard(session, "held", at);
    });
  }

  async spend(deeds: readonly Deed[]): Promise<Spent | undefined> {
    return this.#step((at) => this.#counts.spend(deeds, at));
  }

  refund(deeds: readonly Deed[]): void {
    this.#step((at) => this.#counts.refund(deeds, at));
  }

  tally(tallies: readonly Tally[]): void {
    const { now } = this.#now();
    for (const tally of tallies) this.#counts.windows.add(tally, now);
  }

  async reap(): Promise<number> {
    return this.#reap();
  }

  setMax(max: number): boolean {
    return this.#step(() => ((this.#slots.rules = { ...this.#slots.rules, max }), true)) ?? false;
  }

  get lease(): Ms {
    return this.#slots.rules.lease;
  }

  setShortage(why: Shortage | undefined): boolean {
    return this.#step(() => ((this.#slots.shortage = why), true)) ?? false;
  }

  get tokensUsed(): number {
    return this.#counts.windows.level({ key: TOKENS_KEY, most: 0, per: minutes(1), times: 0 }, this.#now().now).used;
  }

  async list(): Promise<readonly SessionLine[]> {
    return sessionLines(this.#slots, this.#now().now);
  }

  async end(who: string): Promise<EndedSessions | string> {
    const count = this.#end(who);
    return typeof count === "string" ? count : { count, durable: await this.#disk.settled(DURABLE_WITHIN) };
  }

  /** The file could not be read yet. */
  get isUnread(): boolean {
    return this.#events !== undefined && !this.#disk.isOpen;
  }

  /** The last write has failed, or the file could not be opened. */
  get isFailing(): boolean {
    return this.#disk.isFailing;
  }

  /** @returns whether all that has changed until now is on disk, or comes there in time. */
  async isSettled(): Promise<boolean> {
    return await this.#disk.settled(DURABLE_WITHIN);
  }

  /** @returns why a session must not come in; undefined: there is nothing against it. */
  whyOut(session: Session): Ended["why"] | undefined {
    return this.#slots.whyOut(session, this.#now());
  }

  /** Ended sessions, marks and daily counts: a shared store may lose them, this broker does not. */
  remembered(): { readonly ended: readonly Ended[]; readonly marks: readonly Mark[]; readonly days: readonly DayCount[] } {
    const { ended, marks } = this.#slots;
    return { ended: [...ended.values()], marks: [...marks.values()], days: this.#counts.days.counted(this.#now().wall) };
  }

  /** Applies sessions that were ended elsewhere. */
  adopt(ended: readonly Ended[], marks: readonly Mark[]): void {
    this.#step((at) => this.#slots.adopt(ended, marks, at));
  }

  /** The day that is counted, and how long it lasts. */
  today(): { readonly day: string; readonly resetIn: Ms } {
    const { wall } = this.#now();
    const { days } = this.#counts;
    return { day: days.current(wall).day, resetIn: days.resetIn(wall) };
  }

  /** A day's count is at least this. */
  raiseDay(key: string, used: number): void {
    this.#step(({ wall }) => {
      const more = used - this.#counts.days.used(key, wall);
      if (more > 0) this.#counts.days.add(key, more, wall);
    });
  }

  #end(who: string): number | string {
    if (this.isUnread) return this.#step((at) => this.#slots.revokeUser(who, at)) ?? AWAY; // ends them once they are known
    const found = findSessions(
      [...this.#slots.leases.values()].map(({ session }) => session),
      who,
    );
    if (found.is === "user") return this.#step((at) => this.#slots.revokeUser(who, at)) ?? AWAY;
    if (found.is === "session") return this.#step((at) => (this.#slots.revoke(found.session, at), 1)) ?? AWAY;
    return isEnding(this.#unsaved.endings(this.#slots), who) ? 0 : found.why;
  }

  async resetDay(): Promise<string | undefined> {
    return this.#step(({ wall }) => (this.#counts.days.reset(wall), this.#counts.days.current(wall).day));
  }

  #reap(): number {
    const freed = this.#step(({ now }) => this.#slots.expire(now)) ?? 0;
    this.expired += freed;
    return freed;
  }

  /** @returns what the step gives; undefined: closed. */
  #step<T>(step: (at: Now) => T): T | undefined {
    if (this.#events === undefined) return undefined;
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

  #heard(session: Session, as: Use, at: Now): void {
    if (this.#disk.isOpen) this.#apply(session, as, at);
    else if (this.#unchecked.length < MOST_UNCHECKED) this.#unchecked.push({ session, as });
  }

  #apply(session: Session, as: Use, at: Now): void {
    if (as === "known") this.#slots.check(session, at);
    else this.#slots.renew(session, as === "held", at);
  }

  #tick(): void {
    const step = this.#watch.look();
    if (step !== undefined) {
      const { fields, text } = stepReport(step, this.#counts.days);
      this.#options.log.warn(fields, text);
    }
    this.#reap();
  }

  #sweep(): void {
    this.#step(({ now, wall }) => {
      // Ended sessions are forgotten by the wall clock, which may be corrected after a start.
      if (this.#watch.steadyFor >= SETTLED) this.#slots.sweep(wall);
      this.#counts.windows.sweep(now);
      this.#counts.days.sweep(wall);
    });
  }

  /** After every step: notifies the listener, and schedules the write to disk. */
  #settle(): void {
    const change = this.#slots.take();
    this.#unsaved.note(change);
    for (const { id, why } of change.out) this.#events?.ended(id, why);
    this.#events?.changed();
    this.#disk.changed();
  }

  get #parts(): { readonly slots: Slots; readonly counts: Counts } {
    return { slots: this.#slots, counts: this.#counts };
  }

  #now(): Now {
    const { clock } = this.#options;
    return { now: clock.now(), wall: clock.wall() };
  }
}
