/**
 * The listening sockets of servers that an application opens besides its first one. As with the daemon's own addresses, the master binds
 * each once and keeps it, and workers accept from copies: a worker that is stuck or killed takes no waiting client with it.
 *
 * A socket is closed when its last user closes it, and after a roll when no worker of the new generation has asked for it. The death of a
 * worker closes nothing: clients wait in the kernel's queue for its replacement.
 */
import { lstatSync } from "node:fs";
import net from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { messageOf } from "../../base/errors.ts";
import { rawHandle, type RawHandle } from "../../base/held.ts";
import type { Logger } from "../../base/log.ts";
import type { SocketAddress, ToChild } from "../../base/protocol.ts";
import type { Master } from "../core/model.ts";
import type { Child } from "./children.ts";

export interface FurtherSockets {
  /** Answers `bind`: a copy of the socket, or the error. */
  lend(child: Child, id: number, address: SocketAddress): void;
  /** Answers `unbind`: the worker's server has been closed. */
  returned(child: Child, address: SocketAddress): void;
  /** A worker has ended. */
  left(child: Child): void;
  /** Closes what only older generations used, once a roll is over. */
  settle(state: Master): void;
  close(): void;
}

interface Kept {
  readonly address: SocketAddress;
  readonly handle: RawHandle;
  /** Of a unix socket's file when it was bound. */
  readonly inode: number | undefined;
  readonly users: Set<Child>;
  /** The newest that asked for it. */
  generation: number;
}

type Send = (child: Child, message: ToChild, handle?: RawHandle) => void;

/** An application may open servers without end. */
const MOST = 64;

const keyOf = ({ path, host, port, ipv6Only, nth }: SocketAddress): string => JSON.stringify([path, host, port, ipv6Only, nth]);
const shown = ({ path, host, port }: SocketAddress): string => (path === null ? `${host ?? "*"}:${port}` : `unix:${path}`);

export function createFurtherSockets(log: Logger, send: Send): FurtherSockets {
  const kept = new Map<string, Kept>();

  const drop = (key: string, { address, handle }: Kept): void => {
    kept.delete(key);
    handle.close(); // removes a unix socket's file too
    log.info(`the application's socket ${shown(address)} is closed: no worker uses it any more`);
  };

  const keep = (address: SocketAddress): Kept => {
    const key = keyOf(address);
    const known = kept.get(key);
    const fileRemoved = known?.inode !== undefined && inodeOf(address.path) === undefined;
    if (known !== undefined && !fileRemoved) return known;
    if (known === undefined && kept.size >= MOST) throw failure(-EMFILE, `the master keeps ${MOST} sockets already`);
    known?.handle.close(); // no client can find it any more
    const handle = bind(address);
    const made: Kept = { address, handle, inode: inodeOf(address.path), users: new Set(), generation: 0 };
    kept.set(key, made);
    return made;
  };

  return {
    lend(child, id, address) {
      try {
        const socket = keep(address);
        socket.users.add(child);
        socket.generation = Math.max(socket.generation, child.generation);
        send(child, { type: "bound", id, errno: 0 }, socket.handle);
      } catch (error) {
        const { errno } = error as { errno?: unknown };
        log.warn({ place: child.place }, `the application can't listen on ${shown(address)}: ${messageOf(error)}`);
        send(child, { type: "bound", id, errno: typeof errno === "number" && errno < 0 ? errno : -EINVAL });
      }
    },
    returned(child, address) {
      const key = keyOf(address);
      const socket = kept.get(key);
      if (socket?.users.delete(child) === true && socket.users.size === 0) drop(key, socket);
    },
    left(child) {
      for (const { users } of kept.values()) users.delete(child);
    },
    settle(state) {
      if (kept.size === 0 || !rolled(state)) return;
      for (const [key, socket] of kept) if (socket.users.size === 0 && socket.generation < state.generation) drop(key, socket);
    },
    close() {
      for (const { handle } of kept.values()) handle.close();
      kept.clear();
    },
  };
}

const { EINVAL, EMFILE } = constants.errno;
const failure = (errno: number, why: string): Error => Object.assign(new Error(why), { errno });

/** Every worker serves, and runs the newest generation. */
function rolled({ roll, generation, places }: Master): boolean {
  if (roll !== undefined) return false;
  const workers = [...places.values()].filter(({ role }) => role === "worker");
  return workers.every(({ incumbent }) => incumbent.is === "ready" && incumbent.generation === generation);
}

/** @throws Error with `errno`, as libuv numbers them. */
function bind({ path, host, port, ipv6Only }: SocketAddress): RawHandle {
  if (path !== null) return rawHandle({ path });
  if (host !== null && net.isIP(host) === 0) throw failure(-EINVAL, `${host} is not an IP address`);
  const handle = rawHandle({ host, port, ipv6Only });
  const errno = handle.getsockname?.({}) ?? 0; // libuv reports a port in use here, not when it binds
  if (errno === 0) return handle;
  handle.close();
  throw failure(errno, `binding was refused: ${getSystemErrorName(errno)}`);
}

const inodeOf = (path: string | null): number | undefined =>
  path === null || path.startsWith("\0") ? undefined : lstatSync(path, { throwIfNoEntry: false })?.ino;
