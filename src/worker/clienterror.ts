import type { Socket } from "node:net";
import { errnoOf } from "../base/errors.ts";
import { endWithProblem } from "./problem.ts";
import type { Tally } from "./tally.ts";

/** What a request that is none is answered. */
const ANSWERS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the request's head is larger than 16 KiB"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "the request's chunk extensions are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not arrive in time"],
};

/**
 * Answers what could not be parsed, or did not come, and closes the connection: what follows on it can't be trusted (request
 * smuggling). Nothing is said where an answer is on its way already, or where nobody listens.
 */
export function onClientError(tally: Tally, headers: readonly string[] = []): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const { _httpMessage } = socket as unknown as { _httpMessage?: { headersSent: boolean } | null };
    const code = errnoOf(error) ?? "";
    if (!socket.writable || code === "ECONNRESET" || _httpMessage?.headersSent === true) {
      socket.destroy();
      return;
    }
    const [status, detail] = ANSWERS[code] ?? [400, "this is not a valid HTTP/1.1 request"];
    tally.answered(status, 0);
    endWithProblem(socket, status, detail, headers);
  };
}
