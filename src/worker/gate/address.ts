import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";
import type { Network } from "../../settings/addresses.ts";
import { isEncrypted, peerOf, UNIX_PEER } from "../peer.ts";
import { hopsOfForwarded, hopsOfXff, plain, protoOfForwarded } from "./forwarded.ts";
import type { Stage } from "./stage.ts";

/** Whose word on the client's address counts. */
export interface Trust {
  /** @param ip as node:net spells it; what is no address is in no network. */
  trusts(ip: string): boolean;
  /** Other proxies from now on. */
  retune(proxies: readonly Network[]): void;
  /** The address of whoever sent this request, as far as it can be known. */
  addressOf(req: IncomingMessage): string;
  /** Whether they speak HTTPS: by the word of the trusted proxy that is the peer; where there is none, with us. */
  isSecure(req: IncomingMessage): boolean;
  /** The same; undefined: it is a proxy's own, which does not say for whom it asks. */
  countable(req: IncomingMessage): string | undefined;
}

/** An address, and whose it is: a client's; a proxy's that names nobody but proxies; a proxy's that names its client in no believable way. */
interface Found {
  readonly address: string;
  readonly is: "client" | "silent" | "doubtful";
}

/**
 * The client's address, from the peer and from what trusted proxies say: X-Forwarded-For or Forwarded, from the right, the first
 * address that is not itself a trusted proxy. What stands further left anybody may have written. A proxy maintains one of the
 * two headers and passes the other on as the client sent it; so if both are there and disagree, neither is believed.
 */
export function createTrust(proxies: readonly Network[]): Trust {
  let list = listOf(proxies);
  let anybody = proxies.length > 0;
  const trusts = (ip: string): boolean => {
    const name = plain(ip);
    return anybody && isIP(name) !== 0 && list.check(name, isIPv6(name) ? "ipv6" : "ipv4");
  };
  /** @returns undefined when the chain names nobody: a hop that is no address comes before any that is. */
  const rightmost = (hops: readonly (string | undefined)[]): string | undefined => {
    let last: string | undefined;
    for (const hop of hops.toReversed()) {
      if (hop === undefined) return last;
      last = hop;
      if (!trusts(hop)) return hop;
    }
    return last;
  };
  // A unix socket's peer passed the socket's file permissions: with trusted proxies at all, it is one of them.
  const isProxy = (peer: string): boolean => (peer === UNIX_PEER ? anybody : trusts(peer));
  const find = (req: IncomingMessage): Found => {
    const peer = plain(peerOf(req.socket));
    if (!isProxy(peer)) return { address: peer, is: "client" };
    const xff = req.headers["x-forwarded-for"];
    const { forwarded } = req.headers;
    if (xff === undefined && forwarded === undefined) return { address: peer, is: "silent" };
    const byXff = xff === undefined ? undefined : rightmost(hopsOfXff(String(xff)));
    const byForwarded = forwarded === undefined ? undefined : rightmost(hopsOfForwarded(forwarded));
    const disagree = xff !== undefined && forwarded !== undefined && byXff !== byForwarded;
    const named = disagree ? undefined : (byXff ?? byForwarded);
    if (named === undefined) return { address: peer, is: "doubtful" };
    return { address: named, is: trusts(named) && !isLoopback(named) ? "silent" : "client" };
  };
  return {
    trusts,
    addressOf: (req) => find(req).address,
    countable(req) {
      const { address, is } = find(req);
      if (is !== "silent") return address; // doubtful ones are counted together: else a header more would be a way around
      // Who asks from this machine without a trace of a proxy sits at it.
      return (address === UNIX_PEER || isLoopback(address)) && !forwards(req) ? address : undefined;
    },
    isSecure(req) {
      const { "x-forwarded-proto": proto, forwarded } = req.headers;
      if (proto === undefined && forwarded === undefined) return isEncrypted(req.socket);
      const trusted = isProxy(plain(peerOf(req.socket)));
      const said = proto === undefined ? protoOfForwarded(forwarded ?? "") : String(proto).split(",").at(-1);
      return trusted && said !== undefined ? said.trim().toLowerCase() === "https" : isEncrypted(req.socket);
    },
    retune(next) {
      list = listOf(next);
      anybody = next.length > 0;
    },
  };
}

const isLoopback = (ip: string): boolean => ip === "::1" || ip.startsWith("127.");
const LOCAL_NAME = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const OF_PROXIES = ["x-forwarded-proto", "x-forwarded-host", "x-real-ip", "via"] as const;

/** Whether something in a request from this machine shows that it was passed on: a proxy's header or version, or a name of the outside. */
function forwards({ headers, httpVersion }: IncomingMessage): boolean {
  if (httpVersion === "1.0" || OF_PROXIES.some((name) => headers[name] !== undefined)) return true;
  const origin = headers.origin?.replace(/^https?:\/\//i, "");
  return [headers.host, origin === "null" ? undefined : origin].some((name) => name !== undefined && !LOCAL_NAME.test(name));
}

function listOf(proxies: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix, family } of proxies) list.addSubnet(address, prefix, family);
  return list;
}

/** Gives every request its client's address; worked out only when a later stage, the log or the application asks. */
export function addressStage(trust: Trust): Stage {
  return {
    name: "address",
    covers: "application",
    admit(exchange) {
      exchange.whose = (req) => trust.addressOf(req);
      return undefined;
    },
  };
}
