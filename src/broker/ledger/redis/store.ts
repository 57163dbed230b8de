/**
 * Sessions and counters on an engine that several brokers may share. Ended sessions and daily counts must survive the engine: this broker
 * also keeps them on its own disk (../embedded.ts), and sends them to the engine after each connect.
 *
 * While the engine is away active sessions stay valid for one lease, logins and logouts wait, and this broker counts on its own.
 */
import type { Clock } from "../../../base/clock.ts";
import type { SessionStoreReport } from "../../../base/sessionstore.ts";
import { slotsState, type Shortage, type SlotsState } from "../../../base/slots.ts";
import { between, minutes, seconds, type Instant, type Ms, type Timestamp } from "../../../base/units.ts";
import { TOKENS_KEY, type Deed, type Entry, type Session, type Spent } from "../../../sheets/ledger.ts";
import type { Renewal, Tally } from "../../../sheets/ledger-host.ts";
import { COME_AGAIN } from "../../../sheets/ledger-wire.ts";
import type { EmbeddedStore } from "../embedded.ts";
import { findSessions, type SessionLine } from "../sessions.ts";
import type { SlotRules } from "../slots.ts";
import { AWAY, type EndedSessions, type LedgerStore, type StoreEvents } from "../store.ts";
import { changeOf, type Change, type Engine, type EnginePort, type Out, type Reply } from "./engine.ts";
import { KnownSessions } from "./known.ts";
import { unusable } from "./problems.ts";

/** Interval of the batch with session activity and tallies. */
const TELL_EVERY = seconds(5);
const SWEEP_EVERY = minutes(60);
/** Tallies of one batch; further ones are dropped. */
const MOST_TALLIES = 20_000;
/** Sessions in one step: a script blocks the engine. */
const MOST_AT_ONCE = 500;
const TOKENS = { key: TOKENS_KEY, per: minutes(1) };

export interface RedisStoreOptions {
  readonly own: EmbeddedStore;
  readonly engine: Engine;
  readonly rules: SlotRules;
  readonly clock: Clock;
}

export class RedisStore implements LedgerStore {
  readonly #own: EmbeddedStore;
  readonly #engine: Engine;
  readonly #clock: Clock;
  #rules: SlotRules;
  #shortage: Shortage | undefined;
  #events: StoreEvents | undefined;
  #timers: NodeJS.Timeout[] = [];
  #used = 0;
  /** Of the change that `#used` is of. */
  #seq = 0;
  readonly #known: KnownSessions;
  #tallies: Tally[] = [];
  #awaySince: Instant | undefined;
  tokensUsed = 0;
  expired = 0;

  constructor({ own, engine, rules, clock }: RedisStoreOptions) {
    this.#own = own;
    this.#engine = engine;
    this.#rules = rules;
    this.#clock = clock;
    this.#known = new KnownSessions(clock);
  }

  get state(): SlotsState {
    return slotsState(this.#used, this.#rules.max, this.#shortage);
  }

  get lease(): Ms {
    return this.#rules.lease;
  }

  get isUnread(): boolean {
    return this.#events !== undefined && (this.#own.isUnread || !this.#engine.isReady);
  }

  get #isClosed(): boolean {
    return this.#events === undefined;
  }

  get report(): SessionStoreReport {
    return this.#engine.report;
  }

