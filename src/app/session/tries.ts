/**
 * How often somebody may be wrong. A try is counted before the secret is looked at, so that many at once count too, and taken back when
 * it was right: a room of 300 behind one address gets in, whoever guesses does not.
 */
import { minutes, ms, type Ms } from "../../base/units.ts";
import type { Deed, Ledger } from "../../sheets/ledger.ts";
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

export type Tried = { readonly is: "let"; readonly attempt: Try } | { readonly is: "over"; readonly retryAfter: Ms };

/**
 * @param from what the client is counted as; undefined: a proxy that does not say for whom it asks, so that only names are counted.
 * @throws when nobody can count now.
 */
export async function tryLogin(ledger: Ledger, name: string, from: string | undefined): Promise<Tried> {
  const user = digest(foldName(name), 12); // a name may be long, or the secret in the wrong field
  const deed = (key: string, most: number): Deed => ({ key: `login:${key}`, most, per: MINUTE });
  const whole = deed(`user:${user}`, MOST.user);
  const place = from === undefined ? [] : [deed(`address:${from}`, MOST.address)];
  const deeds = from === undefined ? [whole] : [deed(`pair:${user}:${from}`, MOST.pair), whole, ...place];
  const spent = await ledger.spend(deeds);
  if (spent.is === "ok") {
    const { most } = deeds.find(({ key }) => key === spent.key) ?? whole;
    return { is: "let", attempt: { deeds, delay: delayAfter(most - 1 - spent.left) } };
  }
  if (spent.key !== whole.key || from === undefined) return { is: "over", retryAfter: spent.retryAfter };
  // Somebody elsewhere guesses at this name. Its owner, from an address that has not tried in this minute, gets in nevertheless.
  const once = [deed(`once:${user}:${from}`, 1), ...place];
  const again = await ledger.spend(once);
  if (again.is === "over") return { is: "over", retryAfter: ms(Math.max(again.retryAfter, spent.retryAfter)) };
  return { is: "let", attempt: { deeds: once, delay: ms(LONGEST_DELAY), over: spent.retryAfter } };
}

/** The deeds that a password costs its address; none for a proxy that does not say for whom it asks. */
export const scryptBudget = (from: string | undefined): readonly Deed[] =>
  from === undefined ? [] : [{ key: `login:scrypt:${from}`, most: MOST_SCRYPT, per: MINUTE }];

/** @param wrong how often it went wrong before, by the limit that is nearest. */
function delayAfter(wrong: number): Ms {
  return ms(wrong < FREE ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (wrong - FREE)));
}
