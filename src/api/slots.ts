/** `drover.slots`: places in the service for an application with sessions of its own, true for the whole machine. */
import { randomBytes } from "node:crypto";
import { systemClock } from "../base/clock.ts";
import type { Shortage } from "../base/slots.ts";
import type { Ledger, Session, SlotsState } from "../sheets/ledger.ts";

/** Who holds, or wants, a place. Plain data: it stands in the application's own sealed cookie. */
export interface SlotSession {
  /** 128 random bits. */
  readonly id: string;
  readonly user: string;
  readonly admin: boolean;
  /** When it began, in ms since 1970: of two sessions of one user the newer one counts. */
  readonly since: number;
}

/**
 * How a session stands. `retryAfter` in ms. `because`: there are slots, but the machine is short
 * of this (DROVER_SLOT_GUARD).
 */
export type SlotAdmission =
  | { readonly is: "in" }
  | { readonly is: "full"; readonly used: number; readonly max: number; readonly retryAfter: number; readonly because?: Shortage }
  | { readonly is: "taken-over" }
  | { readonly is: "refused"; readonly most: number }
  | { readonly is: "revoked" }
  | { readonly is: "away"; readonly retryAfter: number };

export interface Slots {
  /** How many places are taken. Never waits. */
  state(): SlotsState;
  /** A session that has just begun; it holds no place yet. */
  session(user: string, options?: { readonly admin?: boolean }): SlotSession;
  /**
   * At each request of a session: takes a place if it holds none, and renews it if it does. Asks the broker only for sessions that this
   * worker does not know.
   */
  enter(session: SlotSession): Promise<SlotAdmission>;
  /**
   * Ends the session and frees its place.
   * @returns true when that is durable; false: the broker is unavailable or can't write. The session is over in this worker, which goes on
   * trying; until it succeeds other workers may still admit the session.
   */
  leave(session: SlotSession): Promise<boolean>;
  /** It has an open stream: the place is kept until the function that is returned is called. */
  hold(session: SlotSession): () => void;
  /** Told of each session that somebody else ended, or that ran out: its streams should close. @returns a function that ends it. */
  onEnded(listener: (sessionId: string, why: "taken-over" | "revoked" | "expired") => void): () => void;
}

export function applicationSlots(ledger: Ledger): Slots {
  const sealed = (session: SlotSession): Session => session as Session;
  return {
    state: () => ledger.slots(),
    session: (user, { admin = false } = {}) => ({ id: randomBytes(16).toString("base64url"), user, admin, since: systemClock.wall() }),
    async enter(session) {
      const standing = ledger.standing(sealed(session));
      if (standing?.is !== "in") return standing ?? (await ledger.enter(sealed(session)));
      ledger.active(sealed(session));
      return standing;
    },
    leave: (session) => ledger.leave(sealed(session)),
    hold: (session) => ledger.holds(sealed(session)),
    onEnded: (listener) => ledger.onEnded(listener),
  };
}
