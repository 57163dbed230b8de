import type { Socket } from "node:net";
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

/**
 * Answers what could not be parsed, or did not come, and closes the connection: what follows on it can't be trusted (request
 * smuggling). Nothing is said where an answer is on its way already, or where nobody listens.
 */
export function onClientError(
  tally: Tally,
  told: (turned: Turned) => void,
  headers: readonly string[] = [],
): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const { _httpMessage } = socket as unknown as { _httpMessage?: { headersSent: boolean } | null };
    const code = errnoOf(error) ?? "";
    if (!socket.writable || code === "ECONNRESET" || _httpMessage?.headersSent === true) {
      socket.destroy();
      return;
    }
    const [status, reason, detail] = ANSWERS[code] ?? NO_REQUEST;
    const id = newRequestId();
    tally.answered(status, 0);
    told({ socket, status, reason, id });
    endWithProblem(socket, status, detail, [...headers, `X-Request-Id: ${id}`]);
  };
}
