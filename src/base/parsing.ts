/** Ends the parsing of a connection's requests. node:http has no public way to do that. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errnoOf } from "./errors.ts";

const STOPPED = Symbol("stopped");

/** `onIncoming`: what lib/_http_common.js calls for each head; -1 makes llhttp stop with HPE_CB_HEADERS_COMPLETE. */
type Parsed = Socket & { [STOPPED]?: true; readonly parser?: { onIncoming?: unknown } | null };

const stop = (): number => -1;
/** The parser's own error after that, and Node's for a request that does not come: its head will never be complete. */
const EXPECTED: ReadonlySet<string | undefined> = new Set(["HPE_CB_HEADERS_COMPLETE", "ERR_HTTP_REQUEST_TIMEOUT"]);

/**
 * Parses no more requests of a connection, not even those that were read already: 64 KiB hold more than a thousand. Every further read
 * is a `clientError`; see `isStopped`.
 */
export function stopParsing(socket: Socket): void {
  const parsed = socket as Parsed;
  parsed[STOPPED] = true;
  const { parser } = parsed;
  if (typeof parser?.onIncoming === "function") parser.onIncoming = stop;
}

/** Whether a `clientError` only says that `stopParsing` has ended the parsing. Then reading stops, too: the kernel holds the client back. */
export function isStopped(error: Error, socket: Socket): boolean {
  if ((socket as Parsed)[STOPPED] !== true || !EXPECTED.has(errnoOf(error))) return false;
  socket.pause();
  return true;
}

/** Destroys a connection on which a request arrives while an earlier one has no answer yet. Call it before other listeners are added. */
export function refusePipelining(server: Server, refused: () => void = () => {}): void {
  const busy = new WeakSet<Socket>();
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  const begin = (socket: Socket, res: ServerResponse): boolean => {
    if (socket.destroyed || busy.has(socket)) {
      if (!socket.destroyed) refused();
      stopParsing(socket);
      socket.destroy();
      return false;
    }
    busy.add(socket);
    res.once("finish", () => void busy.delete(socket));
    return true;
  };
  server.emit = (event: string, ...args: unknown[]) => {
    if (event === "request" && !begin((args[0] as IncomingMessage).socket, args[1] as ServerResponse)) return true;
    if (event === "clientError" && isStopped(args[0] as Error, args[1] as Socket)) return true;
    return emit(event, ...args);
  };
}
