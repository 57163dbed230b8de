/** One address has several spellings: which of them are the same, and which socket hears them. */
import { isIP } from "node:net";

/** Without brackets; an IPv4 address that IPv6 carries is itself (RFC 4291, 2.5.5.2): URLs make `::ffff:7f00:1` of `::ffff:127.0.0.1`. */
export function plainAddress(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 6) return bare;
  const short = URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1) ?? bare; // one with a zone is no URL's
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  return [high, low]
    .map((word) => Number.parseInt(word, 16))
    .flatMap((word) => [word >> 8, word & 0xff])
    .join(".");
}

/**
 * The loopback address that the n-th simulated user asks from: Linux has all of 127.0.0.0/8, so that limits of single addresses see as many
 * clients as there are users. 127.0.0.0/16 stays free for others.
 */
export const spreadAddress = (n: number): string => `127.${1 + ((n >> 16) & 127)}.${(n >> 8) & 255}.${n & 255}`;

/** Whether a socket that listens at `bound` hears who asks for `address`: one at `::` hears IPv4 too (ipv6(7), IPV6_V6ONLY). */
export function hears(bound: string, address: string): boolean {
  const [at, to] = [plainAddress(bound), plainAddress(address)];
  return at === to || at === "::" || (at === "0.0.0.0" && isIP(to) === 4);
}
