/**
 * How often somebody may be wrong. Many tries at once count too, and right ones do not: a room of 300 behind one address gets in, whoever
 * guesses does not. A wrong code is counted before it is answered. A right one must find room, in the step that begins its session. A
 * password is counted before it is looked at, because that costs, and taken back when it was right.
 */
import { networkKey } from "../../base/addresskey.ts";
import { minutes, ms, type Ms } from "../../base/units.ts";
import type { Deed, Spent } from "../../sheets/ledger.ts";
import { foldName } from "../../sheets/secrets.ts";
import { digest } from "../query/canonical.ts";

const MINUTE = minutes(1);
/** Of one name from one address; of one name from wherever; of one address, whatever the names. */
const MOST = { pair: 10, user: 20, address: 1_000 } as const;
/**
 * Wrong passwords of one address: each costs 0.25 s of CPU, so that one address can cost a machine at most 25 s a minute. Charged when the
 * scrypt begins, whatever the name, and taken back when the password was right.
 */
const MOST_SCRYPT = 100;
/** Right passwords of one user from wherever, which no limit of wrong ones counts. Wrong ones are taken back: only the user can use it up. */
const MOST_RIGHT = 100;
/** What the many /64s of one IPv6 /48 may do together, in parts of what one address may. */
const NETWORK = 8;
/** So many are answered at once; each further one of a minute waits twice as long as the one before. */
const FREE = 3;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 1_000;

/** A try that was let through. */
export interface Try {
  readonly deeds: readonly Deed[];
  /** What the answer to a wrong secret waits. */
  readonly delay: Ms;
  /** Set when others were wrong with this name too often: a wrong secret is told to come back then, a right one passes. */
  readonly over?: Ms;
}

type Over = Extract<Spent, { is: "over" }>;

export type Tried<T> = { readonly is: "let"; readonly attempt: Try; readonly done: T } | { readonly is: "over"; readonly retryAfter: Ms };

/**
 * @param act counts the deeds, or does something that needs room for them
 * @param from what the client is counted as; undefined: a proxy that does not say for whom it asks, so that only names are counted.
 * @throws when nobody can count now.
 */
export async function tryLogin<T extends { readonly is: string }>(
  act: (deeds: readonly Deed[]) => Promise<T | Over>,
  name: string,
  from: string | undefined,
): Promise<Tried<T>> {
  const user = userKey(name);
  const deed = (key: string, most: number): Deed => ({ key: `login:${key}`, most, per: MINUTE });
  const whole = deed(`user:${user}`, MOST.user);
  const place = placesOf(from, MOST.address).map(({ place, most }) => deed(`address:${place}`, most));
  const deeds = from === undefined ? [whole] : [deed(`pair:${user}:${from}`, MOST.pair), whole, ...place];
  const spent = await act(deeds);
  if (!isOver(spent)) return { is: "let", attempt: { deeds, delay: delayOf(spent, deeds) }, done: spent };
  if (spent.key !== whole.key || from === undefined) return { is: "over", retryAfter: spent.retryAfter };
  // Somebody elsewhere guesses at this name. Its owner, from an address that has not tried in this minute, gets in nevertheless.
  const once = [deed(`once:${user}:${from}`, 1), ...place];
  const again = await act(once);
  if (isOver(again)) return { is: "over", retryAfter: ms(Math.max(again.retryAfter, spent.retryAfter)) };
  return { is: "let", attempt: { deeds: once, delay: ms(LONGEST_DELAY), over: spent.retryAfter }, done: again };
}

const isOver = (done: { readonly is: string }): done is Over => done.is === "over";

/** A name may be long, or the secret in the wrong field. */
const userKey = (name: string): string => digest(foldName(name), 12);

/** An address, and the network around it. None for a proxy that does not say for whom it asks. */
function placesOf(from: string | undefined, most: number): readonly { readonly place: string; readonly most: number }[] {
  if (from === undefined) return [];
  const network = networkKey(from);
  return [{ place: from, most }, ...(network === undefined ? [] : [{ place: network, most: most * NETWORK }])];
}

/** What a password costs. */
export interface ScryptBudget {
  /** Its address: taken back when the password was right. */
  readonly address: readonly Deed[];
  /** Its user: taken back when the password was wrong. */
  readonly user: readonly Deed[];
}

export const scryptBudget = (name: string, from: string | undefined): ScryptBudget => ({
  address: placesOf(from, MOST_SCRYPT).map(({ place, most }) => ({ key: `login:scrypt:${place}`, most, per: MINUTE })),
  user: [{ key: `login:right:${userKey(name)}`, most: MOST_RIGHT, per: MINUTE }],
});

/** By how often it went wrong before, at the limit that is nearest. */
function delayOf(done: { readonly is: string; readonly key?: string; readonly left?: number }, deeds: readonly Deed[]): Ms {
  const { most = 0 } = deeds.find(({ key }) => key === done.key) ?? {};
  const wrong = most - 1 - (done.left ?? most);
  return ms(wrong < FREE ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (wrong - FREE)));
}
