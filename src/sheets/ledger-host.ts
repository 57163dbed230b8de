/** The broker's side of the ledger, as one worker reaches it: by a call in tests, over the socket in the daemon. */
import type { SlotsState } from "../base/slots.ts";
import type { Tally } from "../base/window.ts";
import type { Deed, Entry, Session, Spent } from "./ledger.ts";

/** What a worker's sessions have done since it told last. */
export interface Renewal {
  readonly active: readonly Session[];
  /** They have an event stream open. */
  readonly held: readonly Session[];
  /** They did nothing, but the worker takes them for in: it is told of those who are not. Said to a broker that is new to the worker. */
  readonly known: readonly Session[];
}

/** Counts that were made without asking. */
export type { Tally } from "../base/window.ts";

/** Of what lists there may be so many entries in one message: with the longest names it is below the longest frame. */
export const MOST_SESSIONS = 250;
export const MOST_TALLIES = 500;
/** Deeds of one request. */
export const MOST_DEEDS = 16;

/** What every worker is told. */
export interface LedgerEvents {
  slots(state: SlotsState): void;
  ended(session: string, why: "taken-over" | "revoked" | "expired"): void;
  /** Counted by other workers. */
  tallied(tallies: readonly Tally[]): void;
}

/**
 * One worker's place at the ledger. A question that is answered with undefined is to be asked again: the ledger is on its way to
 * another broker.
 */
export interface LedgerSeat {
  enter(session: Session, before?: Session, within?: readonly Deed[]): Promise<Entry | undefined>;
  /** @returns true once it is durable that the session is over; false: the session store is away; undefined: it is not yet, ask again. */
  leave(session: Session): Promise<boolean | undefined>;
  spend(deeds: readonly Deed[]): Promise<Spent | undefined>;
  refund(deeds: readonly Deed[]): void;
  renew(renewal: Renewal): void;
  tally(tallies: readonly Tally[]): void;
  end(): void;
}

export interface LedgerHost {
  /** Tells at once how full it is, then every change. */
  join(events: LedgerEvents): LedgerSeat;
}
