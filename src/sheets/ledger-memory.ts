/** A ledger of this process alone: for tests, and for the use of the application without a broker. */
import type { Clock } from "../base/clock.ts";
import { minutes, ms, type Instant, type Ms } from "../base/units.ts";
import type { Admission, Deed, Ledger, Session, SlotsState, Spent } from "./ledger.ts";

export interface MemoryLedgerOptions {
  readonly clock: Clock;
  readonly maxSlots?: number;
}

interface Window {
  spent: number;
  readonly until: Instant;
}

type EndedListener = Parameters<Ledger["onEnded"]>[0];
const DAY = minutes(24 * 60);
const RETRY = ms(30_000);

export class MemoryLedger implements Ledger {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();
  readonly #in = new Map<string, Session>();
  readonly #ended = new Map<string, "taken-over" | "revoked">();
  readonly #listeners = new Set<EndedListener>();
  /** May be changed while it runs. */
  maxSlots: number;
  /** Calls of `active`. */
  renewals = 0;

  constructor({ clock, maxSlots = 500 }: MemoryLedgerOptions) {
    this.#clock = clock;
    this.maxSlots = maxSlots;
  }

  enter(session: Session): Promise<Admission> {
    return Promise.resolve(this.#enter(session));
  }

  #enter(session: Session): Admission {
    const known = this.standing(session);
    if (known !== undefined) return known;
    const holder = [...this.#in.values()].find(({ user }) => user === session.user);
    if (holder !== undefined && holder.since > session.since) {
      this.#ended.set(session.id, "taken-over");
      return { is: "taken-over" };
    }
    if (holder !== undefined) this.#end(holder.id, "taken-over");
    if (this.#in.size >= this.maxSlots) return { is: "full", used: this.#in.size, max: this.maxSlots, retryAfter: RETRY };
    this.#in.set(session.id, session);
    return { is: "in" };
  }

  standing({ id }: Session): Admission | undefined {
    const why = this.#ended.get(id);
    if (why !== undefined) return { is: why };
    return this.#in.has(id) ? { is: "in" } : undefined;
  }

  active(): void {
    this.renewals += 1;
  }

  holds(): () => void {
    return () => {};
  }

  leave({ id }: Session): Promise<void> {
    if (this.#in.delete(id)) this.#ended.set(id, "revoked");
    return Promise.resolve();
  }

  /** As an operator does. */
  revoke(id: string): void {
    this.#end(id, "revoked");
  }

  /** As after a restart: no session is known here, each has to enter again. */
  forget(): void {
    this.#in.clear();
  }

  slots(): SlotsState {
    const used = this.#in.size;
    const full = used / this.maxSlots;
    return { used, max: this.maxSlots, status: full >= 1 ? "FULL" : full >= 0.8 ? "WARNING" : full >= 0.5 ? "HEALTHY" : "LOW" };
  }

  spend(deeds: readonly Deed[]): Promise<Spent> {
    const now = this.#clock.now();
    const windows = deeds.map((deed) => this.#window(deed, now));
    const over = deeds.findIndex(({ most }, i) => (windows[i]?.spent ?? 0) >= most);
    const [key, window] = [deeds[over]?.key, windows[over]];
    if (key !== undefined && window !== undefined)
      return Promise.resolve({ is: "over", key, retryAfter: ms(Math.max(0, window.until - now)) });
    for (const spent of windows) spent.spent += 1;
    const left = Math.min(...deeds.map(({ most }, i) => most - (windows[i]?.spent ?? 0)));
    return Promise.resolve({ is: "ok", left, resetIn: ms(Math.max(0, ...windows.map(({ until }) => until - now))) });
  }

  refund(deeds: readonly Deed[]): void {
    for (const { key } of deeds) {
      const window = this.#windows.get(key);
      if (window !== undefined && window.spent > 0) window.spent -= 1;
    }
  }

  onEnded(listener: EndedListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #window({ key, per }: Deed, now: Instant): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && known.until > now) return known;
    const length: Ms = per === "day" ? DAY : per;
    const fresh = { spent: 0, until: (now + length) as Instant };
    if (this.#windows.size >= 100_000) this.#windows.clear();
    this.#windows.set(key, fresh);
    return fresh;
  }

  #end(id: string, why: "taken-over" | "revoked"): void {
    this.#in.delete(id);
    this.#ended.set(id, why);
    for (const listener of this.#listeners) listener(id, why);
  }
}
