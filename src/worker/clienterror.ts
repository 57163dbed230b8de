import type { Socket } from "node:net";
import type { IncomingMessage } from "node:http";
import { errnoOf } from "../base/errors.ts";
import { isStopped } from "../base/parsing.ts";
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

/** Node's code for a request that did not arrive in time. */
const LATE = "ERR_HTTP_REQUEST_TIMEOUT";

/** Milliseconds for a body, where the server has no limit of its own: Node's default. */
const LONGEST_BODY = 300_000;

/** What a request that is none is answered. */
const ANSWERS: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "head-too-large", "the request's head is larger than 16 KiB"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "chunk-extensions", "the request's chunk extensions are too large"],
  [LATE]: [408, "head-too-late", "the request did not arrive in time"],
};
const NO_REQUEST = [400, "no-request", "this is not a valid HTTP/1.1 request"] as const;

/** A response that node:http is writing, or has not begun. */
type Current = { readonly req: IncomingMessage; readonly headersSent: boolean; once(event: "close", listener: () => void): void };

/** What Node.js keeps of the response that is under way on a socket. */
type Answering = Socket & { readonly _httpMessage?: Current | null };

/**
 * Waits until requests that came whole have their answers: the client would take ours for the first of theirs. A request that is still
 * on its way never gets one.
 */
function whenAnswered(socket: Answering, then: (headSent: boolean) => void): void {
  const { _httpMessage: current } = socket;
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
  const judge = (error: Error, socket: Socket): void => {
    const code = errnoOf(error) ?? "";
    if (code === LATE && socket.bytesRead > 0) tally.refused(ANSWERS[LATE]?.[1] ?? code);
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
  return (error, socket) => {
    if (isStopped(error, socket)) return;
    if (errnoOf(error) === LATE) afterReading(socket, () => judge(error, socket));
    else judge(error, socket);
  };
}

/**
 * After a pause of the process (SIGSTOP, a VM that slept) Node's timer comes before its reads: a request that waits in the kernel's
 * buffer is read first, in the loop's next turn. Node.js no longer times this request out, so that a body that is still
 * missing then gets its own deadline here.
 */
function afterReading(socket: Answering, late: () => void): void {
  const [written, before] = [socket.bytesWritten, socket._httpMessage ?? undefined];
  setImmediate(() => {
    const { _httpMessage: now } = socket;
    if (socket.destroyed || socket.bytesWritten > written || now?.req.complete === true) return;
    if (now === undefined || now === null || now === before) return late();
    const { requestTimeout = LONGEST_BODY } = ((socket as { server?: unknown }).server ?? {}) as { readonly requestTimeout?: number };
    const timer = setTimeout(() => void (socket._httpMessage === now && !now.req.complete && late()), requestTimeout).unref();
    socket.once("close", () => clearTimeout(timer));
  });
}
