import type { Socket } from "node:net";

/** What lib/_http_server.js keeps on a socket: while `_paused`, its own resume() calls leave the socket paused. */
type Paused = Socket & { _paused?: boolean; readonly parser?: { resume?(): void } | null };

/**
 * Reads no more requests from a connection: the kernel holds the client back. What has been read already is still parsed. node:http
 * resumes by itself as soon as fewer answers wait for the client; the next request may stop it again.
 */
export function stopReading(socket: Socket): void {
  (socket as Paused)._paused = true;
  socket.pause();
}

/** Reads requests again, if `stopReading` or node:http had stopped. */
export function readOn(socket: Socket): void {
  const stopped = socket as Paused;
  if (stopped._paused !== true || stopped.destroyed) return;
  stopped._paused = false;
  stopped.parser?.resume?.();
  stopped.resume();
}
