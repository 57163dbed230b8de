/**
 * How often somebody may be wrong. A try is counted before the secret is looked at, so that many at once count too, and taken back when
 * it was right: a room of 300 behind one address gets in, whoever guesses does not.
 */
import { isIPv6 } from "node:net";
import { minutes, ms, type Ms } from "../../base/units.ts";
import type { Deed, Ledger } from "../../sheets/ledger.ts";
import { foldName } from "../../sheets/secrets.ts";
import { digest } from "../query/canonical.ts";

const MINUTE = minutes(1);
/** Of one name from one address; of one name from wherever; of one address, whatever the names. */
const MOST = { pair: 10, user: 20, address: 1_000 } as const;
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

/** @param address as `Clients.addressOf` gives it. @throws when nobody can count now. */
export async function tryLogin(ledger: Ledger, name: string, address: string): Promise<Tried> {
  const user = digest(foldName(name), 12); // a name may be long, or the secret in the wrong field
  const from = network(address);
  const deed = (key: string, most: number): Deed => ({ key: `login:${key}`, most, per: MINUTE });
  const [pair, whole, place] = [
    deed(`pair:${user}:${from}`, MOST.pair),
    deed(`user:${user}`, MOST.user),
    deed(`address:${from}`, MOST.address),
  ];
  const deeds = [pair, whole, place];
  const spent = await ledger.spend(deeds);
  if (spent.is === "ok") return { is: "let", attempt: { deeds, delay: delayAfter(MOST.pair - 1 - Math.min(spent.left, MOST.pair - 1)) } };
  if (spent.key !== whole.key) return { is: "over", retryAfter: spent.retryAfter };
  // Somebody elsewhere guesses at this name. Its owner, from an address that has not tried in this minute, gets in nevertheless.
  const once = [deed(`once:${user}:${from}`, 1), place];
  const again = await ledger.spend(once);
  if (again.is === "over") return { is: "over", retryAfter: ms(Math.max(again.retryAfter, spent.retryAfter)) };
  return { is: "let", attempt: { deeds: once, delay: ms(LONGEST_DELAY), over: spent.retryAfter } };
}

/** @param wrong how often it went wrong before. */
function delayAfter(wrong: number): Ms {
  return ms(wrong < FREE ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (wrong - FREE)));
}

/** Who has one IPv6 address has 2^64 of them (RFC 6177): the network counts. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::", 2);
  const parts = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? 0 : tail.split(":").length;
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - parts.length - behind);
  const full = [...parts, ...Array.from({ length: zeros }, () => "0"), ...(tail ?? "").split(":")];
  return `${full.slice(0, 4).join(":")}::/64`;
}
