import { isIPv6 } from "node:net";

/** What one client's address counts as: an IPv4 by itself, an IPv6 with its /64, which is what one subscriber has. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::", 2);
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0"), ...right];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}

/** The /48 around an IPv6's /64, which is what one site has; undefined: an IPv4. */
export function networkKey(key: string): string | undefined {
  if (!key.endsWith("::/64")) return undefined;
  return `${key.split(":").slice(0, 3).join(":")}::/48`;
}
