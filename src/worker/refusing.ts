import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isStopped } from "../base/parsing.ts";
import { drop, endAfterUpgrade, isClosing, markClosing } from "./closing.ts";
import { endWithProblem, sendProblem } from "./problem.ts";
import { malformed, type Malformed } from "./strict.ts";

/** node:http keeps 2,000 headers and drops the rest silently, a second Host among them. */
const MOST_HEADERS = 1_000;
const WITH_RESPONSE: readonly unknown[] = ["request", "checkContinue", "checkExpectation"];
const WITH_SOCKET: readonly unknown[] = ["upgrade", "connect"];

/**
 * Refuses what HTTP forbids and node:http lets through, before any listener of the server hears of it: listeners of an application
 * are the application's own, so the events are held back instead.
 * @param clientError answers what can't be parsed, unless the application does. Without either,
 *   node:http sends its 400 before the answers to earlier requests.
 * @param told hears of each refusal.
 */
export function refuseMalformed(
  server: Server,
  clientError: (error: Error, socket: Socket) => void,
  told: (res: ServerResponse) => void,
): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  const refuses = (req: IncomingMessage, refuse: (wrong: Malformed) => void): boolean => {
    if (isClosing(req.socket)) return true;
    const wrong = malformed(req, MOST_HEADERS);
    if (wrong === undefined) return false;
    markClosing(req.socket);
    refuse(wrong);
    return true;
  };
  const held = (event: string, req: IncomingMessage, to: unknown): boolean => {
    if (WITH_RESPONSE.includes(event)) {
      const res = to as ServerResponse;
      if (isClosing(req.socket)) return (drop(req, res), true);
      const refused = refuses(req, ({ status, detail }) => {
        res.shouldKeepAlive = false;
        told(res);
        sendProblem(res, status, detail);
      });
      if (!refused) endAfterUpgrade(req, res);
      return refused;
    }
    if (WITH_SOCKET.includes(event)) return refuses(req, ({ status, detail }) => endWithProblem(to as Socket, status, detail));
    return false;
  };
  server.emit = (event: string, ...args: unknown[]) => {
    if (event !== "clientError") return held(event, args[0] as IncomingMessage, args[1]) || emit(event, ...args);
    const socket = args[1] as Socket;
    if (isStopped(args[0] as Error, socket)) return true;
    if (isClosing(socket) && socket.writable) return true; // its last answer is on the way, and nothing behind it is read
    if (server.listenerCount(event) === 0) clientError(args[0] as Error, args[1] as Socket);
    else emit(event, ...args);
    return true;
  };
}
