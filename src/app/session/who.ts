/** Who asks, as far as rights go. */
import type { Session } from "../../sheets/ledger.ts";
import type { Timestamp } from "../../base/units.ts";
import type { Problem } from "../problem.ts";

export interface Stranger {
  readonly is: "stranger";
}

/** Somebody with a good session. */
export interface Member {
  readonly is: "in";
  /** As the sheet spells the name. */
  readonly user: string;
  readonly role: string | undefined;
  readonly admin: boolean;
}

export type Who = Stranger | Member;
export const STRANGER: Stranger = { is: "stranger" };

/** The role that may do all that anybody may. */
export const ADMIN = "admin";

/** What a cookie says. */
export interface Identity extends Member {
  readonly session: Session;
  /** When the cookie was last made anew: the session was used then. */
  readonly seen: Timestamp;
}

/** How a request stands: `out` came with a cookie that is good no more. */
export type Standing = Stranger | Identity | { readonly is: "out"; readonly problem: Problem };

/** @returns the member that a session is of. */
export function memberOf(user: string, role: string | undefined): Member {
  return { is: "in", user, role, admin: role === ADMIN };
}
