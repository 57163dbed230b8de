import { isIP } from "node:net";

/** More hops than any honest chain has: what is further left is not looked at. */
const MAX_HOPS = 32;

/**
 * The hops of an X-Forwarded-For value, nearest proxy last.
 * @returns one entry a hop; undefined where it is no address.
 */
export function hopsOfXff(value: string): (string | undefined)[] {
  return value
    .split(",")
    .slice(-MAX_HOPS)
    .map((hop) => address(hop.trim()));
}

/** The `for=` hops of a Forwarded value (RFC 7239 §4), nearest proxy last; an obfuscated or unknown one is undefined. */
export function hopsOfForwarded(value: string): (string | undefined)[] {
  return splitOutsideQuotes(value, ",")
    .slice(-MAX_HOPS)
    .map((element) => {
      const pair = splitOutsideQuotes(element, ";").find((part) => /^\s*for\s*=/i.test(part));
      return pair === undefined ? undefined : address(unquote(pair.slice(pair.indexOf("=") + 1).trim()));
    });
}

/** @returns what the nearest proxy says of the protocol that it was asked in (RFC 7239 §5.4). */
export function protoOfForwarded(value: string): string | undefined {
  const element = splitOutsideQuotes(value, ",").at(-1) ?? "";
  const pair = splitOutsideQuotes(element, ";").find((part) => /^\s*proto\s*=/i.test(part));
  return pair === undefined ? undefined : unquote(pair.slice(pair.indexOf("=") + 1).trim());
}

/** `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]:567` → the address alone, an IPv4 in IPv6 as IPv4. */
export function address(text: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 || bare.includes("%") ? undefined : plain(bare);
}

/** ::ffff:1.2.3.4 is 1.2.3.4 (RFC 4291 §2.5.5.2): one client has one name. */
export function plain(ip: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip) ?? [];
  return mapped ?? ip.toLowerCase();
}

function splitOutsideQuotes(text: string, separator: "," | ";"): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted && char === "\\") at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).replaceAll(/\\(.)/g, "$1") : text;
}
