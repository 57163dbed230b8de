/**
 * TLS before a server that knows nothing of it: what it accepts goes through a handshake first, and comes to its own "connection"
 * listeners as an encrypted socket. So every form of application may be served by TLS, from the sockets that the master holds; the
 * connection takes its seat when it is accepted, and handshakes count below the cap.
 *
 *   accept ─→ seat ─→ handshake ─→ the server's own listeners (HTTP)
 *                        └ fails, or takes too long → closed, counted in the log
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { errnoOf, messageOf } from "../base/errors.ts";
import { tls } from "../base/http.ts";
import type { Logger } from "../base/log.ts";
import { seconds, type Ms } from "../base/units.ts";
import type { TlsConfig } from "./config.ts";
import { writeInSlices } from "./slices.ts";

export interface EncryptParts {
  /** How long a handshake may take. */
  readonly timeout: Ms;
  readonly log: Logger;
  /** The handshake on `raw` is over: `socket` is what is read and written from now on. */
  secured(raw: Socket, socket: TLSSocket): void;
}

type Entry = (this: Server, socket: Socket) => void;

/** Strangers cause failed handshakes at will: they are told of at most so often. */
const TOLD_EVERY = seconds(60);

const PLAIN = "this port speaks TLS: ask by https://\n";
const PLAIN_HTTP = `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${PLAIN.length}\r\nConnection: close\r\n\r\n${PLAIN}`;

/**
 * Makes `server` speak TLS on its TCP addresses. To be called before anybody else listens for its connections: those who did get
 * encrypted sockets, those who come later the accepted ones.
 * @throws Error when OpenSSL refuses the pair.
 */
export function encrypt(server: Server, { cert, key, ticketKeys }: TlsConfig, parts: EncryptParts): void {
  const door = tls().createServer({
    cert,
    key,
    ticketKeys: Buffer.from(ticketKeys, "base64"),
    sessionIdContext: "drover", // Node's own is made of the command line, which names the worker: nobody could resume at another
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: parts.timeout,
  });
  const failed = tellOfFailures(parts.log);
  const entries = server.listeners("connection") as Entry[];
  const enter = (socket: Socket): void => entries.forEach((entry) => entry.call(server, socket));
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    if (isToEncrypt(server, socket)) door.emit("connection", socket);
    else enter(socket);
  });
  door.on("secureConnection", (socket) => {
    const raw = rawOf(socket);
    if (raw === undefined) return void socket.destroy();
    writeInSlices(socket);
    parts.secured(raw, socket);
    if (!socket.destroyed) enter(socket);
  });
  door.on("tlsClientError", (error, socket) => {
    if (errnoOf(error) === "ERR_SSL_HTTP_REQUEST") rawOf(socket)?.write(PLAIN_HTTP);
    socket.destroy(); // Node leaves one open whose time is over
    failed(error);
  });
}

/**
 * A unix socket's peer is a proxy of this machine, and a connection that this server did not accept (its `server` is another) is the
 * worker's own probe.
 */
function isToEncrypt(server: Server, socket: Socket): boolean {
  const { server: acceptedBy, _handle: handle } = socket as unknown as { server?: unknown; _handle?: { getpeername?: unknown } | null };
  return acceptedBy === server && typeof handle?.getpeername === "function";
}

/** The accepted socket below an encrypted one: a private part of Node, which the test of this file holds to. */
const rawOf = (socket: TLSSocket): Socket | undefined => (socket as unknown as { _parent?: Socket | null })._parent ?? undefined;

/** A line a minute at the most, with how many there were and why the last one failed. */
function tellOfFailures(log: Logger): (error: Error) => void {
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let last = "";
  const tell = (): void => {
    timer = undefined;
    if (count === 0) return;
    log.info({ failed: count, last }, `${count} TLS handshake${count === 1 ? "" : "s"} failed; the last: ${last}`);
    count = 0;
    timer = setTimeout(tell, TOLD_EVERY).unref();
  };
  return (error) => {
    count += 1;
    last = (errnoOf(error) ?? messageOf(error)).slice(0, 200);
    timer ??= setTimeout(tell, seconds(1)).unref();
  };
}
