import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { stopParsing } from "../base/parsing.ts";
import { hasBody } from "./interim.ts";

/** Bytes of an unread body that are read and dropped to keep a connection, or to end it without a reset. */
export const MOST_DROPPED = 65_536;
/** How long a client that is still sending has to read its answer. Closed at once, the kernel would send a reset instead. */
export const LINGER = 1_000;

const CLOSING = Symbol("closing");
type Marked = Socket & { [CLOSING]?: true };

/** An answer of this connection is its last: requests behind it must not be processed (RFC 9112 §9.6). */
export const markClosing = (socket: Socket): void => void ((socket as Marked)[CLOSING] = true);
export const isClosing = (socket: Socket): boolean => (socket as Marked)[CLOSING] === true;

/** Bytes that a request and its answer hold in memory. */
const DROPPED = 2_048;

/**
 * Leaves a request without an answer, because it came behind its connection's last, and parses no more of them. node:http keeps it
 * until the connection ends, so it counts as data that waits to be sent (`_onPendingData`, private
 * to Node), and reading stops at the socket's high-water mark.
 */
export function drop({ socket }: IncomingMessage, res: ServerResponse): void {
  stopParsing(socket);
  (res as unknown as { _onPendingData(bytes: number): void })._onPendingData(DROPPED);
}

/** A declined Upgrade is its connection's last request: node:http loses the rest of the read. */
export function endAfterUpgrade(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.upgrade === undefined) return;
  res.shouldKeepAlive = false;
  markClosing(req.socket);
}

/**
 * Bounds what is read of a body that nothing reads: once the answer is out, a little of it is dropped and then the connection is closed.
 * node:http alone would read it to its end, however long it is.
 * @param unwanted the request's method gives its body no meaning, so the answer does not wait for it.
 */
export function boundBody(req: IncomingMessage, res: ServerResponse, unwanted: boolean): void {
  if (!hasBody(req)) return;
  const length = req.headers["transfer-encoding"] === undefined ? Number(req.headers["content-length"]) : Infinity;
  const long = length > MOST_DROPPED;
  if (unwanted && long) res.shouldKeepAlive = false;
  res.once("prefinish", () => {
    const unread = long && req.readableFlowing === null && !req.readableDidRead; // else an application reads on after its answer
    if (!req.complete && (unread || (res as unknown as { _last: boolean })._last)) closeGently(req, res);
  });
}

/** Takes the place of what node:http does after a last answer: see lib/_http_server.js, resOnFinish. */
function closeGently(req: IncomingMessage, res: ServerResponse): void {
  const { socket } = req;
  let dropped = 0;
  markClosing(socket);
  socket.destroySoon = () => {};
  (req as unknown as { _dump: () => void })._dump = () => {}; // dumped bytes can't be counted
  req.push = (chunk: Buffer | null): boolean => (dropped += chunk?.length ?? 0) <= MOST_DROPPED; // false: the kernel holds the client back
  res.once("finish", () => {
    socket.end();
    cutLater(socket);
  });
}

/**
 * A client that ends its side of the connection (FIN) behind its request still gets the answer. By its FIN it can't be told from one
 * that has gone: see `GONE_AFTER` in timeouts.ts. The property is private to Node; without it node:http aborts the request.
 */
export const answerHalfClosed = (server: Server): void =>
  void ((server as Server & { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true);

/** Closes a connection whose sending side has ended, at the latest after LINGER. */
export function cutLater(socket: Socket): void {
  const cut = setTimeout(() => socket.destroy(), LINGER).unref();
  socket.once("close", () => clearTimeout(cut));
}
