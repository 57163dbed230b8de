import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";
import type { Network } from "../../settings/addresses.ts";
import { peerOf, UNIX_PEER } from "../peer.ts";
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
  /** Whether they speak HTTPS, by the word of the trusted proxy that is the peer. */
  isSecure(req: IncomingMessage): boolean;
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
  /** @returns the peer when the chain names nobody: every hop a proxy, or one that is no address. */
  const rightmost = (hops: readonly (string | undefined)[], peer: string): string => {
    let last = peer;
    for (const hop of hops.toReversed()) {
      if (hop === undefined) return last;
      last = hop;
      if (!trusts(hop)) return hop;
    }
    return last;
  };
  // A unix socket's peer passed the socket's file permissions: with trusted proxies at all, it is one of them.
  const isProxy = (peer: string): boolean => (peer === UNIX_PEER ? anybody : trusts(peer));
  return {
    trusts,
    isSecure(req) {
      const { "x-forwarded-proto": proto, forwarded } = req.headers;
      if (proto === undefined && forwarded === undefined) return false;
      if (!isProxy(plain(peerOf(req.socket)))) return false;
      const said = proto === undefined ? protoOfForwarded(forwarded ?? "") : String(proto).split(",").at(-1);
      return said?.trim().toLowerCase() === "https";
    },
    retune(next) {
      list = listOf(next);
      anybody = next.length > 0;
    },
    addressOf(req) {
      const peer = plain(peerOf(req.socket));
      if (!isProxy(peer)) return peer;
      const xff = req.headers["x-forwarded-for"];
      const { forwarded } = req.headers;
      const byXff = xff === undefined ? undefined : rightmost(hopsOfXff(String(xff)), peer);
      const byForwarded = forwarded === undefined ? undefined : rightmost(hopsOfForwarded(forwarded), peer);
      if (byXff !== undefined && byForwarded !== undefined) return byXff === byForwarded ? byXff : peer;
      return byXff ?? byForwarded ?? peer;
    },
  };
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
