import type { Bytes } from "../base/units.ts";
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
  // Behind another answer of its connection, or after its own has begun, there is no room for one.
  const before = (socket as { _httpMessage?: unknown })._httpMessage;
  if ((before !== undefined && before !== null && before !== res) || res.headersSent) return void socket.destroy();
  // What the application answers goes nowhere: at a request's start Node has not yet given the response its socket.
  if (res.socket === null) res.assignSocket = () => {};
  else res.detachSocket(socket);
  lingerWithProblem(socket, 413, `the body is larger than ${limit} bytes`);
}
