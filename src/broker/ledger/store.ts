/**
 * The port to where sessions and counters are kept. Whatever keeps them, a step is whole or not done, nothing is reported as done before it
 * is durable there, and undefined means: this store is closed or could not make it durable in time, ask again.
 */
import type { Shortage, SlotsState } from "../../base/slots.ts";
import type { SessionStoreReport } from "../../base/sessionstore.ts";
import type { Ms } from "../../base/units.ts";
import type { Deed, Entry, Session, Spent } from "../../sheets/ledger.ts";
import type { Renewal, Tally } from "../../sheets/ledger-host.ts";
import type { SessionLine } from "./sessions.ts";
import type { EndedWhy } from "./slots.ts";

/** What a store tells, until it is closed. */
export interface StoreEvents {
  /** A session is not in, whoever ended it. */
  ended(id: string, why: EndedWhy): void;
  /** `state` may have changed. */
  changed(): void;
}

/** How an operator's order to end sessions ended. */
export interface EndedSessions {
  /** How many were in. */
  readonly count: number;
  /** It is durable. If not, the store goes on trying. */
  readonly durable: boolean;
}

export interface SessionStore {
  readonly state: SlotsState;
  /** How long a slot is held after its last use. */
  readonly lease: Ms;
  /** Who is in is not known yet. */
  readonly isUnread: boolean;
  /** Slots that have run out since this process began. */
  readonly expired: number;
  /** From now on there are so many slots: nobody is put out. @returns false: the store is closed. */
  setMax(max: number): boolean;
  /** Refuses new sessions, or (undefined) admits them. @returns false: the store is closed. */
  setShortage(why: Shortage | undefined): boolean;
  /**
   * Admits a session or refuses it, in one step.
   * @param before the session that the same browser had: it is over when this one is in, and its slot counts as free.
   * @param within refused as `over` where `spend` would refuse one of these; nothing is counted.
   */
  enter(session: Session, before?: Session, within?: readonly Deed[]): Promise<Entry | undefined>;
  /** Ends a session permanently. @returns as LedgerSeat.leave. */
  leave(session: Session): Promise<boolean | undefined>;
  /** What sessions did. Those that are not in are told as ended. */
  renew(renewal: Renewal): void;
  /** Frees what has run out. @returns how many slots. */
  reap(): Promise<number>;
  /**
   * Ends one session, by the beginning of its id (at least 6 characters), or all of a user.
   * @returns a text: why nothing was ended.
   */
  end(who: string): Promise<EndedSessions | string>;
  /** The sessions that hold slots, the oldest first. */
  list(): Promise<readonly SessionLine[]>;
}

export interface CounterStore {
  /** Rows written in the last minute. */
  readonly tokensUsed: number;
  /** Counts all deeds, or none. Without `burst` never more than `most` in any span of `per`, with it a token bucket (GCRA). */
  spend(deeds: readonly Deed[]): Promise<Spent | undefined>;
  refund(deeds: readonly Deed[]): void;
  /** Counts what workers have counted without asking. */
  tally(tallies: readonly Tally[]): void;
  /** Counts daily quotas by the clock's day, although a later day was counted before the clock was set back. @returns that day. */
  resetDay(): Promise<string | undefined>;
}

export interface LedgerStore extends SessionStore, CounterStore {
  /** The engine behind it; undefined: there is none. */
  readonly report: SessionStoreReport | undefined;
  /** Begins with what was kept. Never throws. */
  start(events: StoreEvents): void;
  /** Resolves when it serves, or when waiting longer would not help. @throws DroverError what an operator must mend before a start. */
  ready(): Promise<void>;
  /** Gives it up: another may begin with what it leaves when this returns. It may be started again. */
  close(): void;
}

/** Why nothing was done: the store is closed. */
export const AWAY = "the ledger is on its way to another broker: try again";
