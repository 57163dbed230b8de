import type { Socket } from "node:net";

/** The peer of a unix socket: whoever may open it. It has no address, and no network names it. */
export const UNIX_PEER = "unix";
/** A peer whose address was gone before it could be asked for. */
const UNKNOWN_PEER = "unknown";

const unix = new WeakSet<Socket>();

/**
 * Notes how a new connection came. Later is too late: a socket that has closed gives no address, and must not be taken for a unix
 * socket, whose peer is trusted with more. (The address itself is asked for when somebody wants it: a system call.)
 */
export function notePeer(socket: Socket): void {
  const { _handle } = socket as unknown as { _handle?: { getpeername?: unknown } | null };
  if (typeof _handle?.getpeername !== "function") unix.add(socket);
}

/** @returns the address as node:net spells it, or `unix`, or `unknown`. */
export function peerOf(socket: Socket): string {
  return unix.has(socket) ? UNIX_PEER : (socket.remoteAddress ?? UNKNOWN_PEER);
}

/** Whether drover itself speaks TLS on this connection; what a proxy in front does is said in headers. */
export const isEncrypted = (socket: Socket): boolean => (socket as { encrypted?: boolean }).encrypted === true;
