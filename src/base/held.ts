/**
 * Accepting from a listening socket that the master holds. A worker gets the socket as a raw handle and accepts from the
 * one kernel queue; it may stop accepting and start again without the application noticing: pause() gives the socket up, hold()
 * looks away from it for a moment.
 *
 * node:net has no public way for this below `listen`, which node:cluster answers in the primary (and, for a unix path, with
 * EEXIST). Five private parts of Node are used, here and nowhere else, and selfTestHandles() (heldtest.ts) proves them at start:
 *   server._handle, server._listen2()      what `listen` itself ends in (lib/net.js, setupListenHandle)
 *   handle.onconnection, handle[owner]     copied to further handles, so that one server accepts from several sockets
 *   handle.readStart(), readStop()         the second takes even a listening socket off the loop's watch; listen() puts it back
 *   server._pipeName                       what address() answers for a unix socket
 *   net._createServerHandle()              makes a raw handle (lib/internal/cluster uses it for the same end)
 */
import net, { type AddressInfo, type Server } from "node:net";
import { getSystemErrorName } from "node:util";
import { DroverError } from "./errors.ts";

/** A bound socket below net.Server: libuv's TCP or Pipe, as node:cluster and child_process deliver it. */
export interface RawHandle {
  /** @returns 0, or a negative errno. */
  listen(backlog: number): number;
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  /** @returns 0, or a negative errno. */
  readStart?(): number;
  readStop?(): number;
  /** Takes a descriptor as a stream, its own too. @returns 0, or a negative errno. */
  open?(fd: number): number;
  readonly fd?: number;
  /** TCP only. Fills `out`. @returns 0, or a negative errno. */
  getsockname?(out: object): number;
  onconnection?: unknown;
}

interface Internals {
  _handle: RawHandle | StandIn | null;
  _pipeName?: string;
  _listen2(address: null, port: -1, type: -1, backlog: number): void;
}

/** What the server has in place of its handle from then on: closing it closes every socket it accepts from. */
interface StandIn {
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  getsockname?(out: object): number;
}

interface Held {
  accepting: RawHandle[];
  readonly onconnection: unknown;
  readonly owner: symbol;
  readonly standIn: StandIn;
  closed: boolean;
}

const heldBy = new WeakMap<Server, Held>();

/** Tells a raw handle from whatever else may come with an IPC message. */
export function isRawHandle(thing: unknown): thing is RawHandle {
  const handle = thing as Partial<RawHandle> | null | undefined;
  return typeof handle === "object" && typeof handle?.listen === "function" && typeof handle.close === "function";
}

/**
 * Makes `server` accept from `handle` too. With the first one the server starts to listen ("listening" follows); further
 * ones are other addresses, or the same address again after pause().
 * @param path the unix socket's path, for server.address(); undefined for TCP.
 * @throws DroverError DROVER_E_RUNTIME when this Node.js lacks the private parts, Error with `code` when the kernel refuses to listen.
 */
export function attachHandle(server: Server, handle: RawHandle, backlog: number, path?: string): void {
  const held = heldBy.get(server);
  if (held === undefined) attachFirst(server, handle, backlog, path);
  else if (held.closed) handle.close();
  else attachFurther(held, server, handle, backlog);
}

function attachFirst(server: Server, handle: RawHandle, backlog: number, path: string | undefined): void {
  const internals = server as unknown as Internals;
  if (typeof internals._listen2 !== "function") throw lacking("net.Server._listen2");
  listenOn(handle, backlog); // an error is told here, by throwing; _listen2 would emit it later
  if (path !== undefined) internals._pipeName = path;
  internals._handle = handle;
  internals._listen2(null, -1, -1, backlog);
  const owner = Object.getOwnPropertySymbols(handle).find((key) => (handle as unknown as Record<symbol, unknown>)[key] === server);
  if (owner === undefined || typeof handle.onconnection !== "function") throw lacking("a handle's owner and onconnection");
  const held: Held = { accepting: [handle], onconnection: handle.onconnection, owner, standIn: standIn(server, handle), closed: false };
  heldBy.set(server, held);
  internals._handle = held.standIn;
}

function attachFurther(held: Held, server: Server, handle: RawHandle, backlog: number): void {
  handle.onconnection = held.onconnection;
  (handle as unknown as Record<symbol, unknown>)[held.owner] = server;
  listenOn(handle, backlog);
  held.accepting.push(handle);
}

function listenOn(handle: RawHandle, backlog: number): void {
  const code = handle.listen(backlog);
  if (code >= 0) return;
  handle.close();
  throw refused("listening", code);
}