  start(events: StoreEvents): void {
    if (this.#events !== undefined) return;
    this.#events = events;
    this.#awaySince = this.#clock.now();
    this.#own.start({ ended: () => {}, changed: () => {} });
    this.#engine.start({
      connected: (engine) => this.#begin(engine),
      ready: () => {
        this.#awaySince = undefined;
        void this.tell(); // sessions that were used meanwhile may have been ended elsewhere
      },
      away: () => void (this.#awaySince = this.#clock.now()),
      heard: (news) => this.#changed(changeOf(news)),
    });
    this.#timers = [
      setInterval(() => void this.#tick(), TELL_EVERY).unref(),
      setInterval(() => void this.#engine.step("sweep", {}), SWEEP_EVERY).unref(),
    ];
    events.changed();
  }

  async ready(): Promise<void> {
    const wrong = await this.#engine.tried();
    if (wrong !== undefined) throw unusable(wrong);
  }

  close(): void {
    if (this.#events === undefined) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#events = undefined;
    this.#engine.close();
    this.#own.close();
  }

  setMax(max: number): boolean {
    return this.#tune(() => (this.#rules = { ...this.#rules, max }));
  }

  setShortage(why: Shortage | undefined): boolean {
    return this.#tune(() => (this.#shortage = why));
  }

  async enter(session: Session, before?: Session, within: readonly Deed[] = []): Promise<Entry | undefined> {
    if (this.#events === undefined) return undefined;
    const over = this.#own.isUnread ? undefined : this.#own.whyOut(session);
    if (over !== undefined) return { is: over };
    const reply = this.#own.isUnread
      ? undefined
      : await this.#step("enter", { session, before, within: this.#dated(within), ...this.#means, mayEnd: !this.#own.isFailing });
    if (reply === undefined) return this.#known.has(session) ? { is: "in" } : { is: "away", retryAfter: COME_AGAIN };
    const { ends, ...admission } = reply.result as Entry & { readonly ends?: boolean };
    if (admission.is !== "in") return admission;
    const since = this.#own.whyOut(session); // a change by another broker may arrive before this reply
    if (since !== undefined) return { is: since };
    this.#known.keep(session, this.#rules.lease);
    return ends !== true || (await this.#own.isSettled()) ? admission : undefined;
  }

  async leave(session: Session): Promise<boolean | undefined> {
    if (this.#events === undefined) return undefined;
    const [kept, told] = await Promise.all([this.#own.leave(session), this.#step("leave", { session })]);
    if (told === undefined) this.#hear([{ id: session.id, why: "revoked" }]); // effective here at once
    if (told !== undefined) return kept;
    return this.#isClosed ? undefined : false; // its successor is asked
  }

  renew(renewal: Renewal): void {
    this.#known.use(renewal, this.#rules.lease);
  }

  async reap(): Promise<number> {
    const before = this.expired;
    await this.#step("reap", {});
    return this.expired - before;
  }

  async end(who: string): Promise<EndedSessions | string> {
    if (this.#events === undefined) return AWAY;
    const lines = await this.#lines();
    if (lines === undefined) return `the session store is away: ${this.#engine.report.problem ?? ""}. Nobody was put out: try again`;
    const found = findSessions(lines, who);
    if (found.is === "none") return found.why;
    if (found.is === "session") return { count: 1, durable: (await this.leave(found.session)) === true };
    const reply = await this.#step("leave_user", { user: who });
    if (reply === undefined) return { count: 0, durable: false };
    const at = reply.now as Timestamp;
    this.#own.adopt([], [{ user: who, since: at, at }]);
    return { count: Number(reply.result), durable: await this.#own.isSettled() };
  }

  async list(): Promise<readonly SessionLine[]> {
    return (await this.#lines()) ?? this.#known.lines();
  }

  async spend(deeds: readonly Deed[]): Promise<Spent | undefined> {
    if (this.#events === undefined) return undefined;
    if (deeds.length === 0) return await this.#own.spend(deeds);
    const reply = await this.#step("spend", { deeds: this.#dated(deeds) });
    if (reply === undefined) return await this.#own.spend(deeds);
    const { used = [], ...spent } = reply.result as Spent & { readonly used?: readonly number[] };
    for (const [i, { key, per }] of deeds.entries()) {
      if (per === "day") this.#own.raiseDay(key, used[i] ?? 0);
      if (key === TOKENS_KEY) this.tokensUsed = used[i] ?? this.tokensUsed;
    }
    return spent;
  }

  refund(deeds: readonly Deed[]): void {
    this.#own.refund(deeds);
    void this.#step("refund", { deeds: this.#dated(deeds) });
  }

  tally(tallies: readonly Tally[]): void {
    this.#own.tally(tallies);
    if (this.#engine.isReady && this.#tallies.length < MOST_TALLIES) this.#tallies.push(...tallies);
  }

  async resetDay(): Promise<string | undefined> {
    return await this.#own.resetDay();
  }

  /** Sends the batch. Called by a timer, and by tests. */
  async tell(): Promise<void> {
    const uses = this.#known.take();
    const { active, held, known } = uses;
    const tallies = this.#tallies.splice(0);
    for (let at = 0; at === 0 || at < Math.max(active.length, held.length, known.length, tallies.length); at += MOST_AT_ONCE) {
      const part = <T>(all: readonly T[]): readonly T[] => all.slice(at, at + MOST_AT_ONCE);
      const told = { active: part(active), held: part(held), known: part(known), tallies: part(tallies).map(counted) };
      // oxlint-disable-next-line no-await-in-loop -- the engine serves others between two of them
      const reply = await this.#step("renew", { ...told, level: TOKENS, ...this.#means });
      if (reply === undefined) return this.#known.giveBack(uses);
      this.tokensUsed = Number(reply.result);
    }
  }

  get #means(): { readonly rules: SlotRules; readonly shortage: Shortage | undefined } {
    return { rules: this.#rules, shortage: this.#shortage };
  }

  #tune(change: () => unknown): boolean {
    if (this.#events === undefined) return false;
    change();
    this.#events.changed();
    return true;
  }

  async #step(name: string, told: object): Promise<Reply | undefined> {
    const reply = await this.#engine.step(name, told);
    if (reply !== undefined) this.#counted(reply);
    return reply;
  }

  #counted(reply: Reply): void {
    this.expired += reply.out.filter(({ why, freed }) => why === "expired" && freed === true).length;
    this.#changed(reply);
  }

  #changed({ out, used, seq }: Change): void {
    if (seq >= this.#seq) [this.#used, this.#seq] = [used, seq];
    this.#hear(out);
  }

  /** Applies ended sessions, of this broker or another. */
  #hear(out: readonly Out[]): void {
    for (const { id, why, user, since } of out) {
      this.#known.forget(id);
      if (user !== undefined && since !== undefined && why !== "expired")
        this.#own.adopt([{ id, user, since: since as Timestamp, why, at: this.#clock.wall() }], []);
      this.#events?.ended(id, why);
    }
    this.#events?.changed();
  }

  /** Sends what the engine may have lost, and asks which known sessions are still active. */
  async #begin(engine: EnginePort): Promise<void> {
    if (this.#own.isUnread) throw new Error("the broker can't read its own ledger.db yet");
    this.#seq = 0;
    await engine.begin();
    const { ended, marks, days } = this.#own.remembered();
    for (const part of chunks(ended)) await engine.early("restore", { ended: part, marks: [] }); // oxlint-disable-line no-await-in-loop
    for (const part of chunks(marks)) await engine.early("restore", { ended: [], marks: part }); // oxlint-disable-line no-await-in-loop
    const counts = days.map(({ key, day, used }) => ({ key, day, times: used, per: "day" }));
    for (const part of chunks(counts)) await engine.early("raise", { deeds: part }); // oxlint-disable-line no-await-in-loop
    for (const part of chunks(this.#known.idle())) {
      const told = { active: [], held: [], known: part, tallies: [], level: TOKENS, ...this.#means };
      this.#counted(await engine.early("renew", told)); // oxlint-disable-line no-await-in-loop
    }
    this.#counted(await engine.early("reap", {}));
  }

  async #tick(): Promise<void> {
    if (this.#awaySince === undefined) return await this.tell();
    if (between(this.#awaySince, this.#clock.now()) < this.#rules.lease) return;
    for (const id of this.#known.ids()) this.#hear([{ id, why: "expired" }]); // they may have been ended elsewhere meanwhile
  }

  async #lines(): Promise<SessionLine[] | undefined> {
    const reply = await this.#step("list", {});
    if (reply === undefined) return undefined;
    const lines = Array.isArray(reply.result) ? (reply.result as SessionLine[]) : [];
    return lines.toSorted((a, b) => a.since - b.since);
  }

  #dated(deeds: readonly Deed[]): object[] {
    const { day, resetIn } = this.#own.today();
    return deeds.map((deed) => ({ times: 1, ...deed, ...(deed.per === "day" ? { day, resetIn } : {}) }));
  }
}

const counted = ({ refill, ...tally }: Tally): object => (refill === undefined ? tally : { ...tally, most: refill, burst: refill });

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += MOST_AT_ONCE) yield all.slice(at, at + MOST_AT_ONCE);
}
