import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { PassedSocket } from "./activation.ts";

/** A passed socket and where the kernel says it listens: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or `unix:@abstract`. */
export interface LocatedSocket extends PassedSocket {
  readonly address: string;
  readonly kind: "tcp" | "unix";
}

/** DROVER_BIND as the operator wrote it, and where it was found ("/etc/drover/drover.env:3", "environment", "flag --bind"). */
export interface WrittenBind {
  readonly addresses: readonly string[];
  readonly source: string;
}

/**
 * Asks /proc where passed sockets listen. A handle made from the descriptor would know too, but it would own it.
 * @throws DroverError DROVER_E_ACTIVATION when one is no listening stream socket.
 */
export function locateSockets(sockets: readonly PassedSocket[]): readonly LocatedSocket[] {
  return sockets.map((socket) => {
    const inode = inodeOf(socket.fd);
    const tcp = inode === undefined ? undefined : (tcpAddress(inode, "tcp") ?? tcpAddress(inode, "tcp6"));
    if (tcp !== undefined) return { ...socket, address: tcp, kind: "tcp" };
    const path = inode === undefined ? undefined : unixPath(inode);
    if (path !== undefined) return { ...socket, address: `unix:${path}`, kind: "unix" };
    throw new DroverError(
      "DROVER_E_ACTIVATION",
      `descriptor ${socket.fd} ("${socket.name}"), passed by systemd, is no listening TCP or unix stream socket: ` +
        `${socketUnit()} may have ListenStream= lines alone, with Accept=no`,
    );
  });
}

/**
 * The sockets that systemd holds decide where drover listens: a DROVER_BIND that somebody wrote must say the same.
 * @param written undefined when DROVER_BIND has its default.
 * @throws DroverError DROVER_E_ACTIVATION naming both places and both values.
 */
export function checkBind(passed: readonly LocatedSocket[], written: WrittenBind | undefined): void {
  if (passed.length === 0 || written === undefined) return;
  const wanted = new Set(written.addresses.map((address) => canonical(address, passed)));
  const given = new Set(passed.map((socket) => canonical(socket.address, passed)));
  if (wanted.size === given.size && [...wanted].every((address) => given.has(address))) return;
  throw new DroverError(
    "DROVER_E_ACTIVATION",
    `systemd passed ${passed.map((s) => s.address).join(", ")} (ListenStream= in ${socketUnit()}), ` +
      `but DROVER_BIND is ${written.addresses.join(", ")} (${written.source}): make the two equal, ` +
      `or remove DROVER_BIND, and what systemd passes is served`,
  );
}

/** One spelling for addresses that are the same to clients; `[::]` accepts IPv4 too (BindIPv6Only=default). */
function canonical(address: string, passed: readonly LocatedSocket[]): string {
  const fd = /^fd:\/\/(\d+)$/.exec(address)?.[1];
  const socket = fd === undefined ? undefined : passed.find((s) => s.fd === Number(fd));
  if (socket !== undefined) return canonical(socket.address, passed);
  const [, host, port] = /^(?:tcp:)?(.*?):?(\d+)$/.exec(address) ?? [];
  if (address.startsWith("unix:") || host === undefined || port === undefined) return address;
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (["", "*", "0.0.0.0", "::"].includes(name)) return `*:${port}`;
  if (name === "localhost") return `127.0.0.1:${port}`;
  return `${name.includes(":") ? ipv6(name) : name}:${port}`;
}

/** The shortest spelling of an IPv6 address, in brackets: the URL parser knows the rules. */
function ipv6(text: string): string {
  return URL.canParse(`http://[${text}]`) ? new URL(`http://[${text}]`).hostname : `[${text}]`;
}

function inodeOf(fd: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch (e) {
    throw new DroverError("DROVER_E_ACTIVATION", `descriptor ${fd}, which LISTEN_FDS promises, is not open: ${messageOf(e)}`, { cause: e });
  }
}

/** proc_net_tcp(5): `sl local_address rem_address st … inode`; the address is hexadecimal, in 32-bit words of this machine's order. */
function tcpAddress(inode: string, table: "tcp" | "tcp6"): string | undefined {
  const LISTEN = "0A";
  const fields = tableOf(table).find((f) => f[9] === inode && f[3] === LISTEN);
  const [host, port] = fields?.[1]?.split(":") ?? [];
  if (host === undefined || port === undefined) return undefined;
  const octets = Buffer.from(host, "hex");
  for (const word of octets.length > 0 ? [...Array(octets.length / 4).keys()] : []) octets.subarray(word * 4, word * 4 + 4).reverse();
  const text = table === "tcp" ? octets.join(".") : ipv6(octets.toString("hex").match(/.{4}/g)?.join(":") ?? "");
  return `${text}:${Number.parseInt(port, 16)}`;
}

/** proc_net_unix: `Num RefCount Protocol Flags Type St Inode Path`; bit 16 of the flags is SO_ACCEPTCON. */
function unixPath(inode: string): string | undefined {
  const fields = tableOf("unix").find((f) => f[6] === inode && f[4] === "0001" && (Number.parseInt(f[3] ?? "0", 16) & 0x10000) !== 0);
  return fields?.slice(7).join(" ");
}

function tableOf(name: "tcp" | "tcp6" | "unix"): readonly string[][] {
  const path = `/proc/self/net/${name}`;
  if (!existsSync(path)) return []; // tcp6: IPv6 is off
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

const UNIT_PATHS = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];

/** The file of the socket unit that belongs to this service, as well as one can tell from inside it. */
function socketUnit(): string {
  const cgroup = existsSync("/proc/self/cgroup") ? readFileSync("/proc/self/cgroup", "utf8") : "";
  const name = `${/([^/\n]+)\.service$/m.exec(cgroup)?.[1] ?? "drover"}.socket`;
  return UNIT_PATHS.map((dir) => `${dir}/${name}`).find((path) => existsSync(path)) ?? name;
}
