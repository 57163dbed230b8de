/**
 * What must be true for the whole machine and not for one worker: who is in, who was put out, how often somebody did something. The broker
 * keeps it; every worker has a copy that is pushed to it, so that a request of somebody who is in costs no round trip.
 */
import type { Shortage, SlotsState } from "../base/slots.ts";
import type { Ms, Timestamp } from "../base/units.ts";

export type { SlotsState, SlotStatus } from "../base/slots.ts";

/** A session as its sealed cookie says. */
export interface Session {
  /** Random, 128 bits, base64url. */
  readonly id: string;
  readonly user: string;
  readonly admin: boolean;
  /** When the login was. */
  readonly since: Timestamp;
}

export type Admission =
  | { readonly is: "in" }
  /** All slots are taken, or the machine is short of something: `because`. */
  | { readonly is: "full"; readonly used: number; readonly max: number; readonly retryAfter: Ms; readonly because?: Shortage }
  /** A newer session of the same user took its place. */
  | { readonly is: "taken-over" }
  /** The user has as many sessions as one may have, and the setting says that the newest is refused. */
  | { readonly is: "refused"; readonly most: number }
  /** Logged out, or put out by the operator. */
  | { readonly is: "revoked" }
  /** The broker is away and this worker does not know the session. */
  | { readonly is: "away"; readonly retryAfter: Ms };

/** The key of the rows that all clients together write (DROVER_TOKENS_PER_MINUTE). */
export const TOKENS_KEY = "write:all:tokens";

/** A counted deed. Keys are made by the caller; the broker knows no more of them. */
export interface Deed {
  /** `login:user:NAME`, `login:address:A`, `write:address:A`, `write:user:NAME`, `day:user:NAME`, … */
  readonly key: string;
  readonly most: number;
  /** A window of this length; for daily quotas the day in the operator's time zone, which the broker works out: "day". */
  readonly per: Ms | "day";
  /** Counted by a token bucket of this size, which gains `most` in each `per`. Not for days. */
  readonly burst?: number;
  /** How often it is done at once; 1 if nothing is said. */
  readonly times?: number;
}

export type Spent =
  /** `left` and `resetIn` are those of the deed that comes nearest to its limit, which `key` names. */
  | { readonly is: "ok"; readonly left: number; readonly resetIn: Ms; readonly key?: string }
  | { readonly is: "over"; readonly key: string; readonly retryAfter: Ms };

/** Counters that a login must find room in: it counts nothing itself. */
export type Entry = Admission | Extract<Spent, { is: "over" }>;

/** A worker's side of it. */
export interface Ledger {
  /**
   * At login, and when somebody with a good cookie comes whose lease ran out.
   * @param before the session that the same browser had: it is over when this one is in, and its slot counts as free.
   */
  enter(session: Session, before?: Session): Promise<Admission>;
  /** @param within refused as `over` where `spend` would refuse one of these; nothing is counted. One step instead of spend, enter and refund. */
  enter(session: Session, before: Session | undefined, within: readonly Deed[]): Promise<Entry>;
  /** @returns how a session stands by what this worker knows, without asking: undefined: not known here, so `enter` must be asked. */
  standing(session: Session): Admission | undefined;
  /** It did something: its lease is renewed. Cheap; told to the broker in batches. */
  active(session: Session): void;
  /** It has an open event stream; renewed until the returned function is called. */
  holds(session: Session): () => void;
  /**
   * Ends a session: at once in this worker, and permanently for the whole machine.
   * @returns true when that is durable; false: not within the broker's patience. This worker then goes on trying.
   */
  leave(session: Session): Promise<boolean>;
  slots(): SlotsState;
  /**
   * Counts all deeds or, if one of them is over, none. For what is worth a round trip: logins, writes, exports. While the broker is away
   * this worker counts alone. A key that is over is refused here for up to a second, without asking.
   */
  spend(deeds: readonly Deed[]): Promise<Spent>;
  /** Takes back what `spend` counted: a login that succeeded was no failed login. */
  refund(deeds: readonly Deed[]): void;
  /** Told whenever a session that this worker may know was ended by someone else (taken over, revoked): event streams close. */
  onEnded(listener: (sessionId: string, why: "taken-over" | "revoked" | "expired") => void): () => void;
}

/** For what is not worth a round trip. */
export interface Tallies {
  /** Counts here, at once; the machine's other workers hear of it within a tick, and so does this one of theirs. */
  count(deed: Deed & { readonly per: Ms }): Spent;
}

declare module "../base/runtime.ts" {
  interface Services {
    /** Absent from applications that asked for no tables. */
    readonly ledger: Ledger & Tallies;
  }
}
