/** The ledger's sessions as an operator lists and names them. Pure. */
import { between, minutes, ms, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import type { Session } from "../../sheets/ledger.ts";
import type { Ended, Mark, Slots } from "./slots.ts";

/** One session, for the operator. */
export interface SessionLine {
  readonly id: string;
  readonly user: string;
  readonly admin: boolean;
  readonly since: Timestamp;
  /** Until its lease expires, if nothing renews it. */
  readonly left: Ms;
  /** An event stream is open. */
  readonly held: boolean;
}

/** A slot without an open stream that was not used for this time may belong to a client that has left. */
const UNUSED = minutes(1);

/** Sessions that hold a slot without using it; the sweep frees it when the lease ends. @param lease how long one lasts. */
export const zombies = (lines: readonly SessionLine[], lease: Ms): SessionLine[] =>
  lines.filter(({ held, left }) => !held && left <= Math.max(0, lease - UNUSED));

/** Digits of an id that name a session. */
const LEAST_ID = 6;

/** The sessions that hold slots, the oldest first. */
export const sessionLines = ({ leases }: Slots, now: Instant): SessionLine[] =>
  [...leases.values()]
    .map(({ session, until, held }) => ({ ...session, left: ms(Math.max(0, between(now, until))), held }))
    .toSorted((a, b) => a.since - b.since);

/** What `who` names among those that are in: a user, or a session by the beginning of its id. */
export function findSessions(
  sessions: readonly Session[],
  who: string,
): { readonly is: "user" } | { readonly is: "session"; readonly session: Session } | { readonly is: "none"; readonly why: string } {
  if (sessions.some(({ user }) => user === who)) return { is: "user" };
  const [session, ...others] = who.length < LEAST_ID ? [] : sessions.filter(({ id }) => id.startsWith(who));
  if (session === undefined) return { is: "none", why: `nobody is in as ${who}, and no session begins with it` };
  if (others.length > 0) return { is: "none", why: `${others.length + 1} sessions begin with ${who}: say more of the id` };
  return { is: "session", session };
}

/** Whether `who` names what was ended and is not on disk yet. */
export const isEnding = ({ ended, marks }: { readonly ended: readonly Ended[]; readonly marks: readonly Mark[] }, who: string): boolean =>
  marks.some(({ user }) => user === who) || ended.some(({ id, user }) => user === who || (who.length >= LEAST_ID && id.startsWith(who)));
