/** Lists of addresses to listen on, and of networks. */
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { resolve } from "node:path";
import { impossible } from "../base/never.ts";
import { expected, parsed, type Codec, type Parsed } from "./setting.ts";

/** Where to listen. Port 0: the kernel picks one. */
export type BindAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "fd"; readonly fd: number };

/** A network as net.BlockList.addSubnet takes it. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

/** `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/x.sock` or `fd://3`. */
export function addressName(address: BindAddress): string {
  switch (address.kind) {
    case "tcp":
      return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
    case "unix":
      return `unix:${address.path}`;
    case "fd":
      return `fd://${address.fd}`;
    default:
      return impossible(address);
  }
}

const FORMS = "HOST:PORT, [IPv6]:PORT, :PORT, unix:PATH or fd://N";
const LIST = `addresses separated by commas, each ${FORMS}`;

const items = (text: string): string[] => text.split(",").map((item) => item.trim());

function port(digits: string): number | undefined {
  const value = /^(?:0|[1-9]\d{0,4})$/.test(digits) ? Number(digits) : Number.NaN;
  return value <= 65_535 ? value : undefined;
}

/** A name or an IPv4 address; what looks like an IPv4 address must be one. */
const isHost = (host: string): boolean =>
  isIPv4(host) || (host.length <= 253 && /^(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*$/.test(host) && !/^[\d.]+$/.test(host));

function tcp(text: string): Parsed<BindAddress> {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text) ?? [];
  if (bracketed === undefined && plain === undefined) {
    if (/^\d+$/.test(text)) return expected(`${FORMS}: write :${text} for port ${text} on every address`);
    return expected(isIPv6(text) ? `${FORMS}: an IPv6 address stands in brackets` : FORMS);
  }
  const number = port(digits);
  if (number === undefined) return expected("a port from 0 to 65535");
  const host = bracketed ?? (plain === "" ? "0.0.0.0" : plain);
  if (bracketed === undefined ? !isHost(host ?? "") : !isIPv6(bracketed)) return expected(`${FORMS} with a host name or IP address`);
  return parsed({ kind: "tcp", host: host ?? "", port: number });
}

function address(text: string, cwd: string): Parsed<BindAddress> {
  if (text.startsWith("fd:")) {
    const [, digits] = /^fd:\/\/(\d{1,6})$/.exec(text) ?? [];
    return digits !== undefined && Number(digits) >= 3 ? parsed({ kind: "fd", fd: Number(digits) }) : expected("fd://N with N from 3");
  }
  if (!text.startsWith("unix:")) return tcp(text);
  const path = text.replace(/^unix:(?:\/\/(?=\/))?/, "");
  if (path === "" || path.startsWith("@") || path.includes("\0")) return expected("unix:PATH with the path of a socket file");
  return parsed({ kind: "unix", path: resolve(cwd, path) });
}

/** Addresses to listen on: at least one, none twice, and descriptors not mixed with addresses that are bound here. */
export const addresses: Codec<readonly BindAddress[]> = {
  looksLike: LIST,
  repeats: true,
  format: (value) => value.map(addressName).join(","),
  parse(text, cwd) {
    const found: BindAddress[] = [];
    for (const item of items(text)) {
      const one = address(item, cwd);
      if (!one.ok) return items(text).length === 1 ? one : expected(`${one.problem} (entry ${JSON.stringify(item)})`);
      found.push(one.value);
    }
    const names = found.filter((a) => a.kind !== "tcp" || a.port !== 0).map(addressName);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) return expected(`each address once (${twice} is there twice)`);
    const fds = found.filter((a) => a.kind === "fd").length;
    if (fds > 0 && fds < found.length) return expected("either fd://N entries alone or none: inherited sockets and bound ones don't mix");
    return parsed(found);
  },
};

/** As net.isIPv6, whose expression takes 5 ms to compile: this stands in the way of every start. */
function isInet6(address: string): boolean {
  try {
    return address.includes(":") && new SocketAddress({ address, family: "ipv6" }).family === "ipv6";
  } catch {
    return false;
  }
}

function network(text: string): Parsed<Network> {
  const [address = "", digits, ...rest] = text.split("/");
  const family = isIPv4(address) ? 4 : isInet6(address) ? 6 : 0;
  const most = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? most : /^(?:0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : Number.NaN;
  if (family === 0 || rest.length > 0 || address.includes("%") || !(prefix <= most))
    return expected("networks such as 10.0.0.0/8, ::1 or 192.168.1.7, separated by commas");
  return parsed({ address, prefix, family: family === 4 ? "ipv4" : "ipv6" });
}

/** Networks in CIDR notation; a bare address is a network of one. The empty text is the empty list. */
export const networks: Codec<readonly Network[]> = {
  looksLike: "networks such as 10.0.0.0/8 or ::1, separated by commas, or empty",
  repeats: true,
  format: (value) => value.map((n) => `${n.address}/${n.prefix}`).join(","),
  parse(text) {
    if (text.trim() === "") return parsed([]);
    const found: Network[] = [];
    for (const item of items(text)) {
      const one = network(item);
      if (!one.ok) return one;
      found.push(one.value);
    }
    return parsed(found);
  },
};