/** A system error with its `code` and `errno`. */
function refused(what: string, errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${what} was refused: ${code}`), { code, errno });
}

function standIn(server: Server, first: RawHandle): StandIn {
  const name: Partial<AddressInfo> = {};
  const known = first.getsockname?.(name) === 0;
  return {
    close(callback) {
      const held = heldBy.get(server);
      pause(server);
      if (held !== undefined) held.closed = true;
      if (callback !== undefined) process.nextTick(callback);
    },
    ref: () => heldBy.get(server)?.accepting.forEach((handle) => handle.ref()),
    unref: () => heldBy.get(server)?.accepting.forEach((handle) => handle.unref()),
    hasRef: () => heldBy.get(server)?.accepting.some((handle) => handle.hasRef()) ?? false,
    ...(known ? { getsockname: (out: object) => (Object.assign(out, name), 0) } : {}),
  };
}

/** Stops accepting. Connections go on, address() answers as before, and no `close` is emitted. @returns how many handles were closed. */
export function pause(server: Server): number {
  const held = heldBy.get(server);
  if (held === undefined) return 0;
  const { accepting } = held;
  held.accepting = [];
  for (const handle of accepting) handle.close();
  return accepting.length;
}

/** Stops accepting from one of several handles, and closes it. */
export function detach(server: Server, handle: RawHandle): void {
  const held = heldBy.get(server);
  if (held?.accepting.includes(handle) !== true) return;
  held.accepting = held.accepting.filter((other) => other !== handle);
  handle.close();
}

/**
 * Looks away from the sockets until release(): a connection that comes meanwhile is left to the processes that share the queue. Cheap
 * enough for every accept (no handle is used up), where pause() is for good.
 * @returns false when that can't be done with these sockets: release() them then.
 */
export function hold(server: Server): boolean {
  const accepting = heldBy.get(server)?.accepting ?? [];
  return accepting.every(holdHandle);
}

/** The same with one socket, until its next listen(). */
export const holdHandle = (handle: RawHandle): boolean => handle.readStart?.() === 0 && handle.readStop?.() === 0;

/** Accepts again after hold(); without one it changes nothing. */
export function release(server: Server, backlog: number): void {
  for (const handle of heldBy.get(server)?.accepting ?? []) handle.listen(backlog);
}

/**
 * Has the kernel queue connections to a socket that nobody accepts from yet: who connects waits for the first child instead of being
 * refused. This process never accepts.
 * @returns false when this handle can't be listened on without accepting: nothing has changed then.
 */
export function queueOnly(handle: unknown, backlog: number): boolean {
  if (!isRawHandle(handle) || handle.readStart?.() !== 0 || handle.readStop?.() !== 0) return false;
  handle.onconnection = () => {};
  return handle.listen(backlog) === 0 && handle.readStart() === 0 && handle.readStop() === 0;
}

/** `host` null: every address, IPv6 and IPv4. */
interface HostAndPort {
  readonly host: string | null;
  readonly port: number;
  readonly ipv6Only?: boolean;
}

/** UV_TCP_IPV6ONLY (uv.h). */
const IPV6_ONLY = 1;

/**
 * A new raw handle: bound to an address, or made of an inherited descriptor.
 * @throws Error with `code` and `errno` when the system refuses; DroverError DROVER_E_RUNTIME when this Node.js lacks the function.
 */
export function rawHandle(from: HostAndPort | { path: string } | { fd: number }): RawHandle {
  type Create = (address: string | null, port: number, type: number | null, fd: number | undefined, flags: number) => unknown;
  const create = (net as unknown as { _createServerHandle?: Create })._createServerHandle;
  if (typeof create !== "function") throw lacking("net._createServerHandle");
  const made =
    "fd" in from
      ? create(null, -1, null, from.fd, 0)
      : "path" in from
        ? create(from.path, -1, -1, undefined, 0)
        : create(
            from.host,
            from.port,
            from.host !== null && net.isIPv6(from.host) ? 6 : 4,
            undefined,
            from.ipv6Only === true ? IPV6_ONLY : 0,
          );
  if (typeof made === "number") throw refused("binding", made);
  if (!isRawHandle(made)) throw lacking("net._createServerHandle's result");
  // libuv knows what came over IPC, or was opened by its descriptor, as a stream; what was bound here it must be told, for hold().
  if ("host" in from && made.fd !== undefined) made.open?.(made.fd);
  return made;
}

function lacking(what: string): DroverError {
  return new DroverError("DROVER_E_RUNTIME", `Node.js ${process.version} has no ${what}: run drover with Node.js 26.4 to 26.x`);
}
