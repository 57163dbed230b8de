/**
 * The listening sockets: bound once, held for the master's whole life, lent to workers as copies. A worker that is stuck or
 * killed takes nothing with it, and with no worker at all clients wait in the kernel's backlog instead of being refused.
 */
import dns from "node:dns/promises";
import net from "node:net";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { impossible } from "../../base/never.ts";
import { asRoot } from "../../base/owner.ts";
import type { Address } from "../../base/protocol.ts";
import { addressName, type BindAddress } from "../../settings/addresses.ts";
import { portHolder } from "./portholder.ts";
import { bindUnix } from "./unixlistener.ts";

/** A raw libuv handle (TCP or Pipe): what IPC copies into a worker. */
export type RawHandle = { readonly fd: number; getsockname?(out: object): number; close(): void };

export interface Listener {
  readonly address: Address;
  /** The port that was bound (the kernel's choice for port 0); undefined for a unix socket. */
  readonly port: number | undefined;
  /** http://127.0.0.1:8080 or unix:/path: what a person would type. */
  readonly url: string;
  /** Of a unix socket whose file was removed: another one, from then on. */
  readonly handle: RawHandle;
  /** Removes a unix socket's file, if it is still ours. */
  remove(): void;
  /** Binds a unix socket again when its file is missing. @returns the former handle, which the caller closes. Never throws. */
  check(): RawHandle | undefined;
}

/** Node's own way to make a handle from a descriptor; undocumented, hence the self-test at every start. */
const fromFd = (fd: number): RawHandle => {
  const make = (net as unknown as { _createServerHandle(a: null, b: null, c: null, fd: number): RawHandle | number })._createServerHandle;
  const made = make(null, null, null, fd);
  if (typeof made === "number")
    throw new DroverError("DROVER_E_RUNTIME", `descriptor ${fd} is no socket to listen on (libuv error ${made})`);
  return made;
};

/** Held so that the garbage collector never closes them: their descriptors are the handles'. */
const held: net.BoundSocket[] = [];

/** @throws Error with `code` when the kernel refuses. */
function bindPath(path: string): RawHandle {
  const before = process.umask(0o117); // 0660 from birth: a proxy gets in by its group
  try {
    const bound = new (net.BoundSocket as unknown as new (o: { path: string }) => net.BoundSocket)({ path });
    held.push(bound);
    return fromFd(bound.fd());
  } finally {
    process.umask(before);
  }
}

/** An address that needs no care while it is held. */
const FIXED = { remove: () => {}, check: () => undefined } as const;

/**
 * Binds one address, or adopts the descriptor it names.
 * @throws DroverError DROVER_E_PORT with who holds it and what to type, DROVER_E_SETTINGS for an address this machine lacks.
 */
export async function bindAddress(address: BindAddress, log: Logger): Promise<Listener> {
  const spec = addressName(address);
  switch (address.kind) {
    case "unix":
      return bindUnix(address.path, log, bindPath);
    case "fd":
      return adopt(address.fd, spec);
    case "tcp":
      return bindTcp(await numeric(address.host, spec), address.port, spec);
    default:
      return impossible(address);
  }
}

async function numeric(host: string, spec: string): Promise<string> {
  if (net.isIP(host) !== 0) return host;
  try {
    return (await dns.lookup(host, { verbatim: false })).address;
  } catch (error) {
    throw new DroverError(
      "DROVER_E_SETTINGS",
      `bind = ${spec}: the host name ${host} has no address (${messageOf(error)}); write the address itself`,
      { cause: error },
    );
  }
}

function bindTcp(host: string, port: number, spec: string): Listener {
  let bound: net.BoundSocket;
  try {
    bound = asRoot(() => new net.BoundSocket({ host, port })); // ports below 1024 are root's
  } catch (error) {
    throw refused(error, host, port, spec);
  }
  held.push(bound);
  const at = bound.address();
  const shown = at.family === "IPv6" ? `[${at.address}]` : at.address;
  const reach = at.address === "0.0.0.0" ? "127.0.0.1" : at.address === "::" ? "[::1]" : shown;
  return {
    address: { name: `${shown}:${at.port}`, kind: "tcp" },
    port: at.port,
    url: `http://${reach}:${at.port}`,
    handle: fromFd(bound.fd()),
    ...FIXED,
  };
}

function refused(error: unknown, host: string, port: number, spec: string): DroverError {
  const errno = errnoOf(error);
  if (errno === "EADDRINUSE") {
    const other = freePort(host);
    const hint =
      other === undefined ? "" : `, or use another port: npm start -- --bind ${host.includes(":") ? `[${host}]` : host}:${other}`;
    return new DroverError("DROVER_E_PORT", `${spec} is taken by ${portHolder(port) ?? "another process"}: stop it${hint}`, {
      cause: error,
    });
  }
  if (errno === "EACCES")
    return new DroverError(
      "DROVER_E_SETTINGS",
      `bind = ${spec}: this user may not use port ${port}; take one from 1024 up, or let systemd's drover.socket hold it`,
      { cause: error },
    );
  if (errno === "EADDRNOTAVAIL")
    return new DroverError("DROVER_E_SETTINGS", `bind = ${spec}: this machine has no address ${host} (see: ip addr)`, { cause: error });
  return new DroverError("DROVER_E_SETTINGS", `bind = ${spec}: ${messageOf(error)}`, { cause: error });
}

function freePort(host: string): number | undefined {
  try {
    using probe = new net.BoundSocket({ host, port: 0 });
    return probe.address().port;
  } catch {
    return undefined; // no port to suggest: the message stands without it
  }
}

/** A descriptor that was passed to us, by systemd's socket or by whoever started us. */
function adopt(fd: number, spec: string): Listener {
  const handle = fromFd(fd);
  const out: { address?: string; port?: number; family?: string } = {};
  handle.getsockname?.(out);
  if (out.address === undefined) return { address: { name: spec, kind: "unix" }, port: undefined, url: spec, handle, ...FIXED };
  const shown = out.family === "IPv6" ? `[${out.address}]` : out.address;
  return {
    address: { name: `${shown}:${out.port}`, kind: "tcp" },
    port: out.port,
    url: `http://${out.address === "0.0.0.0" ? "127.0.0.1" : shown}:${out.port}`,
    handle,
    ...FIXED,
  };
}
