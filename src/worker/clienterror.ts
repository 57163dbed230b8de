import type { Socket } from "node:net";
import type { IncomingMessage } from "node:http";
import { errnoOf } from "../base/errors.ts";
import { endWithProblem } from "./problem.ts";
import { newRequestId } from "./requestid.ts";
import type { Tally } from "./tally.ts";

/** What was answered to something that is no request. */
export interface Turned {
  readonly socket: Socket;
  readonly status: number;
  readonly reason: string;
  readonly id: string;
}

/** What a request that is none is answered. */
const ANSWERS: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "head-too-large", "the request's head is larger than 16 KiB"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "chunk-extensions", "the request's chunk extensions are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "head-too-late", "the request did not arrive in time"],
};
const NO_REQUEST = [400, "no-request", "this is not a valid HTTP/1.1 request"] as const;

/** A response that node:http is writing, or has not begun. */
type Current = { readonly req: IncomingMessage; readonly headersSent: boolean; once(event: "close", listener: () => void): void };

/**
 * Waits until requests that came whole have their answers: the client would take ours for the first of theirs. A request that is still
 * on its way never gets one.
 */
function whenAnswered(socket: Socket, then: (headSent: boolean) => void): void {
  const { _httpMessage: current } = socket as unknown as { _httpMessage?: Current | null };
  if (current?.req.complete !== true) return then(current?.headersSent === true);
  socket.pause();
  current.once("close", () => whenAnswered(socket, then));
}

/**
 * Answers what could not be parsed, or did not come, and closes the connection: what follows on it can't be trusted (request
 * smuggling). Nothing is said where an answer is on its way already, or where nobody listens.
 */
export function onClientError(
  tally: Tally,
  told: (turned: Turned) => void,
  headers: readonly string[] = [],
): (error: Error, socket: Socket) => void {
  const known = new WeakSet<Socket>(); // each further byte of it is an error again
  return (error, socket) => {
    const code = errnoOf(error) ?? "";
    if (!socket.writable || code === "ECONNRESET") return void socket.destroy();
    if (known.has(socket)) return;
    known.add(socket);
    whenAnswered(socket, (headSent) => {
      if (!socket.writable || headSent) return void socket.destroy();
      const [status, reason, detail] = ANSWERS[code] ?? NO_REQUEST;
      const id = newRequestId();
      tally.answered(status, 0);
      told({ socket, status, reason, id });
      endWithProblem(socket, status, detail, [...headers, `X-Request-Id: ${id}`]);
    });
  };
}
