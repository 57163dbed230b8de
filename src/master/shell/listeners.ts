/**
 * The listening sockets: bound once, held for the master's whole life, lent to workers as copies. A worker that is stuck or
 * killed takes nothing with it, and with no worker at all clients wait in the kernel's backlog instead of being refused.
 */
import dns from "node:dns/promises";
import { existsSync, lstatSync, unlinkSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { impossible } from "../../base/never.ts";
import type { Address } from "../../base/protocol.ts";
import { addressName, type BindAddress } from "../../settings/addresses.ts";
import { portHolder } from "./portholder.ts";
import { fits, privateDirectory, socketDirectory } from "./shortpath.ts";

/** A raw libuv handle (TCP or Pipe): what IPC copies into a worker. */
export type RawHandle = { readonly fd: number; getsockname?(out: object): number };

export interface Listener {
  readonly address: Address;
  /** The port that was bound (the kernel's choice for port 0); undefined for a unix socket. */
  readonly port: number | undefined;
  /** http://127.0.0.1:8080 or unix:/path: what a person would type. */
  readonly url: string;
  readonly handle: RawHandle;
  /** Removes a unix socket's file, if it is still ours. */
  remove(): void;
}

/** Node's own way to make a handle from a descriptor; undocumented, hence the self-test at every start. */
const fromFd = (fd: number): RawHandle => {
  const make = (net as unknown as { _createServerHandle(a: null, b: null, c: null, fd: number): RawHandle | number })._createServerHandle;
  const made = make(null, null, null, fd);
  if (typeof made === "number")
    throw new DroverError("DROVER_E_RUNTIME", `descriptor ${fd} is no socket to listen on (libuv error ${made})`);
  return made;
};

/** Held so that the garbage collector never closes them. */
const held: net.BoundSocket[] = [];

/**
 * Binds one address, or adopts the descriptor it names.
 * @throws DroverError DROVER_E_PORT with who holds it and what to type, DROVER_E_SETTINGS for an address this machine lacks.
 */
export async function bindAddress(address: BindAddress, log: Logger): Promise<Listener> {
  const spec = addressName(address);
  switch (address.kind) {
    case "unix":
      return bindUnix(address.path, log);
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
    bound = new net.BoundSocket({ host, port });
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
    remove: () => {},
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

async function bindUnix(path: string, log: Logger): Promise<Listener> {
  const real = fits(path) ? path : join(socketDirectory(dirname(path)), "http.sock");
  if (real !== path) {
    privateDirectory(dirname(real));
    log.warn({ wanted: path, used: real }, `unix:${path} is over 107 bytes, which no socket's path may be: listening on ${real} instead`);
  }
  await clearStale(real);
  const before = process.umask(0o117); // 0660 from birth: a proxy gets in by its group
  let bound: net.BoundSocket;
  try {
    bound = new (net.BoundSocket as unknown as new (o: { path: string }) => net.BoundSocket)({ path: real });
  } catch (error) {
    const why = existsSync(dirname(real)) ? messageOf(error) : `there is no folder ${dirname(real)}`; // libuv makes ENOENT an EACCES
    throw new DroverError("DROVER_E_SETTINGS", `bind = unix:${real}: ${why}`, { cause: error });
  } finally {
    process.umask(before);
  }
  held.push(bound);
  const inode = lstatSync(real).ino;
  return {
    address: { name: `unix:${real}`, kind: "unix" },
    port: undefined,
    url: `unix:${real}`,
    handle: fromFd(bound.fd()),
    remove: () => removeSocket(real, inode),
  };
}

function removeSocket(path: string, inode: number): void {
  try {
    if (lstatSync(path).ino === inode) unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** Removes a socket file nobody listens on any more. @throws DroverError when somebody does, or when it is no socket. */
export async function clearStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new DroverError("DROVER_E_SETTINGS", `${path} is in the way: it is no socket, so it is not removed`);
  if (await answers(path)) throw new DroverError("DROVER_E_PORT", `another process listens on ${path}: stop it, or choose another path`);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Anything else (EAGAIN: a full backlog; EMFILE: none of ours is free) does not say that it is dead.
    probe.once("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(errnoOf(error) ?? "")));
  });
}

/** A descriptor that was passed to us, by systemd's socket or by whoever started us. */
function adopt(fd: number, spec: string): Listener {
  const handle = fromFd(fd);
  const out: { address?: string; port?: number; family?: string } = {};
  handle.getsockname?.(out);
  if (out.address === undefined) return { address: { name: spec, kind: "unix" }, port: undefined, url: spec, handle, remove: () => {} };
  const shown = out.family === "IPv6" ? `[${out.address}]` : out.address;
  return {
    address: { name: `${shown}:${out.port}`, kind: "tcp" },
    port: out.port,
    url: `http://${out.address === "0.0.0.0" ? "127.0.0.1" : shown}:${out.port}`,
    handle,
    remove: () => {},
  };
}
