import type { Bytes } from "../base/units.ts";
import { MOST_DROPPED } from "./closing.ts";
import type { Exchange } from "./exchange.ts";
import { lingerWithProblem } from "./problem.ts";

/**
 * Refuses a body that is too large, before an application that collects it has no memory left: by its Content-Length at once, by its chunks when
 * there are too many. The application sees a client that went away.
 */
export function limitBody(exchange: Exchange, limit: Bytes): void {
  if (limit === 0) return;
  const { req } = exchange;
  const length = req.headers["content-length"];
  if (length !== undefined) return void (Number(length) > limit && refuse(exchange, limit));
  if (req.headers["transfer-encoding"] === undefined) return;
  let taken = 0;
  const push = req.push.bind(req);
  req.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    taken += chunk?.length ?? 0;
    if (taken <= limit) return push(chunk, encoding);
    if (exchange.answered === undefined) refuse(exchange, limit);
    return false;
  };
}

function refuse(exchange: Exchange, limit: Bytes): void {
  const { req, res } = exchange;
  const { socket } = req;
  exchange.answered = 413;
  exchange.reason = "body-too-large";
  req.push = () => true; // what still comes reaches nobody
  const answer = (): void => lingerWithProblem(socket, 413, `the body is larger than ${limit} bytes`);
  // What the application answers goes nowhere: node:http gives a response its socket when its turn comes.
  const { _httpMessage: before } = socket as { _httpMessage?: unknown };
  if (before !== undefined && before !== null && before !== res) {
    let dropped = 0;
    req.push = (chunk: Buffer | null) => (dropped += chunk?.length ?? 0) <= MOST_DROPPED; // false: the kernel holds the client back
    res.assignSocket = answer;
    return;
  }
  if (res.headersSent) return void socket.destroy(); // the application has begun its answer: there is no room for another
  if (res.socket === null) res.assignSocket = () => {};
  else res.detachSocket(socket);
  answer();
}
